// @ts-check
/**
 * Rates: the difference of two states over the virtual time between them, and nothing else. What
 * went backwards meanwhile (a bookmark that was moved, a log that was cut) has no rate.
 */
import { indexAt } from "../state/history.js";
import { lagIn } from "../state/samples.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("../state/history.js").Instant} Instant
 * @typedef {object} Rates a second of virtual time
 * @property {number} messages appended, of all topics
 * @property {number} bytes appended, of all partitions
 * @property {Map<string, {bytes: number, messages: number}>} appended by "<topic>-<partition>"
 * @property {Map<string, number>} pulled bytes, by "<group>/<topic>-<partition>"
 * @property {Map<string, number>} behind by group: bytes that its lag grows by
 */

const SECOND_US = 1_000_000;
/** The spans of the averages: appends are even; a consumer pulls in intervals, so its rate needs a longer span. */
const APPENDED_OVER_US = 2 * SECOND_US;
const PULLED_OVER_US = 8 * SECOND_US;

/**
 * @param {Instant[]} instants oldest first, no reset among them
 * @param {number} index of the one drawn
 * @returns {Rates}
 */
export function ratesAt(instants, index) {
  const after = instants[index].state;
  const recent = earlierOf(instants, index, APPENDED_OVER_US).state;
  const before = earlierOf(instants, index, PULLED_OVER_US).state;
  return { ...appendedBetween(recent, after), ...pulledBetween(before, after) };
}

/**
 * @param {Instant[]} instants @param {number} index @param {number} over_us
 * @returns {Instant} the newest one that is so much earlier; the oldest if there is none
 */
function earlierOf(instants, index, over_us) {
  const found = instants[indexAt(instants, instants[index].at_us - over_us)];
  return found === instants[index] && index > 0 ? instants[index - 1] : found;
}

/**
 * @param {State} before @param {State} after
 * @returns {(from: number, to: number) => number} change a second; 0 where nothing grew
 */
function rateBetween(before, after) {
  const seconds = (after.at_us - before.at_us) / SECOND_US;
  return (from, to) => (seconds > 0 ? Math.max(0, to - from) / seconds : 0);
}

/** @param {State} before @param {State} after @returns {Pick<Rates, "messages" | "bytes" | "appended">} */
function appendedBetween(before, after) {
  const rate = rateBetween(before, after);
  const appended = new Map(
    Object.entries(after.partitions).map(([log, { next_offset, messages }]) => {
      const old = before.partitions[log] ?? { next_offset, messages };
      return [log, { bytes: rate(old.next_offset, next_offset), messages: rate(old.messages, messages) }];
    }),
  );
  let [messages, bytes] = [0, 0];
  for (const one of appended.values()) {
    messages += one.messages;
    bytes += one.bytes;
  }
  return { messages, bytes, appended };
}

/** @param {State} before @param {State} after @returns {Pick<Rates, "pulled" | "behind">} */
function pulledBetween(before, after) {
  const rate = rateBetween(before, after);
  const pulled = new Map(
    Object.entries(after.positions).map(([key, { consumer, fetch_offset }]) => {
      const old = before.positions[key];
      return [key, old?.consumer === consumer ? rate(old.fetch_offset, fetch_offset) : 0];
    }),
  );
  const behind = new Map(
    Object.keys(after.groups).map((group) => {
      const [was, is] = [lagIn(before, group).bytes, lagIn(after, group).bytes];
      return [group, rate(was, is) - rate(is, was)];
    }),
  );
  return { pulled, behind };
}
