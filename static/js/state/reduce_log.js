// @ts-check
/** Events of topics, brokers, the producer and the bytes in the logs. */
import { waitingFrom } from "./reduce_lag.js";
import { withChange, withKey, withoutKey } from "./persistent.js";

/** @typedef {import("./reduce.js").Handler} Handler */

/** How many entries of a log the state remembers: the newest. */
export const ENTRIES_KEPT = 64;

/** @param {Record<string, any>} at an event of one partition */
const logOf = (at) => `${at.topic}-${at.partition}`;

/** @type {Handler} */
const topicAdded = (state, event) => {
  let partitions = state.partitions;
  event.brokers.forEach((/** @type {number} */ broker, /** @type {number} */ partition) => {
    partitions = withKey(partitions, `${event.topic}-${partition}`, {
      topic: event.topic, partition, broker,
      first_offset: 0, flushed_offset: 0, next_offset: 0, messages: 0, segments: [[0, 0]], entries: [],
    });
  });
  const topic = { events_appended: 0, next_append_partition: 0, brokers: event.brokers };
  return { ...state, partitions, topics: withKey(state.topics, event.topic, topic) };
};

const GOOD_DISK = { delay_us: 0, full: false, fails: "" };

/** @param {boolean} alive @returns {Handler} */
const brokerIs = (alive) => (state, event) => ({
  ...state,
  brokers: withKey(state.brokers, event.broker, {
    disk: GOOD_DISK, ...state.brokers[event.broker], alive, session_expires_at_us: event.session_expires_at_us ?? 0,
  }),
});

/** @type {Handler} */
const brokerStopped = (state, event) => ({ ...state, brokers: withChange(state.brokers, event.broker, { alive: false }) });

/** @type {Handler} */
const logCut = (state, event) => {
  const log = state.partitions[logOf(event)];
  const end = event.next_offset;
  const segments = log.segments
    .filter((/** @type {number[]} */ [base]) => base <= end)
    .map((/** @type {number[]} */ [base, bytes]) => [base, Math.min(bytes, end - base)]);
  return {
    ...state,
    topics: withChange(state.topics, event.topic, {
      events_appended: state.topics[event.topic].events_appended - event.messages_cut,
    }),
    partitions: withChange(state.partitions, logOf(event), {
      next_offset: end, flushed_offset: end, messages: log.messages - event.messages_cut, segments,
      entries: log.entries.filter((/** @type {number[]} */ [offset]) => offset < end),
    }),
  };
};

/** @type {Handler} */
const segmentDeleted = (state, event) => {
  const log = state.partitions[logOf(event)];
  const first = event.first_offset;
  return {
    ...state,
    partitions: withChange(state.partitions, logOf(event), {
      first_offset: first,
      segments: log.segments.filter((/** @type {number[]} */ [base]) => base >= first),
      entries: log.entries.filter((/** @type {number[]} */ [offset]) => offset >= first),
    }),
  };
};

/** @type {Handler} */
const batchSent = (state, event) => ({
  ...state,
  flights: withKey(state.flights, `batch:${event.batch}`, event),
  topics: withChange(state.topics, event.topic, { next_append_partition: event.next_append_partition }),
});

/** @param {any} event @returns {Array<[number, number, number, string]>} */
function entriesOf(event) {
  const each = event.sizes.length < event.messages ? event.messages : 1;
  let offset = event.offset;
  return event.sizes.map((/** @type {number} */ size, /** @type {number} */ index) => {
    const entry = [offset, size, each, event.previews[index]];
    offset += size;
    return entry;
  });
}

/** @param {Record<string, any>} flights @param {Record<string, any>} of @returns {Record<string, any>} without that batch */
const landed = (flights, { batch }) => withoutKey(withoutKey(flights, `batch:${batch}`), `disk:${batch}`);

/** @type {Handler} */
const batchAppended = (state, event) => {
  const log = state.partitions[logOf(event)];
  const [base, bytes] = log.segments[log.segments.length - 1];
  return {
    ...state,
    bookmarks: waitingFrom(state.bookmarks, event),
    flights: landed(state.flights, event),
    topics: withChange(state.topics, event.topic, {
      events_appended: state.topics[event.topic].events_appended + event.messages,
    }),
    partitions: withChange(state.partitions, logOf(event), {
      next_offset: event.next_offset,
      messages: log.messages + event.messages,
      segments: [...log.segments.slice(0, -1), [base, bytes + event.next_offset - event.offset]],
      entries: [...log.entries, ...entriesOf(event)].slice(-ENTRIES_KEPT),
    }),
  };
};

/** @type {Record<string, Handler>} */
export const logHandlers = {
  topic_added: topicAdded,
  broker_added: brokerIs(true),
  broker_started: brokerIs(true),
  broker_crashed: brokerIs(false),
  broker_stopped: brokerStopped,
  log_cut: logCut,
  producer_changed: (state, event) => ({ ...state, producer: event.settings }),
  batch_sent: batchSent,
  batch_appended: batchAppended,
  producer_queue_changed: (state, { queued, blocked, dropped }) => ({
    ...state, producer_queue: { queued, blocked, dropped },
  }),
  batch_acknowledged: (state, event) => ({
    ...state, flights: withKey(landed(state.flights, event), `ack:${event.batch}`, event),
  }),
  acknowledgement_received: (state, event) => ({
    ...state, flights: withoutKey(state.flights, `ack:${event.batch}`),
  }),
  batch_queued: (state, event) => ({
    ...state, flights: withKey(landed(state.flights, event), `disk:${event.batch}`, event),
  }),
  /** An unacknowledged set may still be in flight; another event ends its flight. */
  batch_lost: (state, event) => (event.reason === "not_acknowledged" ? state : { ...state, flights: landed(state.flights, event) }),
  disk_changed: (state, { broker, delay_us, full, fails }) => ({
    ...state, brokers: withChange(state.brokers, broker, { disk: { delay_us, full, fails } }),
  }),
  segment_rolled: (state, event) => ({
    ...state,
    partitions: withChange(state.partitions, logOf(event), {
      segments: [...state.partitions[logOf(event)].segments, [event.base_offset, 0]],
    }),
  }),
  segment_deleted: segmentDeleted,
  log_flushed: (state, event) => ({
    ...state,
    partitions: withChange(state.partitions, logOf(event), { flushed_offset: event.flushed_offset }),
  }),
};
