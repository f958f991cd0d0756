// @ts-check
/**
 * Lag and throughput over time, as series of numbers at equal distances: what the charts draw and their table says.
 * Distances are round, so that a point that was drawn stays where it is while time goes on.
 *
 * @typedef {import("./lag.js").Unit} Unit
 * @typedef {import("../state/samples.js").Sample} Sample
 * @typedef {{at: (at_us: number) => Sample | undefined, oldest_us: number}} Sampled
 * @typedef {Array<number | null>} Values null: not known
 * @typedef {{name: string, group: number, kind: "lag" | "appended" | "pulled" | "consumed", values: Values}} Series
 *   `group` is which one it belongs to, -1 for none
 * @typedef {{times_s: number[], lags: Series[], rates: Series[]}} Chart
 */
import { lagValue } from "./lag.js";
import { isolated } from "./words.js";

/** A throughput is the average of so long a time before it, or of the distance between points if that is longer. */
export const RATE_OVER_US = 5_000_000;
/** No rate is given for a shorter time than this. */
const RATE_LEAST_US = 1_000_000;
/** At most so many points are drawn. */
export const POINTS = 120;
const SECOND_US = 1_000_000;
const ROUND_S = [0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200];

/** @param {number} span_us @returns {number} the shortest round distance with which the points are few enough */
export function stepFor(span_us) {
  const least_s = span_us / SECOND_US / POINTS;
  return (ROUND_S.find((round) => round >= least_s) ?? Math.ceil(least_s / 3_600) * 3_600) * SECOND_US;
}

/**
 * @param {Sampled} samples
 * @param {{from_us: number, to_us: number, groups: string[], lag_unit: Unit, rate_unit: "bytes" | "messages"}} wanted
 * @returns {Chart} the last point is `to_us` itself
 */
export function chartOf(samples, { from_us, to_us, groups, lag_unit, rate_unit }) {
  const step_us = stepFor(to_us - from_us);
  const times_us = timesOf(Math.max(from_us, samples.oldest_us), to_us, step_us);
  const taken = times_us.map((at_us) => samples.at(at_us));
  /** @param {(sample: Sample, at_us: number) => number | undefined} value @returns {Values} */
  const valuesOf = (value) => taken.map((sample, index) => (sample ? value(sample, times_us[index]) ?? null : null));
  /** @param {(sample: Sample) => number | undefined} count @returns {Values} */
  const ratesOf = (count) => times_us.map((at_us) => rateAt(samples, at_us, Math.max(step_us, RATE_OVER_US), count));
  const counted = /** @type {const} */ (["pulled", "consumed"]);
  return {
    times_s: times_us.map((at_us) => at_us / SECOND_US),
    lags: groups.map((name, group) => ({
      name: isolated(name), group, kind: "lag",
      values: valuesOf(({ groups: lags }, at_us) => (lags[name] ? lagValue(lags[name], lag_unit, at_us) : undefined)),
    })),
    rates: [
      { name: "appended", group: -1, kind: "appended", values: ratesOf((sample) => sample[`appended_${rate_unit}`]) },
      ...groups.flatMap((name, group) => counted.map((kind) => ({
        name: `${kind} by ${isolated(name)}`, group, kind, values: ratesOf(({ groups: done }) => done[name]?.[`${kind}_${rate_unit}`]),
      }))),
    ],
  };
}

/** @param {number} from_us @param {number} to_us @param {number} step_us @returns {number[]} multiples of the step, and the end */
function timesOf(from_us, to_us, step_us) {
  const times = [];
  for (let at_us = Math.ceil(from_us / step_us) * step_us; at_us < to_us; at_us += step_us) times.push(at_us);
  return [...times, to_us];
}

/**
 * @param {Sampled} samples @param {number} at_us @param {number} over_us
 * @param {(sample: Sample) => number | undefined} count something that only grows; where it falls, the counting started again
 * @returns {number | null} how much a second, up to that time; null if it is not known
 */
function rateAt(samples, at_us, over_us, count) {
  const from_us = Math.max(at_us - over_us, samples.oldest_us);
  const [before, after] = [samples.at(from_us), samples.at(at_us)];
  if (!before || !after || at_us - from_us < RATE_LEAST_US) return null;
  const [start, end] = [count(before), count(after)];
  if (start === undefined || end === undefined || end < start) return null;
  return ((end - start) * SECOND_US) / (at_us - from_us);
}
