// @ts-check
/**
 * The newest stretch of the journal as it came over the feed: one state for each instant of virtual time, oldest first.
 * What is live is drawn from here; what is past from chapters (chapters.js), with the same look-up.
 */
import { patched } from "./patch.js";
import { reduce } from "./reduce.js";

/** How many instants are kept; the oldest quarter goes when there are more. The picture is less than a second behind. */
const INSTANTS_KEPT = 2000;

/** And so many flights in all of their states: where very much is in flight, each instant takes much more memory. */
const FLIGHTS_KEPT = 400_000;

/** @param {{state: Record<string, any>}} instant */
const flightsOf = ({ state }) => Object.keys(state.flights).length;

/**
 * @typedef {import("./reduce.js").State} State
 * @typedef {import("./reduce.js").JournalEvent} JournalEvent
 * @typedef {{at_us: number, state: State, events: JournalEvent[], next_offset: number, summary?: boolean}} Instant
 *   `summary`: its state came as a digest, without the flights
 * @typedef {import("../wire/feed.js").Digest} Digest
 */

export class History {
  /** @param {State} state the state the page was rendered from */
  constructor(state) {
    /** @type {Instant[]} */
    this.instants = [{ at_us: state.at_us, state, events: [], next_offset: 0 }];
    /** In the states of all instants together, about. */
    this.flights = 0;
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
   * @param {boolean} fresh the frame is the first after a pull from a checkpoint
   */
  fold(events, next_offset, fresh) {
    events.forEach((event, index) => {
      if (event.event === "checkpoint") {
        if (fresh && index === 0) this.#replace(event, []);
        else if (event.cause !== "periodic") this.#replace(event, [event]);
        return;
      }
      this.#add(event);
    });
    this.newest.next_offset = next_offset;
    this.next_offset = next_offset;
  }

  /**
   * Take in a digest: the state at an offset, and nothing of what happened up to there.
   * @param {Digest} digest
   * @param {number} next_offset where it ends in the journal
   * @param {boolean} fresh the frame is the first after a pull from a checkpoint
   */
  foldDigest({ state: whole, patch = {}, exact = false }, next_offset, fresh) {
    if (fresh) this.generation += 1;
    const newest = this.newest;
    const state = whole ?? patched(newest.state, patch);
    const instant = { at_us: state.at_us, state, events: [], next_offset, summary: !exact };
    if (fresh) this.instants = [instant];
    else if (state.at_us === newest.at_us) this.instants[this.instants.length - 1] = instant;
    else this.#push(instant);
    this.next_offset = next_offset;
  }

  /** @param {JournalEvent} checkpoint @param {JournalEvent[]} events to narrate with it: a reset is news, the start of reading is not */
  #replace(checkpoint, events) {
    this.instants = [{ at_us: checkpoint.at_us, state: checkpoint.state, events, next_offset: this.next_offset }];
    this.generation += 1;
  }

  /** @param {JournalEvent} event */
  #add(event) {
    const newest = this.newest;
    const state = reduce(newest.state, event);
    if (event.at_us === newest.at_us) {
      this.instants[this.instants.length - 1] = { ...newest, state, events: [...newest.events, event], summary: false };
      return;
    }
    this.#push({ at_us: event.at_us, state, events: [event], next_offset: this.next_offset });
  }

  /** @param {Instant} instant */
  #push(instant) {
    this.instants.push(instant);
    this.flights += flightsOf(instant);
    if (this.instants.length > INSTANTS_KEPT || this.flights > FLIGHTS_KEPT) this.#forget();
  }

  /** The oldest quarter goes. */
  #forget() {
    const gone = this.instants.splice(0, Math.ceil(this.instants.length / 4));
    for (const instant of gone) this.flights -= flightsOf(instant);
  }

  /** @param {number} at_us @returns {number} the index of the last instant at or before a time; the oldest if there is none */
  indexAt(at_us) {
    return indexAt(this.instants, at_us);
  }

  /** @param {number} at_us @returns {Instant} */
  at(at_us) {
    return this.instants[this.indexAt(at_us)];
  }
}

/**
 * @param {Instant[]} instants oldest first, at least one
 * @param {number} at_us
 * @returns {number} the index of the last one at or before a time; 0 if there is none
 */
export function indexAt(instants, at_us) {
  let [low, high] = [0, instants.length];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (instants[middle].at_us <= at_us) low = middle;
    else high = middle;
  }
  return low;
}
