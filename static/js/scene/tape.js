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
/** The narrowest on a phone, where wider ones come in smaller steps: fewer messages are in view, so that they have words. */
const PHONE_WINDOW_BYTES = 768;
/** The narrowest where two datacenters stand beside each other. */
const NARROW_WINDOW_BYTES = 1_024;
/** The newest messages that must fit. */
const NEWEST_ENTRIES = 4;
const NARROW_NEWEST_ENTRIES = 3;
/** The part of a window that may be full before the tape moves on. */
const FULL = 0.84;

const WINDOWS_A_BASE = 64;

/** Where messages are too many to be followed, a tape shows so many seconds of what is appended. */
const SECONDS_IN_VIEW = 2.5;
/** A cell that is a smaller part of the tape than this cannot be read; a segment needs more, for the name of its file. */
const READABLE_CELL = 1 / 160;
const READABLE_SEGMENT = 1 / 12;

/** @typedef {"wide" | "phone"} Page how much room there is; the server's first picture is that of a wide one */

/** @param {State} state @param {Page} page @returns {number} bytes across each tape */
export function windowBytes(state, page) {
  const [usual, newest] = state.deployment ? [NARROW_WINDOW_BYTES, NARROW_NEWEST_ENTRIES] : [WINDOW_BYTES, NEWEST_ENTRIES];
  const least = page === "phone" ? PHONE_WINDOW_BYTES : usual;
  let needed = 0;
  for (const log of Object.values(state.partitions)) {
    const entries = log.entries.slice(-newest);
    if (entries.length) needed = Math.max(needed, (log.next_offset - entries[0][0]) / FULL);
  }
  let bytes = least;
  while (bytes < needed) bytes = page === "phone" ? nextOnPhone(bytes) : bytes * 2;
  return bytes;
}

/** @param {number} bytes @returns {number} 768, 1,024, 1,536, 2,048 and so on */
const nextOnPhone = (bytes) => (bytes % 3 === 0 ? (bytes / 3) * 4 : (bytes / 2) * 3);

/**
 * The window where messages are too many to be followed: some seconds of the fastest tape. It changes
 * only when that is far off, so that a varying rate does not make the picture jump.
 * @param {number} before the window drawn last @param {number} fastest bytes a second
 * @returns {number}
 */
export function fastWindowBytes(before, fastest) {
  const needed = (fastest * SECONDS_IN_VIEW) / FULL;
  if (before >= needed && before <= 4 * Math.max(needed, WINDOW_BYTES)) return before;
  let bytes = WINDOW_BYTES;
  while (bytes < needed * 1.25) bytes *= 2;
  return bytes;
}

/**
 * @param {number} window_bytes @param {number} bytes_per_second
 * @returns {boolean} whether a tape moves on before it has slid to its place
 */
export function runsOn(window_bytes, bytes_per_second) {
  return bytes_per_second > window_bytes / SECONDS_IN_VIEW;
}

/**
 * A small message beside a very large one is a thin line, but it is there.
 * @param {State} log @param {number} window_bytes @returns {boolean} whether any of its newest messages is wide enough to be told apart
 */
export function cellsReadable(log, window_bytes) {
  const newest = log.entries.slice(-NEWEST_ENTRIES);
  return !newest.length || newest.some((/** @type {number[]} */ [, size]) => size >= window_bytes * READABLE_CELL);
}

/**
 * Segments in view, with one window to spare for a tape that slides; where they are too narrow to be told apart, one
 * piece that names the newest file.
 * @param {State} log @param {number} origin @param {number} window_bytes
 * @returns {Array<{key: string, offset: number, bytes: number, file: string, several: boolean}>}
 */
export function segmentsInView(log, origin, window_bytes) {
  const near = log.segments.filter((/** @type {number[]} */ [base, bytes]) => base + bytes >= origin - window_bytes);
  const [newest] = near.slice(-1);
  const whole = near.slice(0, -1);
  const narrow = whole.length > 2 && whole.every((/** @type {number[]} */ [, bytes]) => bytes < window_bytes * READABLE_SEGMENT);
  if (!narrow) return near.map((/** @type {number[]} */ [base, bytes]) => ({ key: String(base), offset: base, bytes, file: segmentFile(base), several: false }));
  const offset = Math.max(log.first_offset, origin);
  return [{ key: "newest", offset, bytes: log.next_offset - offset, file: segmentFile(newest[0]), several: true }];
}

/**
 * @param {State} log a partition of the state @param {number} window_bytes
 * @returns {number} the offset at the left edge: where a message begins, if it is known and can be told apart
 */
export function originOf(log, window_bytes) {
  const least = log.next_offset - window_bytes * FULL;
  if (least <= log.first_offset) return log.first_offset;
  const known = log.entries.length && log.entries[0][0] <= least;
  if (!known || !cellsReadable(log, window_bytes)) return Math.round(least);
  const entry = log.entries.find((/** @type {number[]} */ [offset]) => offset >= least);
  return entry ? entry[0] : log.next_offset;
}

/**
 * Lengths on a page are limited and offsets are not, so places on a tape are relative to a base offset; the layer has
 * slid by the distance between base and origin.
 * @param {number} origin @param {number} window_bytes
 * @returns {number} an offset that stays the same while the origin goes through many windows
 */
export function baseOf(origin, window_bytes) {
  const stretch = window_bytes * WINDOWS_A_BASE;
  return Math.floor(origin / stretch) * stretch;
}

/**
 * The messages in view; while a tape slides, also those of the window that it leaves.
 * @param {State} log @param {number} origin @param {number} window_bytes
 * @param {number} [from] the origin from which it slides
 * @returns {Array<[number, number, number, string]>} none where they are too narrow to be told apart
 */
export function entriesInView(log, origin, window_bytes, from = origin) {
  if (!cellsReadable(log, window_bytes)) return [];
  const oldest = Math.min(origin, Math.max(from, origin - window_bytes));
  return log.entries.filter((/** @type {number[]} */ [offset, size]) => offset + size > oldest);
}

/** @param {State} log @param {number} origin @returns {string} what is before the left edge, in words; "" if nothing does */
export function earlierOf(log, origin) {
  if (origin <= log.first_offset) return "";
  const known = log.entries.length > 0 && log.entries[0][0] === log.first_offset;
  if (!known) return `+${shortBytes(origin - log.first_offset)}`;
  let messages = 0;
  for (const [offset, , count] of log.entries) if (offset < origin) messages += count;
  return `+${messages.toLocaleString("en-US")}`;
}

/** @param {number} bytes @returns {string} two or three digits: there is little room beside a tape */
function shortBytes(bytes) {
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 9_950 ? `${(bytes / 1_000).toFixed(1)} kB` : `${Math.round(bytes / 1_000).toLocaleString("en-US")} kB`;
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
