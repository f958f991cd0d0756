// @ts-check
/**
 * A group's lag as figures and words. What it is in each unit is written in docs/journal.md ("Lag").
 *
 * @typedef {"bytes" | "messages" | "seconds"} Unit
 * @typedef {"" | "growing" | "shrinking" | "steady" | "caught up"} Trend
 * @typedef {{bytes: number, messages: number, waiting_since_us: number}} Lag
 */
import { linearFit } from "./fit.js";

/** @type {Unit[]} */
export const UNITS = ["bytes", "messages", "seconds"];

const NOUNS = { bytes: "B", messages: "messages", seconds: "s" };

/** A trend is that of so many seconds of virtual time, looked at once a second. */
const TREND_S = 20;
/** With fewer values there is no trend yet. */
const TREND_LEAST_S = 4;
/** A trend begins where the line rises or falls by BEGINS times its values' deviation, and ends below ENDS times. */
const BEGINS = 2;
const ENDS = 1;
/** Less than this from end to end is no change, however straight: half of the smallest thing that can happen. */
const LEAST = { bytes: 8, messages: 0.5, seconds: 0.5 };
/** A group whose lag was 0 within so many seconds has caught up: between two commits some messages always wait. */
const CAUGHT_UP_S = 4;

/** @param {Lag} lag @param {Unit} unit @param {number} now_us @returns {number} in that unit, seconds with their fraction */
export function lagValue(lag, unit, now_us) {
  if (unit !== "seconds") return lag[unit];
  return lag.waiting_since_us === Infinity ? 0 : Math.max(0, now_us - lag.waiting_since_us) / 1_000_000;
}

/** Made once for each number of digits: a figure is written in every frame. @type {Map<number, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} digits */
function figures(digits) {
  const known = formats.get(digits);
  if (known) return known;
  const made = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  formats.set(digits, made);
  return made;
}

/** @param {number} value @param {Unit} unit @returns {{figure: string, noun: string}} */
export function figureOf(value, unit) {
  const digits = unit === "seconds" && value < 100 ? 1 : 0;
  const figure = figures(digits).format(value);
  return { figure, noun: unit === "messages" && value === 1 ? "message" : NOUNS[unit] };
}

/** @param {number} value @param {Unit} unit */
export function lagInWords(value, unit) {
  const { figure, noun } = figureOf(value, unit);
  return `${figure} ${noun}`;
}

/** @param {Lag} lag @param {number} now_us @returns {string} in all three units */
export const lagInAllWords = (lag, now_us) => UNITS.map((unit) => lagInWords(lagValue(lag, unit, now_us), unit)).join(" · ");

/**
 * Which way a lag goes. The straight line that fits the last seconds best must rise or fall by more than the values
 * stray from it; so the saw-teeth of batches and commits are no change, and a slow but steady growth is. A trend
 * ends at a lower limit than it begins (hysteresis).
 *
 * @param {number[]} values a lag once a second, the newest last
 * @param {Unit} unit
 * @returns {Trend} "" where there is too little to tell
 */
export function trendOf(values, unit) {
  if (values.length < TREND_LEAST_S) return "";
  if (values.slice(-CAUGHT_UP_S).includes(0)) return "caught up";
  /** @type {Trend} */
  let trend = "steady";
  for (let end = TREND_LEAST_S; end <= values.length; end += 1) {
    trend = goesOn(trend, values.slice(Math.max(0, end - TREND_S - 1), end), unit);
  }
  return trend;
}

/** @param {Trend} before @param {number[]} values @param {Unit} unit @returns {Trend} */
function goesOn(before, values, unit) {
  const { rise, strays } = linearFit(values);
  const direction = rise > 0 ? "growing" : "shrinking";
  const times = before === direction ? ENDS : BEGINS;
  return Math.abs(rise) > Math.max(times * strays, LEAST[unit]) ? direction : "steady";
}
