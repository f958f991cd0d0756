// @ts-check
/**
 * Marks of what is in flight: one node a flight, moved by a transform and nothing else. What was painted last is kept
 * beside each node, so that a frame reads nothing from the page; nodes of flights that have ended are used again. A
 * crowd of them that moves is drawn on a canvas instead (crowd.js).
 */
import { clone, part, setAttribute, setText } from "./nodes.js";

/** So many nodes wait to be used again. */
const SPARE_AT_MOST = 240;
/** From so many on, and down to so few, labels are left out of what moves: they would stand on each other. */
const CROWDED_FROM = 48;
const CROWDED_TO = 36;
/** There a mark grows by so many pixels at a time: each change of a width is a layout. */
const CROWDED_GRAIN = 16;
/** A batch of more messages, or a load of more rows, is drawn with so many. */
export const CELLS_AT_MOST = 24;

/**
 * @typedef {import("../scene/flights.js").Mark} Mark
 * @typedef {{label: string, detail: string, shift: number, before: number}} Words and so far they stand beside the middle
 * @typedef {{node: HTMLElement, load: HTMLElement, label: HTMLElement, detail: HTMLElement, painted: Partial<Mark>, width: number, words: Words}} Drawn
 * @typedef {object} How
 * @property {(group: string) => number} indexOf a group's number
 * @property {boolean} moves whether time runs and is followed; what does not move can be read
 * @property {import("./crowd.js").Crowd} [crowd] what draws a crowd
 * @property {boolean} [as_nodes] whether each mark is to be a node all the same
 * @typedef {{standing: Map<string, Drawn>, spare: Drawn[]}} Pool
 */

/** @type {WeakMap<HTMLElement, Pool>} */
const pools = new WeakMap();

/** @param {HTMLElement} layer @param {Mark[]} marks @param {How} how @returns {boolean} whether so many move that their labels are left out */
export function paintFlights(layer, marks, { indexOf, moves, crowd, as_nodes }) {
  let pool = pools.get(layer);
  if (!pool) pools.set(layer, (pool = { standing: new Map(), spare: [] }));
  const ended = new Map(pool.standing);
  const least = layer.dataset.crowded === "true" ? CROWDED_TO : CROWDED_FROM;
  const crowded = marks.length >= least;
  setAttribute(layer, "data-crowded", crowded);
  const wordless = crowded && moves;
  setAttribute(layer, "data-wordless", wordless);
  const on_canvas = wordless && crowd?.fits && !as_nodes ? marks.filter(({ faded }) => faded === undefined) : [];
  crowd?.paint(on_canvas, indexOf);
  for (const mark of on_canvas.length ? marks.filter(({ faded }) => faded !== undefined) : marks) {
    const drawn = pool.standing.get(mark.key) ?? appear(layer, pool, mark.key);
    ended.delete(mark.key);
    paintFlight(drawn, mark, { indexOf, grain: wordless ? CROWDED_GRAIN : 1 });
    if (!wordless || mark.faded !== undefined) paintWords(drawn, mark);
  }
  for (const [key, drawn] of ended) {
    drawn.node.remove();
    pool.standing.delete(key);
    if (pool.spare.length < SPARE_AT_MOST) pool.spare.push(drawn);
  }
  return wordless;
}

/** @param {HTMLElement} layer @param {Pool} pool @param {string} key @returns {Drawn} */
function appear(layer, pool, key) {
  const drawn = pool.spare.pop() ?? makeMark();
  drawn.node.setAttribute("data-flight", key);
  pool.standing.set(key, drawn);
  layer.append(drawn.node);
  return drawn;
}

/** @returns {Drawn} */
export function makeMark() {
  const node = clone("flight");
  return { node, load: part(node, "load"), label: part(node, "label"), detail: part(node, "detail"), painted: {}, width: 0, words: { label: "", detail: "", shift: 0, before: 0 } };
}

/**
 * What changes from frame to frame is a property itself, no custom one: the browser then changes the one value of a
 * mark's style and works out nothing else, which is a quarter of the work.
 * @param {Drawn} drawn @param {Mark} mark @param {{indexOf: (group: string) => number, grain: number}} how
 */
function paintFlight(drawn, mark, { indexOf, grain }) {
  const { node, painted } = drawn;
  if (mark.x !== painted.x || mark.y !== painted.y) {
    node.style.transform = `translate(${mark.x.toFixed(1)}px, ${mark.y.toFixed(1)}px)`;
  }
  const width = Math.ceil(mark.width / grain) * grain;
  if (width !== drawn.width) drawn.load.style.width = (drawn.width = width) ? `${width}px` : "";
  if (mark.faded !== painted.faded) node.style.opacity = mark.faded === undefined ? "" : (1 - mark.faded).toFixed(2);
  if (LOOKS.some((look) => mark[look] !== painted[look])) dress(drawn, mark, indexOf);
  drawn.painted = mark;
}

/** @param {Drawn} drawn @param {Mark} mark */
function paintWords(drawn, mark) {
  const { label, detail, words } = drawn;
  const [shift, before] = [Math.round(mark.shift ?? 0), Math.round(mark.before ?? 0)];
  if (shift !== words.shift) label.style.left = shift ? `${shift}px` : "";
  if (shift !== words.shift || before !== words.before) detail.style.left = shift + before ? `${shift + before}px` : "";
  if (mark.label !== words.label) setText(label, mark.label);
  if (mark.detail !== words.detail) setText(detail, mark.detail);
  drawn.words = { label: mark.label, detail: mark.detail, shift, before };
}

/** @type {Array<"kind" | "idle" | "group" | "failed" | "bundled" | "cells" | "faded">} */
const LOOKS = ["kind", "idle", "group", "failed", "bundled", "cells", "faded"];

/** What changes seldom. @param {Pick<Drawn, "node" | "load">} drawn @param {Mark} mark @param {(group: string) => number} indexOf */
export function dress({ node, load }, mark, indexOf) {
  setAttribute(node, "data-kind", mark.kind);
  setAttribute(node, "data-idle", mark.idle);
  setAttribute(node, "data-group-index", indexOf(mark.group));
  setAttribute(node, "data-lost", mark.faded !== undefined);
  setAttribute(node, "data-failed", mark.failed ?? false);
  setAttribute(node, "data-bundled", mark.bundled ?? false);
  paintCells(load, mark.cells);
}

/** @param {HTMLElement} load @param {number} cells */
function paintCells(load, cells) {
  const shown = Math.min(cells, CELLS_AT_MOST);
  while (load.childElementCount < shown) load.append(document.createElement("i"));
  while (load.childElementCount > shown) load.lastElementChild?.remove();
}
