// @ts-check
/**
 * The stage as a picture: makes the page show a given state, time and clock. It decides nothing: places come from
 * scene, and text from words.
 */
import { marks } from "../scene/flights.js";
import { densityOf } from "../scene/density.js";
import { levelOf, loadOf } from "../scene/levels.js";
import { linkBetween } from "../scene/troubles.js";
import { looksOf } from "../scene/looks.js";
import { LIVE } from "../scene/ownership.js";
import { ribbons } from "../scene/ribbons.js";
import { fastWindowBytes, originOf, windowBytes } from "../scene/tape.js";
import { hasManyTopics } from "../scene/words.js";
import { measure } from "./anchors.js";
import { BITES, isForTapes, paintBrokers } from "./brokers.js";
import { paintFacts } from "./facts.js";
import { paintFlights } from "./flights.js";
import { paintGroups } from "./groups.js";
import { paintLevel } from "./level.js";
import { paintMoments } from "./moments.js";
import { part, setAttribute, setProperty } from "./nodes.js";
import { paintRegistry } from "./registry.js";
import { paintRibbons } from "./ribbons.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("../scene/losses.js").Loss} Loss
 * @typedef {object} How
 * @property {boolean} steps without motion
 * @property {Loss[]} losses
 * @property {() => import("../scene/rates.js").Rates} rates the rates of the picture
 * @property {boolean} moves whether time runs and is followed
 * @property {boolean} whole whether all of it is waited for
 * @property {boolean} summary the state leaves out the flights
 */

/** Besides the bites for tapes (brokers.js): the bite with the registry, and one left free for other work. */
const REGISTRY_BITE = 2;
const IDLE_BITE = 4;

/** What is measured, and what stands above it. */
const BOXES = "[data-address], .group, .consumer, .broker, .partition, .owner";

/** Where static/css/layout.css puts everything below each other. */
const PHONE = "(max-width: 760px)";

/**
 * A layer that most rooms never need: it is loaded when there is something to draw on it.
 * @template Layer
 * @typedef {{here: Layer | undefined, ask: (act: (layer: Layer) => void) => Promise<void>}} Coming
 */

/**
 * @typedef {object} Layers
 * @property {(stage: HTMLElement, painting: import("./brokers.js").Painting) => void} paintDeployment
 * @property {Coming<typeof import("./broken_links.js")>} broken_links
 * @property {Coming<import("./crowd.js").Crowd>} crowd
 * @property {Coming<typeof import("./flow.js") & typeof import("../scene/flow.js")>} flow
 */

export class StageView {
  /** @param {HTMLElement} stage @param {Layers} layers @param {() => void} wake called when something has another size */
  constructor(stage, layers, wake) {
    this.stage = stage;
    this.layers = layers;
    this.panels = stage.dataset.panels ?? "";
    this.board = part(stage, "board");
    this.layout_changed = true;
    this.flow = /** @type {SVGElement} */ (/** @type {unknown} */ (part(stage, "flow")));
    this.window_bytes = 0;
    /** Whether so many marks move that nobody can follow each. */
    this.is_crowded = false;
    this.crowd_asked = false;
    /** @type {import("../scene/levels.js").Level} */
    this.level = "messages";
    /** At flow alone. @type {import("../scene/rates.js").Rates | undefined} */
    this.rates = undefined;
    /** @type {import("../scene/looks.js").Looks} */
    this.looks = new Map();
    /** @type {State | undefined} */
    this.painted = undefined;
    /** What is painted in bites, and has not had the last. @type {import("./brokers.js").Painting | undefined} */
    this.unfinished = undefined;
    /** Wrapped text, and other changes that no state shows, change a box's size and the places below it. */
    this.resizes = new ResizeObserver(() => {
      this.layout_changed = true;
      wake();
    });
    this.resizes.observe(this.board);
    /** @type {WeakSet<Element>} */
    this.watched = new WeakSet();
    this.phone = window.matchMedia(PHONE);
    this.phone.addEventListener("change", () => (this.painted = undefined)); // its tapes show fewer bytes
  }

