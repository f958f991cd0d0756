// @ts-check
/**
 * The states of a part of the journal, each folded when it is asked for. In a flood there are thousands of instants
 * with thousands of messages in flight in each: making all those states takes seconds, and most are never shown.
 */
import { inOneGo } from "./persistent.js";
import { reduce } from "./reduce.js";

/** One state in so many is kept once it was folded, so that few events lead to any other. */
const APART = 256;
/** How many of the states asked for last are kept: the drawn one, and those it is compared with. */
const RECENT = 32;

/**
 * @typedef {import("./reduce.js").State} State
 * @typedef {import("./reduce.js").JournalEvent} JournalEvent
 */

export class Folding {
  /** @param {State} state before the first number, 0 */
  constructor(state) {
    /** What is to be folded at each number. @type {JournalEvent[][]} */
    this.steps = [];
    /** By number. @type {Map<number, State>} */
    this.kept = new Map([[-1, state]]);
    /** By number, asked for longest ago first. @type {Map<number, State>} */
    this.recent = new Map();
  }

  /** @param {JournalEvent[]} events to be folded onto the state before; more may come into the list until it is asked for @returns {number} of the new state */
  add(events) {
    return this.steps.push(events) - 1;
  }

  /** @param {number} number @returns {State} the same object as long as it is looked at again and again */
  at(number) {
    const kept = this.kept.get(number);
    if (kept) return kept;
    const state = this.recent.get(number) ?? this.#folded(number);
    this.recent.delete(number);
    this.recent.set(number, state);
    const [oldest] = this.recent.keys();
    if (this.recent.size > RECENT) this.recent.delete(oldest);
    return state;
  }

  /** @param {number} number @returns {State} */
  #folded(number) {
    let from = number - 1;
    while (!this.kept.has(from) && !this.recent.has(from)) from -= 1;
    let state = /** @type {State} */ (this.kept.get(from) ?? this.recent.get(from));
    while (from < number) {
      const to = Math.min(number, from - (from % APART) + APART);
      const begin = state;
      const events = this.steps.slice(from + 1, to + 1).flat();
      state = inOneGo(() => events.reduce(reduce, begin));
      if (to % APART === 0) this.kept.set(to, state);
      from = to;
    }
    return state;
  }
}
