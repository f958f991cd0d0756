// @ts-check
/** The charts' panel: fetches the chart library when opened, follows the drawn time, and lets a person choose a time. */
import { figureOf } from "../scene/lag.js";
import { chartOf, stepFor } from "../scene/series.js";
import { secondsInWords } from "../scene/words.js";
import { Chart, chartLibrary } from "../view/chart.js";
import { paintChartTable } from "../view/chart_table.js";
import { part, setAttribute, setText } from "../view/nodes.js";
import { actOf } from "./key_map.js";

/** The wall time between two redraws: a chart is no animation. */
const APART_MS = 250;
const SECOND_US = 1_000_000;

/** @typedef {"lags" | "rates"} Kind */

export class Charts {
  /**
   * @param {HTMLElement} stage
   * @param {import("./player.js").Player} player
   * @param {import("../state/samples.js").Samples} samples
   */
  constructor(stage, player, samples) {
    this.player = player;
    this.samples = samples;
    this.panel = /** @type {HTMLDetailsElement} */ (part(stage, "charts"));
    this.places = { lags: part(this.panel, "lags"), rates: part(this.panel, "rates") };
    /** @type {Record<string, Chart>} */
    this.charts = {};
    this.made_for = "";
    this.seen = { from_us: 0, to_us: 0 };
    this.uPlot = /** @type {any} */ (undefined);
    this.timer = 0;
    this.panel.addEventListener("change", () => this.#paint());
    for (const place of Object.values(this.places)) place.addEventListener("keydown", (event) => this.#key(event));
    const redraw = () => {
      this.made_for = "";
      this.paint();
    };
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    new ResizeObserver(() => Object.values(this.charts).forEach((chart) => chart.fit())).observe(this.panel);
  }

  /** Begin to draw, when the panel is opened. */
  async open() {
    try {
      this.uPlot ??= await chartLibrary(this.panel.dataset);
      setText(part(this.panel, "chart-state"), "");
    } catch (error) {
      setText(part(this.panel, "chart-state"), `${/** @type {Error} */ (error).message}; close and open this to try again`);
    }
    this.#paint();
  }

  /** Show what the player shows, soon. */
  paint() {
    if (!this.panel.open || this.timer) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.#paint();
    }, APART_MS);
  }

  /** @param {string} name of a choice of the panel @returns {string} */
  #chosen(name) {
    return /** @type {HTMLSelectElement} */ (part(this.panel, name)).value;
  }

  /** The range to show: the last so many seconds. While a past moment within the range is shown, the range stays. */
  #window() {
    const live_us = this.player.clock?.now_us ?? 0;
    const { drawn_us } = this.player;
    const span_us = Math.min(Number(this.#chosen("span")) * SECOND_US, Math.max(SECOND_US, live_us - this.samples.oldest_us));
    const { from_us, to_us } = this.seen;
    const stays = drawn_us < live_us && drawn_us >= from_us && drawn_us <= to_us && to_us - from_us === span_us;
    const end_us = drawn_us < live_us ? Math.min(live_us, drawn_us + span_us / 4) : live_us;
    if (!stays) this.seen = { from_us: end_us - span_us, to_us: end_us };
    return this.seen;
  }

  #paint() {
    const { drawn } = this.player;
    if (!this.panel.open || !drawn || !this.samples.kept.length) return;
    this.samples.take(this.player.among); // charts show what came after the moment, too
    const groups = Object.keys(drawn.state.groups);
    const units = { lag_unit: /** @type {any} */ (this.#chosen("lag-unit")), rate_unit: /** @type {any} */ (this.#chosen("rate-unit")) };
    const chart = chartOf(this.samples, { ...this.#window(), groups, ...units });
    if (this.uPlot) this.#draw(chart, JSON.stringify([groups, units]));
    this.#paintSliders(chart);
    const table = /** @type {HTMLDetailsElement} */ (part(this.panel, "chart-table"));
    if (table.open) paintChartTable(table, chart, { lags: this.#inWords("lags"), rates: this.#inWords("rates") });
  }

  /** @param {Kind} kind @returns {(value: number) => string} */
  #inWords(kind) {
    const unit = /** @type {any} */ (this.#chosen(kind === "lags" ? "lag-unit" : "rate-unit"));
    return (value) => {
      const { figure, noun } = figureOf(Math.round(value * 10) / 10, unit);
      return `${figure} ${unit === "messages" ? "" : noun}${kind === "rates" ? "/s" : ""}`.replace(" /s", "/s").trim();
    };
  }

  /** @param {Kind} kind @returns {(value: number) => string} for an axis: thousands of bytes as kilobytes */
  #inShort(kind) {
    const inWords = this.#inWords(kind);
    return (value) => {
      if (value < 10_000 || !inWords(0).includes("B")) return inWords(value);
      return inWords(value / 1_000).replace("B", "kB");
    };
  }

  /** @param {import("../scene/series.js").Chart} chart @param {string} made_for */
  #draw(chart, made_for) {
    if (made_for !== this.made_for) {
      this.made_for = made_for;
      for (const kind of /** @type {Kind[]} */ (["lags", "rates"])) {
        this.charts[kind]?.remove();
        this.charts[kind] = new Chart(this.uPlot, this.places[kind], chart[kind], {
          onPick: (at_s) => this.#lookAt(at_s * SECOND_US),
          drawn_s: () => this.player.drawn_us / SECOND_US,
          inWords: this.#inWords(kind),
          inShort: this.#inShort(kind),
        });
      }
    }
    for (const kind of /** @type {Kind[]} */ (["lags", "rates"])) this.charts[kind].show(chart.times_s, chart[kind]);
  }

  /** The charts are sliders over time for those who have no pointer. @param {import("../scene/series.js").Chart} chart */
  #paintSliders({ times_s, ...series }) {
    const at_s = this.player.drawn_us / SECOND_US;
    const index = Math.max(0, times_s.filter((time_s) => time_s <= at_s).length - 1);
    for (const kind of /** @type {Kind[]} */ (["lags", "rates"])) {
      const place = this.places[kind];
      const inWords = this.#inWords(kind);
      const said = series[kind].map(({ name, values }) => `${name} ${values[index] === null ? "not known" : inWords(Number(values[index]))}`);
      setAttribute(place, "aria-valuemin", times_s[0].toFixed(1));
      setAttribute(place, "aria-valuemax", times_s[times_s.length - 1].toFixed(1));
      setAttribute(place, "aria-valuenow", at_s.toFixed(1));
      setAttribute(place, "aria-valuetext", `${secondsInWords(this.player.drawn_us)}: ${said.join(", ")}`);
    }
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const { from_us, to_us } = this.#window();
    const step_us = stepFor(to_us - from_us);
    const at_us = this.player.drawn_us;
    const targets = /** @type {Record<string, number>} */ ({
      earlier: at_us - step_us, later: at_us + step_us, first: this.samples.oldest_us, last: Infinity,
    });
    const act = actOf("chart", event.key);
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    this.#lookAt(targets[act]);
  }

  /** @param {number} at_us */
  #lookAt(at_us) {
    if (at_us >= (this.player.clock?.now_us ?? 0)) this.player.lookLive();
    else this.player.lookAt(Math.max(0, Math.round(at_us)));
  }
}
