// @ts-check
/**
 * The room's past as chapters: each a checkpoint of the journal and what followed, with a state for each instant.
 * A few are kept, those looked at last; any other is asked for again.
 */
import { Folding } from "./folding.js";
import { indexAt } from "./history.js";

/** How many chapters are kept: some minutes of the room's time each. */
const CHAPTERS_KEPT = 12;
/** Of floods fewer, but always the one looked at and its neighbours. In bytes of the journal. */
const BYTES_KEPT = 12_000_000;
const CHAPTERS_LEAST = 3;

/**
 * @typedef {import("./history.js").Instant} Instant
 * @typedef {import("./reduce.js").JournalEvent} JournalEvent
 * @typedef {import("./reduce.js").State} State
 * @typedef {object} ChapterAnswer as `GET /api/rooms/<room>/journal` gives it
 * @property {number} offset of the checkpoint
 * @property {number} next_offset behind the last event of the answer
 * @property {number} end_offset where the next checkpoint stands, or the end of the journal
 * @property {number} at_us the checkpoint's time
 * @property {number} complete_until_us nothing that happened before is missing
 * @property {boolean} is_last
 * @property {number[]} sizes bytes that each event takes in the journal
 * @property {JournalEvent[]} events
 *
 * A place is a moment to show: what is journaled before an offset (Infinity: any offset) at a time. The
 * offset tells apart what was there before and after a reset at the same time.
 * @typedef {{at_us: number, before_offset: number}} Place
 */

export class Chapter {
  /** @param {ChapterAnswer} answer */
  constructor(answer) {
    this.offset = answer.offset;
    this.end_offset = answer.end_offset;
    this.at_us = answer.at_us;
    this.complete_until_us = answer.complete_until_us;
    this.is_last = answer.is_last;
    /** Whether a history begins here (a start, a reset), so that the picture before it was another one. */
    this.is_beginning = answer.events[0].cause !== "periodic";
    this.instants = instantsOf(answer);
  }

  get newest() {
    return this.instants[this.instants.length - 1];
  }

  /** @param {Place} place @returns {boolean} whether everything to show there is in this chapter */
  holds({ at_us, before_offset }) {
    if (at_us < this.at_us || before_offset <= this.offset) return before_offset > this.offset && this.offset === 0;
    return at_us < this.complete_until_us || before_offset <= this.end_offset;
  }

  /** @param {number} at_us @returns {number} the index of the last instant at or before a time; the first if there is none */
  indexAt(at_us) {
    return indexAt(this.instants, at_us);
  }

  /** Fold the state of a time now, so that it can be shown without delay. @param {number} at_us @returns {State} */
  fold(at_us) {
    return this.instants[this.indexAt(at_us)].state;
  }

  /** @param {number} journal_offset @returns {Instant} the one with the event before that offset; the first if it has none */
  instantBefore(journal_offset) {
    return this.instants.find(({ next_offset }) => next_offset >= journal_offset) ?? this.newest;
  }
}

/** An instant whose state is folded when it is looked at. */
class FoldedInstant {
  /** @param {Folding} folding @param {number} number @param {{at_us: number, events: JournalEvent[], next_offset: number}} what */
  constructor(folding, number, { at_us, events, next_offset }) {
    this.folding = folding;
    this.number = number;
    this.at_us = at_us;
    this.events = events;
    this.next_offset = next_offset;
  }

  get state() {
    return this.folding.at(this.number);
  }
}

/** @param {ChapterAnswer} answer @returns {Instant[]} */
function instantsOf({ offset, events: [checkpoint, ...events], sizes: [checkpoint_bytes, ...sizes] }) {
  const folding = new Folding(checkpoint.state);
  /** @param {JournalEvent[]} happened @param {number} at_us @param {number} next_offset */
  const instant = (happened, at_us, next_offset) => new FoldedInstant(folding, folding.add(happened), { at_us, events: happened, next_offset });
  let newest = instant(checkpoint.cause === "periodic" ? [] : [checkpoint], checkpoint.at_us, offset + checkpoint_bytes);
  const instants = [newest];
  events.forEach((event, index) => {
    const next_offset = newest.next_offset + sizes[index];
    if (event.at_us > newest.at_us) {
      newest = instant([event], event.at_us, next_offset);
      instants.push(newest);
    } else {
      newest.events.push(event);
      newest.next_offset = next_offset;
    }
  });
  return instants;
}

export class Chapters {
  /** @param {number} [kept] */
  constructor(kept = CHAPTERS_KEPT) {
    this.kept = kept;
    /** Oldest look first. @type {Map<number, Chapter>} */
    this.by_offset = new Map();
  }

  /** @param {Chapter} chapter a newer reading of the same chapter takes the older one's place */
  put(chapter) {
    this.by_offset.delete(chapter.offset);
    this.by_offset.set(chapter.offset, chapter);
    for (const oldest of this.by_offset.keys()) {
      if (!this.#tooMany()) break;
      this.by_offset.delete(oldest);
    }
  }

  #tooMany() {
    const bytes = [...this.by_offset.values()].reduce((sum, { offset, end_offset }) => sum + end_offset - offset, 0);
    return this.by_offset.size > this.kept || (bytes > BYTES_KEPT && this.by_offset.size > CHAPTERS_LEAST);
  }

  /** @param {Place} place @returns {Chapter | undefined} the chapter that shows it, if it is here */
  find(place) {
    for (const chapter of this.by_offset.values()) if (chapter.holds(place)) return this.#touched(chapter);
    return undefined;
  }

  /** @param {number} end_offset @returns {Chapter | undefined} the chapter that ends there, if it is here */
  endingAt(end_offset) {
    for (const chapter of this.by_offset.values()) if (chapter.end_offset === end_offset) return chapter;
    return undefined;
  }

  /** @param {Chapter} chapter */
  #touched(chapter) {
    this.by_offset.delete(chapter.offset);
    this.by_offset.set(chapter.offset, chapter);
    return chapter;
  }
}
