// @ts-check
/** The lags: a figure for each group and consumer; a line and a trend for each group. */
import { figureOf, lagInWords, lagValue } from "../scene/lag.js";
import { ownedBy } from "../scene/ownership.js";
import { SPARK_S, sparkline } from "../scene/sparkline.js";
import { lagIn } from "../state/samples.js";
import { part, setAttribute, setText } from "./nodes.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("../scene/lag.js").Unit} Unit
 * @typedef {{state: State, now_us: number, unit: Unit}} Painting
 */

/** @param {HTMLElement} stage @param {Painting} painting */
export function paintLags(stage, painting) {
  const { state } = painting;
  for (const node of groupsOf(stage)) {
    const { group = "" } = node.dataset;
    if (!state.groups[group]) continue;
    paintFigure(node, [lagIn(state, group)], painting);
    for (const card of part(node, "consumers").children) {
      const owned = ownedBy(state, group, /** @type {HTMLElement} */ (card).dataset.consumer ?? "");
      const lags = owned.map((log) => lagIn(state, group, `${log.topic}-${log.partition}`));
      paintFigure(/** @type {HTMLElement} */ (card), lags, painting);
    }
  }
}

/** @param {HTMLElement} stage @returns {HTMLElement[]} */
const groupsOf = (stage) => /** @type {HTMLElement[]} */ ([...part(stage, "groups").children]);

/** @param {HTMLElement} node @param {import("../scene/lag.js").Lag[]} lags @param {Painting} painting */
function paintFigure(node, lags, { unit, now_us }) {
  const values = lags.map((lag) => lagValue(lag, unit, now_us));
  const value = unit === "seconds" ? Math.max(0, ...values) : values.reduce((sum, one) => sum + one, 0);
  const { figure, noun } = figureOf(value, unit);
  setText(part(node, "behind"), figure);
  setText(part(node, "behind-unit"), noun);
}

/**
 * @param {HTMLElement} stage
 * @param {(group: string) => {values: number[], trend: import("../scene/lag.js").Trend}} lately
 * @param {Unit} unit
 */
export function paintLines(stage, lately, unit) {
  for (const node of groupsOf(stage)) {
    const { values, trend } = lately(node.dataset.group ?? "");
    const { line, area, most } = sparkline(values);
    const spark = part(node, "spark");
    const [under, over] = spark.children;
    setAttribute(under, "d", area);
    setAttribute(over, "d", line);
    setText(part(node, "trend"), trend);
    setAttribute(part(node, "trend"), "data-trend", trend);
    setAttribute(spark, "aria-label", `lag over the last ${SPARK_S} s: at most ${lagInWords(most, unit)}`);
  }
}
