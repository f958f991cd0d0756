// @ts-check
/** The live region: one sentence at a time, for the most important event since the last, at a pace that can be read. */
import { LEVEL_SENTENCES } from "../scene/levels.js";
import { sentence } from "../scene/narration.js";
import { flowInWords } from "../scene/summary.js";
import { setText } from "../view/nodes.js";

/** With more instants at once, the sentences are made from the last one's state. */
const INSTANTS_APART = 16;
/** Between two sentences while time runs, so that each can be read (or spoken). */
const PAUSE_MS = 1_400;
/** After a sentence that interrupts, because a person acted. */
const ANNOUNCED_MS = 4_000;
/** At most so many events before a moment are searched for its sentence, also in a flood. */
const EVENTS_RECALLED = 1_200;
/** What follows within this time belongs to the act. */
const SAME_ACT_MS = 600;
/** Between two summaries of flow. */
const SUMMARY_MS = 8_000;
/** At flow only an event of at least this weight is narrated. */
const WORTH_AT_FLOW = 8;
const LEVEL_WEIGHT = 8;

/** @typedef {{level: import("../scene/levels.js").Level, rates: import("../scene/rates.js").Rates | undefined}} Detail */

export class Narrator {
  /** @param {HTMLElement} place @param {import("../scene/narration.js").Sentences} more for events that only some rooms have */
  constructor(place, more) {
    this.place = place;
    this.more = more;
    this.best = { text: "", weight: 0 };
    this.timer = 0;
    /** @type {import("../scene/levels.js").Level} */
    this.level = "messages";
    this.summed_ms = 0;
    this.announced_ms = -SAME_ACT_MS;
    /** The region holds the sentence that the page was rendered with. */
    this.opening = true;
  }

  /** Time runs now, or another moment is shown. */
  endOpening() {
    if (this.opening) this.#write("");
  }

  /** @param {import("./player.js").Passed} passed @param {Detail} detail what is drawn now */
  hear({ instants, hurried, earlier }, { level, rates }) {
    const least = level === "flow" ? WORTH_AT_FLOW : 1;
    if (earlier.length) {
      this.#recall(earlier, least);
      return;
    }
    const last = instants[instants.length - 1];
    for (const instant of instants) {
      // Folding each of a flood's thousand instants for its own state costs too much: the last state is used.
      const one = sentence(instant.events, (instants.length > INSTANTS_APART ? last : instant).state, this.more);
      if (one.weight >= least && (hurried || one.weight >= this.best.weight)) this.best = one;
    }
    this.#hearLevel(level);
    if (rates && instants.length && !this.best.weight && !this.timer) this.#sumUp(rates);
    if (!this.best.weight) return;
    if (hurried && performance.now() - this.announced_ms > SAME_ACT_MS) this.#say();
    else if (!this.timer) {
      this.#say();
      this.timer = window.setTimeout(() => this.#next(), PAUSE_MS);
    }
  }

  /**
   * After a jump to a moment, show the last sentence before it, or nothing; never one that belongs to another moment.
   * @param {import("../state/history.js").Instant[]} earlier @param {number} least weight that is narrated
   */
  #recall(earlier, least) {
    this.best = { text: "", weight: 0 };
    if (performance.now() - this.announced_ms <= SAME_ACT_MS) return;
    window.clearTimeout(this.timer);
    this.timer = 0;
    const { state } = earlier[earlier.length - 1]; // folded already; folding each instant's own would delay the picture
    let heard = 0;
    for (let index = earlier.length - 1; index >= 0 && heard < EVENTS_RECALLED; index -= 1) {
      const { events } = earlier[index];
      const { weight, text } = sentence(events, state, this.more);
      if (weight >= least) return this.#write(text);
      heard += events.length;
    }
    this.#write("");
  }

  /** @param {import("../scene/levels.js").Level} level */
  #hearLevel(level) {
    if (level === this.level) return;
    this.level = level;
    this.summed_ms = performance.now() - SUMMARY_MS + 2 * PAUSE_MS;
    if (this.best.weight <= LEVEL_WEIGHT) this.best = { text: LEVEL_SENTENCES[level], weight: LEVEL_WEIGHT };
  }

  /** @param {import("../scene/rates.js").Rates} rates */
  #sumUp(rates) {
    if (performance.now() - this.summed_ms < SUMMARY_MS) return;
    this.summed_ms = performance.now();
    this.best = { text: flowInWords(rates), weight: 1 };
  }

  #next() {
    this.timer = 0;
    if (!this.best.weight) return;
    this.#say();
    this.timer = window.setTimeout(() => this.#next(), PAUSE_MS);
  }

  /**
   * Show at once what a person's own act did to the page, and leave time to read it: other sentences, those about the
   * act's effects included, wait until the next step by hand.
   * @param {string} text
   */
  announce(text) {
    window.clearTimeout(this.timer);
    this.#write(text);
    this.announced_ms = performance.now();
    this.timer = window.setTimeout(() => this.#next(), ANNOUNCED_MS);
  }

  /** @param {string} text */
  #write(text) {
    this.opening = false;
    setText(this.place, text);
  }

  #say() {
    this.#write(this.best.text);
    this.best = { text: "", weight: 0 };
  }
}
