// @ts-check
/**
 * One short sentence for the most important event of an instant. Sentences are made from events alone.
 *
 * @typedef {Record<string, any>} State
 * @typedef {{text: string, weight: number}} Sentence `weight`: how important it is; 0: there is nothing to say
 */
import { asksForNothingNew } from "./simple_flights.js";
import { DISK_FAULTS, partyInWords, pullTooSmall } from "./troubles.js";
import { bytesInWords, isolated, namesInWords, partitionInWords, secondsInWords } from "./words.js";

const SILENT = { text: "", weight: 0 };
/** The node that is a bookmark, in the registry of any datacenter. */
const OFFSET_NODE = /\/consumers\/([^/]+)\/offsets\/([^/]+)\/\d+-(\d+)$/;

/** @param {string} topic @param {number | string} partition @param {State} state */
const placeOf = (topic, partition, state) => partitionInWords(state, { topic, partition });

/** @param {State} event @param {State} state */
const place = ({ topic, partition }, state) => placeOf(topic, partition, state);

/** @param {string[]} names @param {State} state */
const listed = (names, state) => namesInWords(state, names) || "nothing";

/** @param {string} text chosen by a person, cut to a length that suits a sentence */
const clipped = (text) => isolated([...text].length > 24 ? `${[...text].slice(0, 24).join("")}…` : text);

/** @param {number} count @param {string} noun */
const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

/** @param {string} address */
const party = (address) => clipped(partyInWords(address));

/** @param {State} disk */
function diskWords({ full, delay_us, fails }) {
  if (fails) return `failing: ${DISK_FAULTS[/** @type {keyof typeof DISK_FAULTS} */ (fails)]}`;
  if (full) return "full: it halts at its next append";
  return delay_us ? `slow: ${secondsInWords(delay_us)} for each batch` : "fine again";
}

/** @param {State} event @param {State} state */
function rejectionWords({ group, consumer, topic, partition, offset, error }, state) {
  const where = placeOf(topic, partition, state);
  if (error === "offset_out_of_range") return `Offset ${offset} is not in ${where}, and ${consumer} may not choose another: it reads no further.`;
  if (error === "unsupported_codec") return `The message set at ${offset} of ${where} has a codec that ${consumer} does not support: it reads no further.`;
  if (error === "unknown_server_fault") return `The broker cannot read ${where} from its disk at ${offset}: ${consumer} keeps asking.`;
  if (error === "invalid_message") return `${consumer} met damaged bytes at ${offset} of ${where} and reads no further.`;
  if (error !== "invalid_message_size") return `${consumer} reads ${where} no further than ${offset}: ${error.replaceAll("_", " ")}.`;
  const pull = pullTooSmall(state, state.partitions[`${topic}-${partition}`], offset, `${group}/${consumer}`);
  return `The message at ${offset} of ${where} is larger than a pull of ${consumer}${pull && ` (${pull})`}: it reads no further. `
    + "Raise its bytes per pull.";
}

/** @param {State} link */
function linkWords({ cut, loss_permille, delay_us }) {
  if (cut) return "is cut";
  const words = [loss_permille && `loses ${loss_permille / 10} % of what it carries`, delay_us && `is ${secondsInWords(delay_us)} slower`];
  return words.filter(Boolean).join(" and ") || "is fine again";
}

/** @type {Record<string, string>} */
const FATES = { cut: "was lost at a cut link", lost: "was lost on the wire", gone: "arrived after its receiver had ended", broker_down: "was lost with that broker" };

/** @param {string} client @returns {string} the party that asked for an acknowledgement */
const sender = (client) => (client === "producer" ? "The producer" : party(client.replace(/^mirror:/, "consumer:")));

/** @typedef {Record<string, (event: any, state: State) => Sentence>} Sentences by the event's name */

