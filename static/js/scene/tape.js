// @ts-check
/**
 * Which bytes of the logs are in view. One scale for all partitions: the window is so many bytes wide that the newest
 * messages of each fit; each tape's origin is a message boundary, so far back that the end keeps some room to grow.
 *
 * The server renders the first picture with the same rule (templates/_partials/geometry.html).
 *
 * @typedef {Record<string, any>} State
 * @typedef {{origin: number, earlier: string}} View
 */

/** The narrowest window, in bytes. Wider ones double it. */
export const WINDOW_BYTES = 1_536;
/** The newest messages that must fit. */
const NEWEST_ENTRIES = 4;
/** The part of a window that may be full before the tape moves on. */
const FULL = 0.84;

/** @param {State} state @returns {number} bytes across each tape */
export function windowBytes(state) {
  let needed = 0;
  for (const log of Object.values(state.partitions)) {
    const entries = log.entries.slice(-NEWEST_ENTRIES);
    if (entries.length) needed = Math.max(needed, (log.next_offset - entries[0][0]) / FULL);
  }
  let bytes = WINDOW_BYTES;
  while (bytes < needed) bytes *= 2;
  return bytes;
}

/** @param {State} log a partition of the state @param {number} window_bytes @returns {number} the offset at the left edge */
export function originOf(log, window_bytes) {
  const least = log.next_offset - window_bytes * FULL;
  if (least <= log.first_offset) return log.first_offset;
  const entry = log.entries.find((/** @type {number[]} */ [offset]) => offset >= least);
  return entry ? entry[0] : log.next_offset;
}

/** @param {State} log @param {number} origin @returns {string} what lies before the left edge, in words; "" if nothing does */
export function earlierOf(log, origin) {
  if (origin <= log.first_offset) return "";
  const known = log.entries.length > 0 && log.entries[0][0] === log.first_offset;
  if (!known) return `+${(origin - log.first_offset).toLocaleString("en-US")} B`;
  let messages = 0;
  for (const [offset, , count] of log.entries) if (offset < origin) messages += count;
  return `+${messages.toLocaleString("en-US")}`;
}

/** @param {number} base_offset @returns {string} the name of the segment's file, as 0.7 names it */
export function segmentFile(base_offset) {
  return `${String(base_offset).padStart(20, "0")}.kafka`;
}

/**
 * @param {State} log
 * @param {number} offset
 * @returns {number[]} the offsets a bookmark can be put at: each message's start, and the end
 */
export function boundariesOf(log, offset) {
  const starts = log.entries.map((/** @type {number[]} */ [start]) => start).filter((/** @type {number} */ start) => start < log.flushed_offset);
  return [...new Set([log.first_offset, ...starts, log.flushed_offset, offset])].sort((a, b) => a - b);
}
