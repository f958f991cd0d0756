// @ts-check
/**
 * Flow as bands: a trunk from the producer with a branch to each partition, and a band along each ribbon of ownership.
 * The width is the rate of bytes on an absolute logarithmic scale; what moves in a band is a function of time alone.
 */
import { asSvg } from "./paths.js";
import { bandWidth } from "./scale.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("./ribbons.js").Anchors} Anchors
 * @typedef {import("./ribbons.js").Ribbon} Ribbon
 * @typedef {import("./rates.js").Rates} Rates
 * @typedef {{key: string, path: string, width: number, bytes_per_second: number, group: string, consumer: string}} Band
 *   `group` and `consumer` are "" for what the producer sends
 */

/** The grains of a band move so far in a second of virtual time, and repeat after so many pixels. */
const PIXELS_PER_SECOND = 30;
export const PERIOD_PIXELS = 12;
/** So near the cards is the trunk where it has no gutter of its own. */
const MARGIN = 8;
/** How far a branch reaches into the broker's card. */
const INTO_CARD = 2;

/** @param {number} now_us @returns {number} where the grains of every band stand, in pixels of one period */
export function grainOffset(now_us) {
  return -(((now_us / 1_000_000) * PIXELS_PER_SECOND) % PERIOD_PIXELS);
}

/** @param {State} state @param {Rates} rates @param {Anchors} anchors @param {Ribbon[]} ribbons @returns {Band[]} */
export function bands(state, rates, anchors, ribbons) {
  return [...producerBands(state, rates, anchors), ...consumerBands(rates, ribbons)].filter(({ width }) => width > 0);
}

/** @param {State} state @returns {Set<string>} topics that a mirror fills, and no producer of this picture */
function mirrored(state) {
  return new Set(Object.values(state.deployment?.mirrors ?? {}).flatMap(({ routes }) => routes.map((/** @type {string[]} */ [, to]) => to)));
}

/** @param {State} state @param {Rates} rates @param {Anchors} anchors @returns {Band[]} */
function producerBands(state, rates, anchors) {
  const elsewhere = mirrored(state);
  const branches = [...anchors.tapes]
    .filter(([log]) => state.partitions[log] && !elsewhere.has(state.partitions[log].topic))
    .map(([log, tape]) => ({ log, edge: tape.edge, y: tape.top + tape.height / 2, rate: rates.appended.get(log)?.bytes ?? 0 }))
    .filter(({ rate }) => rate > 0)
    .sort((one, other) => one.y - other.y);
  if (!branches.length || anchors.producer.x === anchors.producer.left) return []; // nothing flows, or the producer is not shown
  const edge = Math.min(...branches.map((branch) => branch.edge));
  const { start, trunk } = gutter(anchors.producer, edge);
  return [
    ...trunkBands(branches, start, trunk),
    ...branches.map(({ log, edge: to, y, rate }) => band(`producer ${log}`, `M${trunk} ${y}H${to + INTO_CARD}`, rate)),
  ];
}

/**
 * Between the producer and the brokers; where it stands above them, out of its left side and down the margin of the
 * page.
 * @param {Anchors["producer"]} producer @param {number} edge of the brokers' cards
 * @returns {{start: import("./paths.js").Point, trunk: number}} where the trunk begins, and where it goes down
 */
function gutter(producer, edge) {
  if (producer.x < edge) return { start: producer, trunk: (producer.x + edge) / 2 };
  return { start: { x: producer.left, y: producer.y }, trunk: Math.max(edge / 2, edge - MARGIN) };
}

/**
 * The trunk goes from the producer up to the first branch and down to the last; each piece carries the sum of the
 * branches beyond it.
 * @param {Array<{y: number, rate: number}>} branches from top to bottom @param {{x: number, y: number}} start @param {number} x
 * @returns {Band[]}
 */
function trunkBands(branches, start, x) {
  const sum = (/** @type {Array<{rate: number}>} */ some) => some.reduce((total, { rate }) => total + rate, 0);
  const above = branches.filter(({ y }) => y < start.y).reverse();
  const below = branches.filter(({ y }) => y >= start.y);
  const found = [band("producer", `M${start.x} ${start.y}H${x}`, sum(branches))];
  for (const side of [above, below]) {
    let from = start.y;
    side.forEach(({ y }, index) => {
      found.push(band(`trunk ${y < start.y ? "up" : "down"} ${index}`, `M${x} ${from}V${y}`, sum(side.slice(index))));
      from = y;
    });
  }
  return found;
}

/** @param {Rates} rates @param {Ribbon[]} ribbons @returns {Band[]} */
function consumerBands(rates, ribbons) {
  return ribbons.map(({ key, group, consumer, piece }) => ({ ...band(`ribbon ${key}`, asSvg(piece), rates.pulled.get(key) ?? 0), group, consumer }));
}

/** @param {string} key @param {string} path @param {number} bytes_per_second @returns {Band} */
function band(key, path, bytes_per_second) {
  return { key, path, width: bandWidth(bytes_per_second), bytes_per_second, group: "", consumer: "" };
}