/** @type {Sentences} */
const SENTENCES = {
  checkpoint: (e) => (e.cause === "reset"
    ? { text: "The room was reset: everything is as it was at the start, and paused until you act.", weight: 10 } : SILENT),
  batch_sent: (e, state) => ({
    text: e.key
      ? `The key ${clipped(e.key)} hashes to ${place(e, state)}: ${counted(e.messages, "message")} on the way to broker ${e.broker}.`
      : `The producer sends ${counted(e.messages, "message")} as one batch of ${bytesInWords(e.bytes)} to ${place(e, state)}.`,
    weight: 5,
  }),
  batch_appended: (e, state) => ({
    text: `Broker ${e.broker} appends ${bytesInWords(e.next_offset - e.offset)} to ${place(e, state)}: from offset ${e.offset} to ${e.next_offset}.`,
    weight: 6,
  }),
  batch_lost: (e, state) => ({
    text: e.reason === "not_acknowledged"
      ? `No acknowledgement came for the batch for ${place(e, state)}: its sender cannot know whether it was appended.`
      : `The batch for ${place(e, state)} is lost. A sender that asks for no acknowledgement, as in the paper, does not notice.`,
    weight: 9,
  }),
  batch_queued: (e, state) => ({
    text: `The disk of broker ${e.broker} is slow: the batch for ${place(e, state)} waits ${secondsInWords(e.due_us - e.at_us)} for it.`, weight: 6,
  }),
  batch_acknowledged: (e, state) => (e.error
    ? { text: `Broker ${e.broker} refuses the batch for ${place(e, state)} (${e.error.replaceAll("_", " ")}) and reports it.`, weight: 8 }
    : { text: `Broker ${e.broker} acknowledges: the batch is at offset ${e.offset} of ${place(e, state)}.`, weight: 6 }),
  acknowledgement_received: (e) => (e.error
    ? { text: `${sender(e.client)} learns that a batch was not stored: ${e.error.replaceAll("_", " ")}.`, weight: 8 }
    : { text: `${sender(e.client)} learns that its batch is stored, and sends the next one.`, weight: 4 }),
  producer_queue_changed: (e) => (e.blocked
    ? { text: `The producer's queue is full: ${counted(e.blocked, "message")} must wait for a place in it.`, weight: 5 } : SILENT),
  disk_changed: (e) => ({ text: `The disk of broker ${e.broker} is ${diskWords(e)}.`, weight: 8 }),
  link_changed: (e) => ({ text: `The link between ${party(e.one)} and ${party(e.other)} ${linkWords(e)}.`, weight: 8 }),
  message_dropped: (e) => ({
    text: `What ${party(e.source)} sent to ${party(e.destination)} ${FATES[e.cause]}.`, weight: 7,
  }),
  segment_deleted: (e, state) => ({
    text: `The oldest segment of ${place(e, state)} is deleted: the first offset that still exists is ${e.first_offset}.`, weight: 7,
  }),
  log_flushed: (e, state) => ({ text: `${place(e, state)} is flushed up to ${e.flushed_offset}: readers can see these bytes now.`, weight: 3 }),
  segment_rolled: (e, state) => ({ text: `${place(e, state)} begins a new segment file at offset ${e.base_offset}.`, weight: 5 }),
  log_cut: (e, state) => ({
    text: e.cause === "crash"
      ? `${bytesInWords(e.bytes_cut)} of ${place(e, state)} were never flushed: the crash took them.`
      : `Recovery cuts ${bytesInWords(e.bytes_cut)} off ${place(e, state)}: everything from the first damaged message on.`,
    weight: 10,
  }),
  topic_added: (e) => ({ text: `The topic ${e.topic} begins with ${e.brokers.length} empty ${e.brokers.length === 1 ? "log" : "logs"}.`, weight: 8 }),
  broker_added: (e) => ({ text: `Broker ${e.broker} joins; it holds nothing until a topic is added.`, weight: 8 }),
  byte_flipped: (e, state) => ({
    text: `One byte of the message at ${e.offset} of ${place(e, state)} was flipped on disk; nobody knows until somebody reads it.`, weight: 9,
  }),
  broker_crashed: (e) => ({ text: `Broker ${e.broker} crashed: its partitions cannot be read or written.`, weight: 9 }),
  broker_stopped: (e) => ({ text: `Broker ${e.broker} flushed its logs and stopped.`, weight: 9 }),
  broker_started: (e) => ({ text: `Broker ${e.broker} is back.`, weight: 9 }),
  mirror_changed: (e) => ({
    text: e.acknowledgement === "broker"
      ? `The mirrors of ${e.group} send a batch again until its broker acknowledges it.` : `The mirrors of ${e.group} wait for no acknowledgement.`,
    weight: 7,
  }),
  producer_changed: () => ({ text: "The producer works with new settings.", weight: 7 }),
  fetch_sent: (e, state) => (isIdle(e, state) ? SILENT : {
    text: `${e.consumer} asks broker ${e.broker} for ${place(e, state)} from offset ${e.offset}, at most ${bytesInWords(e.max_bytes)}.`, weight: 2,
  }),
  fetch_answered: (e, state) => (e.bytes ? {
    text: `Broker ${e.broker} reads ${bytesInWords(e.bytes)} of ${place(e, state)} from its file for ${e.consumer}.`, weight: 3,
  } : SILENT),
  fetch_received: (e, state) => (e.bytes ? {
    text: `${e.consumer} holds ${counted(e.messages, "message")} of ${place(e, state)}; it will pull from ${e.next_offset} next.`, weight: 3,
  } : SILENT),
  fetch_failed: (e, state) => (e.reason === "broker_down" ? {
    text: `${e.consumer} asked for ${place(e, state)}, but the broker does not answer.`, weight: 5,
  } : SILENT),
  commit_landed: () => SILENT,
  offset_sought: (e, state) => ({
    text: `The bookmark of ${e.group} on ${place(e, state)} is moved to ${e.offset}: reading continues there.`, weight: 9,
  }),
  offset_reset: (e, state) => ({
    text: `Offset ${e.out_of_range_offset} is not in ${place(e, state)} any more: ${e.consumer} continues at ${e.offset}.`, weight: 8,
  }),
  reading_resumed: (e, state) => ({ text: `${e.consumer} can read ${place(e, state)} again, and continues at offset ${e.offset}.`, weight: 8 }),
  message_rejected: (e, state) => ({ text: rejectionWords(e, state), weight: 9 }),
  node_changed: (e, state) => {
    const [, group, topic, partition] = OFFSET_NODE.exec(e.path) ?? [];
    return group ? { text: `${group} commits ${placeOf(topic, partition, state)}: its bookmark is at ${e.value}.`, weight: 4 } : SILENT;
  },
  group_added: (e) => ({ text: `The group ${e.group} begins with bookmarks of its own.`, weight: 8 }),
  consumer_added: (e) => ({ text: `${e.consumer} joins ${e.group}.`, weight: 8 }),
  consumer_changed: (e) => ({ text: `${e.consumer} works with new settings.`, weight: 7 }),
  consumer_paused: (e) => ({ text: `${e.consumer} is paused: it keeps what it owns, and pulls nothing.`, weight: 8 }),
  consumer_resumed: (e) => ({ text: `${e.consumer} resumes where it stopped.`, weight: 8 }),
  consumer_frozen: (e) => ({
    text: `${e.consumer} is suspended for ${secondsInWords(e.until_us - e.at_us)} and does not notice; its session may run out.`, weight: 9,
  }),
  consumer_closing: (e) => ({ text: `${e.consumer} is asked to stop: it commits first.`, weight: 8 }),
  consumer_closed: (e) => ({ text: `${e.consumer} stopped cleanly; its partitions are free at once.`, weight: 8 }),
  consumer_crashed: (e) => ({
    text: `${e.consumer} crashed. Nobody knows until its session runs out in ${secondsInWords(e.session_expires_at_us - e.at_us)}.`,
    weight: 9,
  }),
  consumer_expired: (e) => ({
    text: `${e.consumer} lost its session with the registry: it stops at once and asks for a new one.`, weight: 10,
  }),
  consumer_removed: (e) => ({ text: `${e.consumer} is no longer listed.`, weight: 7 }),
  session_expired: (e) => ({
    text: `The session of ${e.client.slice(e.client.lastIndexOf("/") + 1)} ran out: the registry drops its nodes.`, weight: 9,
  }),
  watch_fired: (e) => ({
    text: `The registry notifies ${e.client.slice(e.client.lastIndexOf("/") + 1)}: ${e.path} has changed.`, weight: 5,
  }),
  rebalance_started: (e) => ({ text: `${e.consumer} rebalances: it stops pulling and commits.`, weight: 6 }),
  ownership_released: (e, state) => (e.partitions.length ? { text: `${e.consumer} releases ${listed(e.partitions, state)}.`, weight: 7 } : SILENT),
  registry_read: (e) => ({
    text: `${e.consumer} sees ${counted(e.members.length, "member")} for ${counted(e.partitions.length, "partition")}.`, weight: 7,
  }),
  assignment_computed: (e, state) => ({ text: `${e.consumer} computes its own share: ${listed(e.partitions, state)}.`, weight: 7 }),
  claim_refused: (e, state) => ({
    text: `${e.consumer} cannot claim ${place(e, state)} yet: ${e.held_by} still owns it.`, weight: 8,
  }),
  rebalance_backed_off: (e) => ({
    text: `${e.consumer} releases its claims and tries again in ${secondsInWords(e.until_us - e.at_us)}.`, weight: 8,
  }),
  rebalance_finished: (e, state) => ({
    text: e.partitions.length ? `${e.consumer} owns ${listed(e.partitions, state)} and pulls.` : `${e.consumer} is idle: there is no partition left for it.`,
    weight: 8,
  }),
  rebalance_failed: (e) => ({ text: `${e.consumer} gave up after ${e.attempts} attempts and owns nothing.`, weight: 9 }),
};

