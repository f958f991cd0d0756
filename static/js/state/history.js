// @ts-check
/**
 * What this browser has read of the journal: one state for each instant of virtual time, oldest first. Being live,
 * stepping back and scrubbing are the same look-up with another time.
 */
import { reduce } from "./reduce.js";

/** How many instants are kept; the oldest quarter goes when there are more. */
const INSTANTS_KEPT = 6000;

/**
 * @typedef {import("./reduce.js").State} State
 * @typedef {import("./reduce.js").JournalEvent} JournalEvent
 * @typedef {{at_us: number, state: State, events: JournalEvent[], next_offset: number}} Instant
 */

export class History {
  /** @param {State} state the state the page was rendered from */
  constructor(state) {
    /** @type {Instant[]} */
    this.instants = [{ at_us: state.at_us, state, events: [], next_offset: 0 }];
    /** Counts the times that everything known was replaced (a reset, a new reading from a checkpoint). */
    this.generation = 0;
    /** Everything below this journal offset is folded. */
    this.next_offset = 0;
  }

  get newest() {
    return this.instants[this.instants.length - 1];
  }

  get oldest() {
    return this.instants[0];
  }

  /**
   * Fold one frame of the feed.
   * @param {JournalEvent[]} events
   * @param {number} next_offset where the frame ends in the journal
   * @param {boolean} anew the frame is the first after a pull from a checkpoint
   */
  fold(events, next_offset, anew) {
    events.forEach((event, index) => {
      if (event.event === "checkpoint") {
        if ((anew && index === 0) || event.cause !== "periodic") this.#replace(event);
        return;
      }
      this.#add(event);
    });
    this.newest.next_offset = next_offset;
    this.next_offset = next_offset;
  }

  /** @param {JournalEvent} checkpoint */
  #replace(checkpoint) {
    this.instants = [{ at_us: checkpoint.at_us, state: checkpoint.state, events: [], next_offset: this.next_offset }];
    this.generation += 1;
  }

  /** @param {JournalEvent} event */
  #add(event) {
    const newest = this.newest;
    const state = reduce(newest.state, event);
    if (event.at_us === newest.at_us) {
      this.instants[this.instants.length - 1] = { ...newest, state, events: [...newest.events, event] };
      return;
    }
    this.instants.push({ at_us: event.at_us, state, events: [event], next_offset: this.next_offset });
    if (this.instants.length > INSTANTS_KEPT) this.instants.splice(0, INSTANTS_KEPT / 4);
  }

  /**
   * @param {number} at_us
   * @returns {number} the index of the last instant at or before a time; the oldest if there is none
   */
  indexAt(at_us) {
    let [low, high] = [0, this.instants.length];
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.instants[middle].at_us <= at_us) low = middle;
      else high = middle;
    }
    return low;
  }

  /** @param {number} at_us @returns {Instant} */
  at(at_us) {
    return this.instants[this.indexAt(at_us)];
  }
}
