// @ts-check
/**
 * The stage as a picture: given a state, a time and a clock it makes the page show them. It decides nothing; what is
 * where comes from scene, and what is said from words.
 */
import { marks } from "../scene/flights.js";
import { linkBetween } from "../scene/troubles.js";
import { looksOf } from "../scene/looks.js";
import { ribbons } from "../scene/ribbons.js";
import { originOf, windowBytes } from "../scene/tape.js";
import { measure } from "./anchors.js";
import { paintBrokers } from "./brokers.js";
import { paintFacts } from "./facts.js";
import { paintFlights } from "./flights.js";
import { paintGroups } from "./groups.js";
import { paintMoments } from "./moments.js";
import { part, setProperty } from "./nodes.js";
import { paintRibbons } from "./ribbons.js";

/** @typedef {Record<string, any>} State @typedef {import("../scene/losses.js").Loss} Loss */

export class StageView {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.stage = stage;
    this.panels = stage.dataset.panels ?? "";
    this.board = part(stage, "board");
    this.layout_changed = true;
    /** @type {import("../scene/looks.js").Looks} */
    this.looks = new Map();
    /** @type {State | undefined} */
    this.painted = undefined;
    new ResizeObserver(() => (this.layout_changed = true)).observe(this.board);
  }

  /** @param {State} state @param {number} now_us @param {{steps: boolean, losses: Loss[]}} how `steps`: without motion */
  paint(state, now_us, { steps, losses }) {
    if (state !== this.painted) this.#paintState(state);
    if (this.layout_changed) this.#lay(state);
    paintMoments(this.stage, state, now_us);
    const { anchors, ribbons: drawn, window_bytes, origins } = /** @type {any} */ (this);
    const flying = marks({ state, now_us, anchors, ribbons: drawn, window_bytes, origins, steps, losses });
    paintFlights(part(this.stage, "flights"), flying, (group) => Object.keys(state.groups).indexOf(group));
  }

  /** @param {State} state */
  #paintState(state) {
    this.window_bytes = windowBytes(state);
    this.origins = new Map(Object.entries(state.partitions).map(([key, log]) => [key, originOf(log, this.window_bytes ?? 0)]));
    setProperty(this.stage, "--window", this.window_bytes);
    this.looks = looksOf(state, this.looks);
    const painting = { state, window_bytes: this.window_bytes, panels: this.panels, looks: this.looks };
    paintFacts(this.stage, state);
    paintBrokers(part(this.stage, "brokers"), painting);
    paintGroups(part(this.stage, "groups"), painting);
    if (movesBoxes(this.painted, state)) this.layout_changed = true;
    this.painted = state;
  }

  /** @param {State} state */
  #lay(state) {
    this.layout_changed = false;
    this.anchors = measure(this.board);
    this.ribbons = ribbons(state, this.anchors);
    const overlay = /** @type {SVGElement} */ (/** @type {unknown} */ (part(this.stage, "ribbons")));
    paintRibbons(overlay, this.ribbons, ({ group, consumer, log }) => ({
      group: Object.keys(state.groups).indexOf(group), consumer: this.looks.get(`${group}/${consumer}`) ?? 0,
      link: linkBetween(state, `consumer:${group}/${consumer}`, `broker:${state.partitions[log].broker}`),
    }));
  }
}

/** @param {State | undefined} before @param {State} after @returns {boolean} whether boxes or ribbons may stand elsewhere */
function movesBoxes(before, after) {
  return (
    !before || before.groups !== after.groups || before.registry !== after.registry || before.consumers !== after.consumers ||
    before.brokers !== after.brokers || before.links !== after.links || Object.keys(before.partitions).length !== Object.keys(after.partitions).length
  );
}
