// @ts-check
/** Events of groups, their members and the steps of a rebalance. */
import { withChange, withKey, withoutKey } from "./persistent.js";
import { withoutWatchesOf } from "./reduce_registry.js";

/** @typedef {import("./reduce.js").Handler} Handler */

const AT_REST = { attempt: 0, cause: "", step: "", members: [], partitions: [], share: [], until_us: 0 };

/** @param {Record<string, any>} of an event of one consumer */
const idOf = (of) => `${of.group}/${of.consumer}`;

/** @param {(event: any) => object} change @returns {Handler} */
const changesConsumer = (change) => (state, event) => ({
  ...state, consumers: withChange(state.consumers, idOf(event), change(event)),
});

/** @param {(event: any) => object} change @returns {Handler} */
const changesRebalance = (change) => (state, event) => {
  const consumer = state.consumers[idOf(event)];
  if (!consumer) return state;
  const rebalance = { ...consumer.rebalance, ...change(event) };
  return { ...state, consumers: withChange(state.consumers, idOf(event), { rebalance }) };
};

/** @type {Handler} */
const consumerAdded = (state, event) => {
  const listed = state.groups[event.group]?.consumers ?? [];
  const consumers = listed.includes(event.consumer) ? listed : [...listed, event.consumer];
  return {
    ...state,
    groups: withKey(state.groups, event.group, { ...state.groups[event.group], consumers }),
    consumers: withKey(state.consumers, idOf(event), {
      group: event.group, consumer: event.consumer, state: "joining", paused: false,
      session_expires_at_us: 0, frozen_until_us: 0, streams: event.streams, settings: event.settings, rebalance: AT_REST,
    }),
  };
};

/** @type {Handler} */
const consumerRemoved = (state, event) => ({
  ...state,
  consumers: withoutKey(state.consumers, idOf(event)),
  groups: withChange(state.groups, event.group, {
    consumers: state.groups[event.group].consumers.filter((/** @type {string} */ name) => name !== event.consumer),
  }),
});

/** @type {Handler} */
const consumerCrashed = (state, event) => {
  const prefix = `${event.group}/`;
  const positions = Object.fromEntries(
    Object.entries(state.positions).filter(
      ([key, position]) => !(key.startsWith(prefix) && position.consumer === event.consumer),
    ),
  );
  const change = { state: "crashed", session_expires_at_us: event.session_expires_at_us, rebalance: AT_REST };
  return { ...state, positions, consumers: withChange(state.consumers, idOf(event), change) };
};

/** @type {Handler} */
const sessionExpired = (before, event) => {
  const state = withoutWatchesOf(before, event.session);
  const colon = event.client.indexOf(":");
  const [kind, id] = [event.client.slice(0, colon), event.client.slice(colon + 1)];
  if (kind === "broker") {
    return { ...state, brokers: withChange(state.brokers, id, { session_expires_at_us: 0 }) };
  }
  const consumer = state.consumers[id];
  if (kind !== "consumer" || !consumer || consumer.state !== "crashed") return state;
  return { ...state, consumers: withChange(state.consumers, id, { state: "gone", session_expires_at_us: 0 }) };
};

const NOTHING_DONE = { pulled_bytes: 0, pulled_messages: 0, consumed_bytes: 0, consumed_messages: 0 };

/** @type {Record<string, Handler>} */
export const groupHandlers = {
  group_added: (state, event) => ({
    ...state, groups: withKey(state.groups, event.group, { topics: event.topics, consumers: [], ...NOTHING_DONE }),
  }),
  consumer_added: consumerAdded,
  consumer_changed: changesConsumer((event) => ({ settings: event.settings })),
  consumer_paused: changesConsumer(() => ({ paused: true })),
  consumer_resumed: changesConsumer(() => ({ paused: false })),
  consumer_frozen: changesConsumer((event) => ({ frozen_until_us: event.until_us })),
  consumer_closing: changesConsumer(() => ({ state: "closing", rebalance: AT_REST })),
  consumer_closed: changesConsumer(() => ({ state: "closed", rebalance: AT_REST })),
  consumer_expired: changesConsumer(() => ({ state: "expired", rebalance: AT_REST })),
  consumer_crashed: consumerCrashed,
  consumer_removed: consumerRemoved,
  session_closed: (state, event) => withoutWatchesOf(state, event.session),
  session_expired: sessionExpired,
  rebalance_started: changesConsumer((event) => ({
    state: "rebalancing",
    rebalance: { ...AT_REST, attempt: event.attempt, cause: event.cause, step: "release" },
  })),
  ownership_released: changesRebalance(() => ({ step: "read" })),
  registry_read: changesRebalance((event) => ({ step: "compute", members: event.members, partitions: event.partitions })),
  assignment_computed: changesRebalance((event) => ({ step: "claim", share: event.partitions })),
  claim_refused: changesRebalance(() => ({ step: "refused" })),
  rebalance_backed_off: (state, event) => {
    const waiting = changesRebalance(() => ({ until_us: event.until_us }))(state, event);
    return { ...waiting, consumers: withChange(waiting.consumers, idOf(event), { state: "backing_off" }) };
  },
  rebalance_finished: changesConsumer((event) => ({
    state: event.partitions.length ? "running" : "idle", rebalance: AT_REST,
  })),
  rebalance_failed: changesConsumer(() => ({ state: "failed", rebalance: AT_REST })),
};
