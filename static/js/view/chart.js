// @ts-check
/** One chart of lines over time: uPlot, which is fetched when the first chart is wanted, in the page's own colours. */
import { part } from "./nodes.js";

/**
 * @typedef {import("../scene/series.js").Series} Series
 * @typedef {object} Wishes
 * @property {(at_s: number) => void} onPick somebody pointed at a time
 * @property {() => number} drawn_s the time that the stage shows
 * @property {(value: number) => string} inWords a value with its unit
 * @property {(value: number) => string} inShort the same where there is little room
 */

const LOOKS = /** @type {const} */ ({
  lag: { width: 2, dash: [] }, appended: { width: 2, dash: [] }, consumed: { width: 2, dash: [] }, pulled: { width: 1.5, dash: [4, 3] },
});

/** @type {Promise<any> | undefined} */
let library;

/** @param {DOMStringMap} addresses of its script and its style @returns {Promise<any>} uPlot; fetched once */
export function chartLibrary({ script = "", style = "" }) {
  library ??= new Promise((resolve, reject) => {
    document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: style }));
    const node = Object.assign(document.createElement("script"), { src: script });
    node.addEventListener("load", () => resolve(/** @type {any} */ (window).uPlot));
    node.addEventListener("error", () => {
      library = undefined;
      reject(new Error("the chart library could not be loaded"));
    });
    document.head.append(node);
  });
  return library;
}

export class Chart {
  /**
   * @param {any} uPlot
   * @param {HTMLElement} place
   * @param {Series[]} series
   * @param {Wishes} wishes
   */
  constructor(uPlot, place, series, wishes) {
    this.place = place;
    const colours = coloursOf(place);
    const { font, letter, inks } = colours;
    const axis = { stroke: inks.soft, font, grid: { stroke: inks.rule, width: 1 }, ticks: { stroke: inks.rule, width: 1 } };
    this.plot = new uPlot({
      ...sizeOf(place),
      cursor: { sync: { key: "offsetscope", setSeries: false }, drag: { x: false, y: false }, points: { size: 7 } },
      padding: [6, letter, 0, 0],
      legend: { live: true, markers: { dash: (/** @type {any} */ _plot, /** @type {number} */ index) => (series[index - 1]?.kind === "pulled" ? "dashed" : "solid") } },
      scales: { x: { time: false }, y: { range: (/** @type {any} */ _plot, /** @type {number} */ _least, /** @type {number} */ most) => [0, Math.max(1, most * 1.08)] } },
      axes: [
        { ...axis, size: letter * 2.6, values: (/** @type {any} */ _plot, /** @type {number[]} */ values) => values.map((value) => `${value} s`) },
        { ...axis, size: letter * 7, values: (/** @type {any} */ _plot, /** @type {number[]} */ values) => values.map(wishes.inShort) },
      ],
      series: [
        { label: "time", value: (/** @type {any} */ _plot, /** @type {number | null} */ value) => (value === null ? "" : `${value.toFixed(1)} s`) },
        ...series.map(({ name, group, kind }) => ({
          label: name, stroke: group < 0 ? inks.ink : colours.accent(group), ...LOOKS[kind], points: { show: false }, spanGaps: false,
          value: (/** @type {any} */ _plot, /** @type {number | null} */ value) => (value === null ? "–" : wishes.inWords(value)),
        })),
      ],
      hooks: { draw: [(/** @type {any} */ plot) => drawTime(plot, wishes.drawn_s(), inks.ink)] },
    }, [[], ...series.map(() => [])], place);
    this.plot.over.addEventListener("click", () => wishes.onPick(this.plot.posToVal(this.plot.cursor.left, "x")));
  }

  /** @param {number[]} times_s @param {Series[]} series those it was made for */
  show(times_s, series) {
    this.plot.setData([times_s, ...series.map(({ values }) => values)]);
  }

  fit() {
    const { width, height } = sizeOf(this.place);
    if (width !== this.plot.width || height !== this.plot.height) this.plot.setSize({ width, height });
  }

  remove() {
    this.plot.destroy();
  }
}

/** @param {HTMLElement} place */
function sizeOf(place) {
  return { width: Math.max(200, Math.floor(place.clientWidth)), height: Number.parseFloat(getComputedStyle(place).getPropertyValue("--chart-height")) * 16 };
}

/** A line at the time that the stage shows. @param {any} plot @param {number} at_s @param {string} colour */
function drawTime(plot, at_s, colour) {
  const { ctx, bbox } = plot;
  const x = Math.round(plot.valToPos(at_s, "x", true)) + 0.5;
  if (x < bbox.left || x > bbox.left + bbox.width + 1) return;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** The page's colours, as a canvas takes them: from nodes that the style sheet colours. @param {HTMLElement} place */
function coloursOf(place) {
  const probe = part(/** @type {HTMLElement} */ (place.closest("[data-part=charts]")), "probe");
  /** @param {string} name @param {string} value */
  const colour = (name, value) => {
    probe.setAttribute(name, value);
    const { color } = getComputedStyle(probe);
    probe.removeAttribute(name);
    return color;
  };
  const { fontFamily, fontSize } = getComputedStyle(probe);
  return {
    font: `${fontSize} ${fontFamily}`,
    letter: Number.parseFloat(fontSize),
    inks: { ink: colour("data-ink", "ink"), soft: colour("data-ink", "soft"), rule: colour("data-ink", "rule") },
    accent: (/** @type {number} */ group) => colour("data-group-index", String(group)),
  };
}
