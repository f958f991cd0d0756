// @ts-check
/** The lags on the stage: updated with the drawn time, in the chosen unit, and announced from time to time. */
import { UNITS, trendOf } from "../scene/lag.js";
import { lastMinute } from "../scene/sparkline.js";
import { setText, part } from "../view/nodes.js";
import { paintLags, paintLines } from "../view/lag.js";

/** Figures are painted so often, lines so often, in virtual time. */
const FIGURES_US = 100_000;
const LINES_US = 250_000;
/** Between two sentences, in wall time: a screen reader reads other things too. */
const QUIET_MS = 12_000;

export class Lags {
  /**
   * @param {HTMLElement} stage
   * @param {import("./player.js").Player} player
   * @param {import("../state/samples.js").Samples} samples
   */
  constructor(stage, player, samples) {
    this.stage = stage;
    this.player = player;
    this.samples = samples;
    /** @type {import("../scene/lag.js").Unit} */
    this.unit = UNITS[0];
    this.painted = { state: /** @type {unknown} */ (undefined), figures: "", lines: "" };
    this.quiet = 0;
    /** The trend last announced, by group. @type {Map<string, string>} */
    this.spoken = new Map();
    stage.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("[data-lag-unit]")) this.#nextUnit();
    });
  }

  #nextUnit() {
    this.unit = UNITS[(UNITS.indexOf(this.unit) + 1) % UNITS.length];
    this.paint();
  }

  /** Show the lags of what the player shows. */
  paint() {
    const { drawn, drawn_us } = this.player;
    if (!drawn) return;
    const { stage, unit } = this;
    const figures = `${unit} ${Math.floor(drawn_us / FIGURES_US)}`;
    const changed = drawn.state !== this.painted.state;
    if (changed || figures !== this.painted.figures) paintLags(stage, { state: drawn.state, now_us: drawn_us, unit });
    const lines = `${unit} ${Math.floor(drawn_us / LINES_US)} ${Object.keys(drawn.state.groups).length}`;
    if (lines !== this.painted.lines) this.#paintLines();
    this.painted = { state: drawn.state, figures, lines };
  }

  #paintLines() {
    const { samples, unit } = this;
    const { drawn_us } = this.player;
    /** @type {Map<string, string>} */
    const trends = new Map();
    paintLines(this.stage, (group) => {
      const values = lastMinute(samples, group, unit, drawn_us);
      const trend = trendOf(values, unit);
      if (trend) trends.set(group, trend);
      return { values, trend };
    }, unit);
    this.#speak(trends);
  }

  /** Announce that a group falls behind, or has caught up, if that is new; not more often than a person can follow. @param {Map<string, string>} trends */
  #speak(trends) {
    if (this.quiet) return;
    const news = [...trends].filter(([group, trend]) => trend !== "steady" && this.spoken.get(group) !== trend);
    if (!news.length) return;
    for (const [group, trend] of news) this.spoken.set(group, trend);
    const sentences = news.map(([group, trend]) => (trend === "caught up" ? `${group} has caught up.` : `The lag of ${group} is ${trend}.`));
    setText(part(this.stage, "lag-news"), sentences.join(" "));
    this.quiet = window.setTimeout(() => {
      this.quiet = 0;
    }, QUIET_MS);
  }
}
