// @ts-check
/** The live region: one sentence at a time, the weightiest of what happened since the last, and not too many. */
import { sentence } from "../scene/narration.js";
import { setText } from "../view/nodes.js";

/** Between two sentences while time runs, so that each can be read (or spoken). */
const PAUSE_MS = 1_400;

export class Narrator {
  /** @param {HTMLElement} place */
  constructor(place) {
    this.place = place;
    this.best = { text: "", weight: 0 };
    this.timer = 0;
  }

  /** @param {import("./player.js").Passed} passed */
  hear({ instants, hurried }) {
    for (const { events, state } of instants) {
      const one = sentence(events, state);
      if (one.weight && (hurried || one.weight >= this.best.weight)) this.best = one;
    }
    if (!this.best.weight) return;
    if (hurried) this.#say();
    else if (!this.timer) {
      this.#say();
      this.timer = window.setTimeout(() => this.#next(), PAUSE_MS);
    }
  }

  #next() {
    this.timer = 0;
    if (!this.best.weight) return;
    this.#say();
    this.timer = window.setTimeout(() => this.#next(), PAUSE_MS);
  }

  #say() {
    setText(this.place, this.best.text);
    this.best = { text: "", weight: 0 };
  }
}
