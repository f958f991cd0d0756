// @ts-check
/**
 * A lag over the last minute as a small line: one value a second, up to the drawn time. For a past time it shows what
 * was known then.
 *
 * @typedef {import("./lag.js").Unit} Unit
 * @typedef {import("../state/samples.js").Sample} Sample
 * @typedef {{at: (at_us: number) => Sample | undefined}} Sampled
 */
import { lagValue } from "./lag.js";

export const SPARK_S = 60;
/** Of the box the lines are drawn in; the style sheet stretches it. */
export const SPARK = { width: SPARK_S, height: 20 };
const SECOND_US = 1_000_000;
/** So that a line at nought and one at the top are not cut. */
const MARGIN = 1;

/**
 * @param {Sampled} samples @param {string} group @param {Unit} unit @param {number} now_us
 * @returns {number[]} the newest last, which is of now; whole seconds before it; as far back as is known, a minute at most
 */
export function lastMinute(samples, group, unit, now_us) {
  const values = [];
  const whole = Math.ceil(now_us / SECOND_US) * SECOND_US;
  for (let second = SPARK_S; second >= 0; second -= 1) {
    const at_us = Math.min(now_us, whole - second * SECOND_US);
    const lag = samples.at(at_us)?.groups[group];
    if (lag) values.push(lagValue(lag, unit, at_us));
  }
  return values;
}

/** @param {number[]} values once a second, the newest last @returns {{line: string, area: string, most: number}} paths of an SVG */
export function sparkline(values) {
  const most = Math.max(...values, 0);
  const high = SPARK.height - 2 * MARGIN;
  const points = values.map((value, index) => {
    const x = SPARK.width - (values.length - 1 - index);
    return `${x} ${(SPARK.height - MARGIN - (most ? (value / most) * high : 0)).toFixed(2)}`;
  });
  if (!points.length) return { line: "", area: "", most };
  if (points.length === 1) points.unshift(points[0].replace(/^\d+/, String(SPARK.width - 1))); // a single value, as in paused time: drawn a second wide
  const first = SPARK.width - (points.length - 1);
  const line = `M${points.join("L")}`;
  return { line, area: `${line}V${SPARK.height}H${first}Z`, most };
}
