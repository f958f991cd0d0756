// @ts-check
/**
 * The marks of the room's whole time: the notable moments of the journal, as listed by the server, and look-ups among
 * them. Every name and count comes from the journal.
 *
 * @typedef {object} Mark one event, or several of the same kind about the same subject close together
 * @property {string} kind an event's name, or `start`, `reset`, `fork`: the beginning of a history
 * @property {string} subject
 * @property {number} offset of the first event in the journal
 * @property {number} at_us of the first event
 * @property {number} last_offset
 * @property {number} last_at_us
 * @property {number} count
 */

/** The server keeps two thirds of this. */
const LISTED_AT_MOST = 3_000;
const BEGINNINGS = new Set(["start", "reset", "fork"]);

export class Marks {
  constructor() {
    /** Oldest first. @type {Mark[]} */
    this.list = [];
    /** Everything notable below this journal offset is listed. */
    this.next_offset = 0;
    /** Names of events that make a mark. @type {Set<string>} */
    this.kinds = new Set();
  }

  /**
   * Take in the server's answer: new marks, and marks that have grown.
   * @param {{kinds: string[], moments: Mark[], end_offset: number}} answer
   */
  take({ kinds, moments, end_offset }) {
    this.kinds = new Set(kinds);
    const by_offset = new Map(this.list.concat(moments).map((mark) => [mark.offset, mark]));
    this.list = [...by_offset.values()].sort((one, other) => one.offset - other.offset);
    this.next_offset = end_offset;
  }

  /** The journal offset to ask from; 0 again once the list has grown long, since the server thins out its own. */
  begin() {
    if (this.list.length > LISTED_AT_MOST) Object.assign(this, { list: [], next_offset: 0 });
    return this.next_offset;
  }

  /** @param {{event: string, cause?: string}} event @returns {boolean} whether the server will have a mark for it */
  isNotable({ event, cause = "" }) {
    return event === "checkpoint" ? BEGINNINGS.has(cause) : this.kinds.has(event);
  }

  /** @param {import("./chapters.js").Place} place @returns {number | undefined} when the history began that is shown there */
  beginning({ at_us, before_offset }) {
    return this.#last((mark) => BEGINNINGS.has(mark.kind) && mark.at_us <= at_us && mark.offset < before_offset)?.at_us;
  }

  /** @param {number} at_us @returns {Mark | undefined} */
  before(at_us) {
    return this.#last((mark) => mark.at_us < at_us);
  }

  /** @param {number} at_us @returns {Mark | undefined} */
  after(at_us) {
    return this.list.find((mark) => mark.at_us > at_us);
  }

  /**
   * @param {number} at_us @param {number} reach_us how far to either side
   * @returns {Mark | undefined} the nearest; of equals the latest
   */
  near(at_us, reach_us) {
    let nearest;
    for (const mark of this.list) {
      const away_us = Math.abs(mark.at_us - at_us);
      if (away_us <= reach_us && (!nearest || away_us <= Math.abs(nearest.at_us - at_us))) nearest = mark;
    }
    return nearest;
  }

  /**
   * One mark for each of so many equal stretches, the weightiest, so that the bar never has more than it has room for.
   * @param {number} from_us @param {number} to_us @param {number} stretches @param {(mark: Mark) => number} weight
   * @returns {Mark[]} oldest first
   */
  spread(from_us, to_us, stretches, weight) {
    /** @type {Map<number, Mark>} */
    const chosen = new Map();
    for (const mark of this.list) {
      if (mark.at_us < from_us || mark.at_us > to_us) continue;
      const stretch = Math.floor(((mark.at_us - from_us) / Math.max(1, to_us - from_us)) * stretches);
      const rival = chosen.get(stretch);
      if (!rival || weight(mark) > weight(rival)) chosen.set(stretch, mark);
    }
    return [...chosen.values()];
  }

  /** @param {(mark: Mark) => boolean} suits @returns {Mark | undefined} */
  #last(suits) {
    for (let index = this.list.length - 1; index >= 0; index -= 1) if (suits(this.list[index])) return this.list[index];
    return undefined;
  }
}
