// @ts-check
/** Words for what the state says. The server's first picture uses the same ones (templates/_partials/words.html). */
import { segmentFile } from "./tape.js";

/** @typedef {Record<string, any>} State */

/** @type {Record<string, string>} */
const STATE_WORDS = {
  joining: "joining",
  rebalancing: "rebalancing",
  backing_off: "waiting to retry",
  running: "running",
  idle: "idle",
  failed: "gave up",
  closing: "leaving",
  closed: "stopped",
  crashed: "crashed",
  gone: "gone",
  expired: "lost its session",
};

/** @type {Record<string, string>} */
const STEP_WORDS = {
  release: "releases what it owned",
  read: "reads who is there",
  compute: "computes its share",
  claim: "claims its share",
  refused: "its claim was refused",
};

/** Made once: a mark in flight shows its size in every frame, and making a formatter is slow. */
const NUMBERS = new Intl.NumberFormat("en-US");

/** @param {number} bytes */
export const bytesInWords = (bytes) => `${NUMBERS.format(bytes)} B`;

/** @param {State} log @returns {string} its segment files with their sizes, oldest first */
export const segmentsInWords = (log) =>
  log.segments.map((/** @type {[number, number]} */ [base, bytes]) => `${segmentFile(base)} ${bytesInWords(bytes)}`).join(", ");

/** @param {number} at_us @returns {string} seconds with one decimal */
export const secondsInWords = (at_us) => `${(Math.max(0, at_us) / 1_000_000).toFixed(1)} s`;

/** @param {number} at_us @returns {string} a time of the room: seconds with one decimal, from two minutes on in minutes too */
export function timeInWords(at_us) {
  if (at_us < 120_000_000) return secondsInWords(at_us);
  const tenths = Math.floor(at_us / 100_000);
  const [hours, minutes, rest] = [Math.floor(tenths / 36_000), Math.floor(tenths / 600) % 60, tenths % 600];
  const seconds = `${String(Math.floor(rest / 10)).padStart(2, "0")}.${rest % 10}`;
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/**
 * A preview as a cell shows it: its first word stands alone, the rest is a smaller line below it.
 * @param {string} preview
 */
export function previewInWords(preview) {
  const [, word, rest] = /** @type {RegExpMatchArray} */ (preview.match(/^ *([^ ]*) *([^]*)$/));
  return { word, rest };
}

/** What is written from right to left, and what changes the direction of its surroundings. */
const OTHER_DIRECTION = /[\u0590-\u08ff\u200e\u200f\u202a-\u202e\u2066-\u2069\ufb1d-\ufdff\ufe70-\ufeff]/;

/** @param {string} text chosen by a person @returns {string} the same, isolated so that it does not reorder the sentence around it */
export const isolated = (text) => (OTHER_DIRECTION.test(text) ? `\u2068${text}\u2069` : text);

/**
 * All that a cell shows, for screen readers.
 * @param {{offset: number, size: number, messages: number, preview: string, flushed: boolean}} record
 */
export const recordInWords = ({ offset, size, messages, preview, flushed }) =>
  `offset ${offset}, ${size} bytes${messages > 1 ? `, ${messages} messages` : ""}${flushed ? "" : ", not flushed yet"}: ${preview}`;

/** @param {State} consumer @param {number} now_us @returns {boolean} whether its process is suspended */
export const isFrozen = (consumer, now_us) => consumer.frozen_until_us > now_us && !["crashed", "gone", "closed"].includes(consumer.state);

/** @param {State} consumer @param {number} now_us */
export function stateInWords(consumer, now_us) {
  if (isFrozen(consumer, now_us)) return "suspended";
  if (consumer.paused && ["running", "idle"].includes(consumer.state)) return "paused";
  return STATE_WORDS[consumer.state] ?? consumer.state;
}

/**
 * One line under a consumer's name: what it is doing, or why it does nothing.
 * @param {State} consumer
 * @param {number} now_us
 * @param {State} state
 */
export function doingInWords(consumer, now_us, state) {
  if (isFrozen(consumer, now_us)) return "its process is suspended and does not notice";
  const { rebalance, settings } = consumer;
  switch (consumer.state) {
    case "joining":
      return "opens a session with the registry";
    case "rebalancing":
      return shareInWords(rebalance, state) || (STEP_WORDS[rebalance.step] ?? "");
    case "backing_off":
      return `attempt ${rebalance.attempt} was refused: waits, then tries again`;
    case "idle":
      return "no partition left for it";
    case "failed":
      return "no attempt succeeded; waits for the registry to change";
    case "expired":
      return "stopped at once; asks for a new session, then joins again";
    case "closing":
      return "commits, then closes its session";
    case "closed":
      return "stopped cleanly";
    case "crashed":
      return "nobody knows until its session runs out";
    case "gone":
      return "its session ran out";
    default:
      return `${settings.messages_per_second} messages/s · at most ${bytesInWords(settings.fetch_bytes)} a pull`;
  }
}

/** @param {State} rebalance @param {State} state */
function shareInWords(rebalance, state) {
  if (rebalance.step !== "claim") return "";
  if (!rebalance.share.length) return "its share: nothing";
  return `claims ${namesInWords(state, rebalance.share)}`;
}

/** @param {State} state @returns {boolean} whether a partition's number alone does not say which one it is */
export const hasManyTopics = (state) => Object.keys(state.topics).length > 1;

/** @param {State} state @param {State} log with topic and partition @returns {string} p0, or with more than one topic: pageviews p0 */
export const partitionInWords = (state, { topic, partition }) => (hasManyTopics(state) ? `${topic} p${partition}` : `p${partition}`);

/** @param {State} state @param {string[]} names "<topic>-<number>" each @param {string} [between] @returns {string} p0, p1; each topic is named once */
export function namesInWords(state, names, between = ", ") {
  let topic = "";
  return names.map((name) => {
    const [before, number] = [topic, `p${name.slice(name.lastIndexOf("-") + 1)}`];
    topic = name.slice(0, name.lastIndexOf("-"));
    return hasManyTopics(state) && topic !== before ? `${topic} ${number}` : number;
  }).join(between);
}

/** @param {State} state @param {State[]} logs */
export const partitionsInWords = (state, logs) =>
  (logs.length ? `owns ${namesInWords(state, logs.map((log) => `${log.topic}-${log.partition}`), " ")}` : "owns nothing");

/** @param {State} producer */
export function producerInWords(producer) {
  return {
    rate: producer.rate_per_second ? `${producer.rate_per_second} messages/s` : "only on request",
    batch: `${producer.batch_messages} ${producer.batch_messages === 1 ? "message" : "messages"}`,
    linger: `${producer.linger_ms} ms`,
    partitioner: producer.partitioner.replaceAll("_", " "),
    compression: producer.compression,
  };
}