/** @param {State} fetch @param {State} state @returns {boolean} whether the pull finds nothing new to read */
export function isIdle(fetch, state) {
  if (fetch.event === "multi_fetch_sent") return asksForNothingNew(fetch, state);
  const log = state.partitions[`${fetch.topic}-${fetch.partition}`];
  return !log || fetch.offset >= log.flushed_offset;
}

/**
 * Isolate the names that people chose: one written from right to left must not reorder the sentence around it.
 * @param {string} text @param {State} state
 */
function withNamesIsolated(text, { groups }) {
  if (isolated(text) === text) return text;
  const names = Object.entries(groups).flatMap(([group, { consumers }]) => [group, ...consumers]);
  return [...new Set(names)].reduce((sentence_so_far, name) => sentence_so_far.replaceAll(name, isolated(name)), text);
}

/**
 * @param {State[]} events
 * @param {State} state after them
 * @param {Sentences} more for events that only some rooms have
 * @returns {Sentence} the weightiest; the latest of equals
 */
export function sentence(events, state, more) {
  let best = SILENT;
  for (const event of events) {
    const [sentences] = [SENTENCES, more].filter((some) => Object.hasOwn(some, event.event));
    const one = sentences ? sentences[event.event](event, state) : SILENT;
    if (one.weight && one.weight >= best.weight) best = one;
  }
  return { ...best, text: withNamesIsolated(best.text, state) };
}
