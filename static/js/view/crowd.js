// @ts-check
/**
 * A crowd of marks on one canvas: where so many move that their labels are left out, a node for each would cost more of
 * a frame than all the rest of the page. Marks come from scene, and looks from the style sheet. A worker draws them
 * (crowd_pen.js); this module sends it what is where.
 */
import { CELLS_AT_MOST, dress, makeMark } from "./flights.js";
import { lookOf } from "./mark_looks.js";

/** A larger one, of a long page on a fine screen, takes more memory than the picture is worth. */
const PIXELS_AT_MOST = 9_000_000;
/** A pen that is slower than the page draws fewer pictures, and none that is long past. */
const UNDER_WAY_AT_MOST = 2;

/** @typedef {import("../scene/flights.js").Mark} Mark */

export class Crowd {
  /** @param {HTMLElement} layer of marks @param {HTMLCanvasElement} canvas in it, which is transferred to the worker */
  constructor(layer, canvas) {
    this.layer = layer;
    this.canvas = canvas;
    /** The numbers of the looks that the pen knows. @type {Map<string, number>} */
    this.looks = new Map();
    /** All on which a look's lengths depend. */
    this.lengths = "";
    /** Whether it can draw: else every mark is a node. */
    this.fits = false;
    /** Whether the pen has reported that it is ready, and has not failed. */
    this.is_ready = false;
    /** So many pictures were sent to the pen that it has not drawn. */
    this.under_way = 0;
    this.forced_colors = window.matchMedia("(forced-colors: active)");
    const given = canvas.transferControlToOffscreen();
    this.pen = new Worker(new URL("crowd_pen.js", import.meta.url), { type: "module" });
    this.pen.postMessage({ canvas: given }, [given]);
    this.#listen();
  }

  #listen() {
    this.pen.addEventListener("message", ({ data }) => {
      if (data.is_ready) this.is_ready = true;
      else this.under_way -= 1;
      if (data.is_ready) this.measure();
    });
    this.pen.addEventListener("error", () => Object.assign(this, { is_ready: false, fits: false }));
    const forget = () => this.#forget();
    new MutationObserver(forget).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", forget);
    this.forced_colors.addEventListener("change", () => this.measure());
    window.addEventListener("resize", () => this.measure()); // of another screen, too
  }

  /** Measure the lengths again, after a new layout. */
  measure() {
    const style = getComputedStyle(this.layer);
    const ratio = window.devicePixelRatio;
    const [width, height] = [this.layer.clientWidth, this.layer.clientHeight].map((length) => Math.round(length * ratio));
    this.fits = width * height <= PIXELS_AT_MOST && !this.forced_colors.matches && this.is_ready;
    const lengths = [width, height, ratio, style.fontSize, style.getPropertyValue("--tape-height")].join(" ");
    if (!this.fits || lengths === this.lengths) return;
    this.lengths = lengths;
    this.pen.postMessage({ width, height, ratio });
    this.#forget();
  }

  /** @param {Mark[]} marks @param {(group: string) => number} indexOf a group's number */
  paint(marks, indexOf) {
    const { canvas } = this;
    const nothing_new = !marks.length && canvas.hidden;
    if (nothing_new || (marks.length && this.under_way >= UNDER_WAY_AT_MOST)) return;
    this.under_way += 1;
    const places = new Float32Array(5 * marks.length);
    marks.forEach((mark, index) => {
      const cells = Math.min(mark.cells, CELLS_AT_MOST);
      places.set([this.#lookFor(mark, indexOf(mark.group), cells), mark.width, cells, mark.x, mark.y], 5 * index);
    });
    this.pen.postMessage(places, [places.buffer]);
    canvas.dataset.marks = String(marks.length);
    canvas.hidden = !marks.length;
  }

  #forget() {
    this.looks.clear();
    this.pen.postMessage({ looks: [] });
  }

  /** @param {Mark} mark @param {number} group_index @param {number} cells @returns {number} */
  #lookFor(mark, group_index, cells) {
    const key = `${mark.kind} ${group_index} ${mark.idle} ${mark.failed} ${mark.bundled} ${cells > 0}`;
    const known = this.looks.get(key);
    if (known !== undefined) return known;
    const model = makeMark();
    dress(model, { ...mark, cells: Math.min(cells, 2) }, () => group_index);
    this.layer.append(model.node);
    this.pen.postMessage({ number: this.looks.size, look: lookOf(model.node, model.load) });
    model.node.remove();
    this.looks.set(key, this.looks.size);
    return this.looks.size - 1;
  }
}