  /**
   * Bring the nodes up to a state and lay them out, before it is shown and outside of a frame if there is time.
   * @param {State} state @param {Pick<How, "rates" | "summary"> & {whole?: boolean}} how
   */
  prepare(state, { rates, summary, whole = true }) {
    const in_bites = (this.is_crowded || this.flows) && !whole;
    if (state !== this.painted) this.#paintState(state, { rates, summary, bite: in_bites ? 0 : undefined });
    else if (this.unfinished) this.#paintBite({ ...this.unfinished, bite: in_bites ? (this.unfinished.bite ?? 0) + 1 : undefined });
    if (this.layout_changed) this.#lay(state);
  }

  /** @param {State} state @param {number} now_us @param {How} how */
  paint(state, now_us, { steps, losses, rates, summary, moves, whole }) {
    const motion_alone = state === this.painted && Boolean(this.unfinished) && !whole;
    this.prepare(state, { rates, summary, whole });
    if (!motion_alone) paintMoments(this.stage, state, now_us, this.rates);
    const { anchors, ribbons: drawn, window_bytes, origins, level } = /** @type {any} */ (this);
    if (this.rates) this.#moveGrains(steps ? 0 : now_us);
    const flying = this.flows ? [] : marks({ state, now_us, anchors, ribbons: drawn, window_bytes, origins, steps, losses, level });
    this.#paintFlights(flying, state, moves);
  }

  /** @param {import("../scene/flights.js").Mark[]} flying @param {State} state @param {boolean} moves */
  #paintFlights(flying, state, moves) {
    const { crowd } = this.layers;
    const { beingDrawn, onPaper } = this.stage.dataset;
    const groups = Object.keys(state.groups);
    const how = { moves, crowd: crowd.here, as_nodes: beingDrawn !== undefined || onPaper === "true", indexOf: (/** @type {string} */ group) => groups.indexOf(group) };
    this.is_crowded = paintFlights(part(this.stage, "flights"), flying, how);
    if (this.is_crowded && !this.crowd_asked) {
      this.crowd_asked = true;
      crowd.ask(() => undefined).catch(() => undefined); // nodes show them too
    }
  }

  /** Whether the picture moves although no single flight is drawn. */
  get flows() {
    return this.level === "flow";
  }

  /** @param {State} state @param {Pick<How, "rates" | "summary"> & {bite?: number}} how */
  #paintState(state, how) {
    this.level = levelOf(this.level, loadOf(state), how.summary);
    const rates = how.rates();
    this.rates = this.flows ? rates : undefined;
    this.window_bytes = this.#window(state, rates);
    this.origins = new Map(Object.entries(state.partitions).map(([key, log]) => [key, originOf(log, this.window_bytes)]));
    this.looks = looksOf(state, this.looks);
    const denser = paintDensity(this.board, state);
    const moves = movesBoxes(this.painted, state);
    if (moves) this.layout_changed = true;
    const bite = denser || moves ? undefined : how.bite; // what is measured next is there at once
    const painting = { state, window_bytes: this.window_bytes, panels: this.panels, looks: this.looks, rates, bite };
    paintFacts(this.stage, state);
    paintLevel(this.stage, this.level, this.rates);
    this.#paintBite(painting);
    paintGroups(part(this.stage, "groups"), painting, LIVE);
    this.painted = state;
    this.#paintBands();
  }

  /** Brokers with a share of their tapes, and between them the registry; all of it without a bite. @param {import("./brokers.js").Painting} painting */
  #paintBite(painting) {
    const { state, bite } = painting;
    if (bite === undefined || bite === REGISTRY_BITE) paintRegistry(part(this.stage, "registry-tree"), state);
    if (bite === undefined || isForTapes(bite)) {
      paintBrokers(part(this.stage, "brokers"), painting, LIVE);
      if (state.deployment) this.layers.paintDeployment(this.stage, painting);
    }
    this.unfinished = bite === undefined || bite === BITES - 1 ? undefined : painting;
  }

  /** Whether this frame has had its share of work, and the next one has less to do. */
  get is_busy() {
    return this.unfinished !== undefined && this.unfinished.bite !== IDLE_BITE;
  }

  /** @param {State} state @param {import("../scene/rates.js").Rates} rates @returns {number} bytes across each tape */
  #window(state, rates) {
    const bytes = windowBytes(state, this.phone.matches ? "phone" : "wide");
    if (this.level === "messages") return bytes;
    const fastest = Math.max(0, ...[...rates.appended.values()].map((rate) => rate.bytes));
    return Math.max(bytes, fastWindowBytes(this.window_bytes, fastest));
  }

  #watchBoxes() {
    for (const box of this.board.querySelectorAll(BOXES)) {
      if (this.watched.has(box)) continue;
      this.watched.add(box);
      this.resizes.observe(box);
    }
  }

  #paintBands() {
    const { flow } = this.layers;
    if (!this.rates && !flow.here) return;
    flow.ask(({ bands, paintBands }) => {
      const { painted, rates, anchors, ribbons: drawn } = this;
      const wanted = painted && rates && anchors && drawn ? bands(painted, rates, anchors, drawn) : [];
      paintBands(this.flow, wanted, ({ group, consumer }) => ({
        group: Object.keys(painted?.groups ?? {}).indexOf(group), consumer: this.looks.get(`${group}/${consumer}`) ?? -1,
      }));
    });
  }

  /** @param {number} now_us */
  #moveGrains(now_us) {
    const { here } = this.layers.flow;
    here?.moveGrains(this.flow, here.grainOffset(now_us));
  }

  #paintBrokenLinks() {
    const { broken_links } = this.layers;
    if (!broken_links.here && !Object.keys(this.painted?.links ?? {}).length) return;
    broken_links.ask(({ paintBrokenLinks }) => {
      if (this.painted && this.anchors) paintBrokenLinks(this.stage, this.painted, this.anchors);
    });
  }

  /** @param {State} state */
  #lay(state) {
    this.layout_changed = false;
    this.anchors = measure(this.board);
    this.#watchBoxes();
    this.layers.crowd.here?.measure();
    this.ribbons = ribbons(state, this.anchors);
    this.#paintBrokenLinks();
    const overlay = /** @type {SVGElement} */ (/** @type {unknown} */ (part(this.stage, "ribbons")));
    paintRibbons(overlay, this.ribbons, ({ group, consumer, log }) => ({
      group: Object.keys(state.groups).indexOf(group), consumer: this.looks.get(`${group}/${consumer}`) ?? 0,
      link: linkBetween(state, `consumer:${group}/${consumer}`, `broker:${state.partitions[log].broker}`),
    }));
    this.#paintBands();
  }
}

