// @ts-check
/**
 * The progress of the groups at successive moments, from which charts are drawn. Samples are taken from instants of the
 * feed and of past chapters, and are few enough to keep for as long as a page is open: a chart shows no more points
 * than it has pixels.
 *
 * @typedef {Record<string, any>} State
 * @typedef {{at_us: number, state: State}} Instant
 *
 * @typedef {object} GroupSample
 * @property {number} bytes of its lag
 * @property {number} messages of its lag
 * @property {number} waiting_since_us when the oldest message was appended that it has not committed; Infinity if there is none
 * @property {number} pulled_bytes since the beginning, as the three below
 * @property {number} pulled_messages
 * @property {number} consumed_bytes
 * @property {number} consumed_messages
 *
 * @typedef {object} Sample
 * @property {number} at_us
 * @property {number} appended_bytes since the beginning
 * @property {number} appended_messages
 * @property {Record<string, GroupSample>} groups
 */
/** Of several instants in so short a time the last is kept. */
const APART_US = 250_000;
/** With more samples than this, every second one of the older half goes. */
const SAMPLES_KEPT = 2_400;

/** @param {State} state @param {string} group @param {string} [log] one partition only @returns {{bytes: number, messages: number, waiting_since_us: number}} */
export function lagIn(state, group, log) {
  const lag = { bytes: 0, messages: 0, waiting_since_us: Infinity };
  for (const [key, { next_offset, messages }] of Object.entries(state.partitions)) {
    const bookmark = state.bookmarks[`${group}/${key}`];
    if (!bookmark || (log && log !== key) || bookmark.offset >= next_offset) continue;
    lag.bytes += next_offset - bookmark.offset;
    lag.messages += messages - bookmark.messages_before;
    lag.waiting_since_us = Math.min(lag.waiting_since_us, bookmark.waiting_since_us);
  }
  return lag;
}

/** @param {Instant} instant @returns {Sample} */
export function sampleOf({ at_us, state }) {
  const logs = Object.values(state.partitions);
  /** @type {Record<string, GroupSample>} */
  const groups = {};
  for (const [group, { pulled_bytes, pulled_messages, consumed_bytes, consumed_messages }] of Object.entries(state.groups)) {
    groups[group] = { ...lagIn(state, group), pulled_bytes, pulled_messages, consumed_bytes, consumed_messages };
  }
  return {
    at_us, groups,
    appended_bytes: logs.reduce((sum, log) => sum + log.next_offset, 0),
    appended_messages: logs.reduce((sum, log) => sum + log.messages, 0),
  };
}

export class Samples {
  constructor() {
    /** Oldest first. @type {Sample[]} */
    this.kept = [];
    /** The newest instant that was looked at of each list of instants. @type {WeakMap<Instant[], number>} */
    this.seen = new WeakMap();
  }

  /**
   * @param {Instant[]} instants oldest first; one that was looked at before costs nothing
   * @param {number} [until_us] later instants are left out
   */
  take(instants, until_us = Infinity) {
    const seen_us = this.seen.get(instants) ?? -Infinity;
    const from = seen_us === -Infinity ? 0 : indexAt(instants, seen_us);
    let index = from;
    for (; index < instants.length && instants[index].at_us <= until_us; index += 1) {
      const next = instants[index + 1];
      if (!next || slot(next.at_us) !== slot(instants[index].at_us)) this.#put(instants[index]);
    }
    if (index > from) this.seen.set(instants, instants[index - 1].at_us);
    if (this.kept.length > SAMPLES_KEPT) this.#thin();
  }

  /** @param {Instant} instant */
  #put(instant) {
    const { kept } = this;
    const index = kept.length && instant.at_us >= kept[0].at_us ? indexAt(kept, instant.at_us) + 1 : 0;
    const before = kept[index - 1];
    const after = kept[index];
    if (after && slot(after.at_us) === slot(instant.at_us)) return;
    if (before && slot(before.at_us) === slot(instant.at_us)) kept[index - 1] = sampleOf(instant);
    else kept.splice(index, 0, sampleOf(instant));
  }

  #thin() {
    const half = this.kept.length >> 1;
    this.kept = this.kept.filter((_sample, index) => index >= half || index % 2 === 0);
  }

  get oldest_us() {
    return this.kept[0]?.at_us ?? 0;
  }

  get newest_us() {
    return this.kept[this.kept.length - 1]?.at_us ?? 0;
  }

  /** @param {number} at_us @returns {Sample | undefined} the newest one at or before a time */
  at(at_us) {
    if (!this.kept.length || at_us < this.kept[0].at_us) return undefined;
    return this.kept[indexAt(this.kept, at_us)];
  }
}

/** @param {number} at_us */
const slot = (at_us) => Math.floor(at_us / APART_US);

/** @param {Array<{at_us: number}>} list oldest first, at least one @param {number} at_us @returns {number} of the last at or before it; 0 if there is none */
function indexAt(list, at_us) {
  let [low, high] = [0, list.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (list[middle].at_us <= at_us) low = middle;
    else high = middle;
  }
  return low;
}