/** @param {HTMLElement} board @param {State} state @returns {boolean} whether there are more rows or tapes, or fewer */
function paintDensity(board, state) {
  const { brokers, tapes, rows } = densityOf(state);
  const changes = board.style.getPropertyValue("--tapes") !== String(tapes) || board.style.getPropertyValue("--all-rows") !== String(rows);
  setAttribute(board, "data-topics", hasManyTopics(state) ? "many" : "one");
  setProperty(board, "--brokers", brokers);
  setProperty(board, "--tapes", tapes);
  setProperty(board, "--all-rows", rows);
  return changes;
}

/** @param {State | undefined} before @param {State} after @returns {boolean} whether boxes or ribbons may stand elsewhere */
function movesBoxes(before, after) {
  return (
    !before || before.consumers !== after.consumers || before.brokers !== after.brokers || before.links !== after.links ||
    Object.keys(before.partitions).length !== Object.keys(after.partitions).length ||
    hasOtherReaders(before.groups, after.groups) || hasOtherOwners(before.registry, after.registry)
  );
}

/** @param {State} before @param {State} after groups, which count what they have consumed, too */
function hasOtherReaders(before, after) {
  if (before === after) return false;
  const names = Object.keys(after);
  return names.length !== Object.keys(before).length || names.some((name) => before[name]?.consumers !== after[name].consumers || before[name]?.topics !== after[name].topics);
}

/** Committed offsets, which are most of what changes in a registry. */
const OFFSETS = /\/consumers\/[^/]+\/offsets\//;

/** @param {State} before @param {State} after registries */
function hasOtherOwners(before, after) {
  if (before === after) return false;
  const [old, present] = [before, after].map((registry) => Object.keys(registry).filter((path) => !OFFSETS.test(path)));
  return old.length !== present.length || present.some((path) => before[path] !== after[path]);
}
