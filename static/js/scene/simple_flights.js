// @ts-check
/** Marks of the fetches and responses of simple consumers, and of the rows that a loader writes. */
import { LEAST_WIDTH, WIDEST_ON_WIRE, WIRE_SCALE } from "./on_tape.js";
import { level, line, placeOn, reversed } from "./paths.js";
import { bytesInWords, namesInWords } from "./words.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("./flights.js").Picture} Picture
 * @typedef {import("./flights.js").Mark} Mark
 * @typedef {import("./ribbons.js").Box} Box
 */

/** Rows go down along the right side of the loader's card, clear of its words. */
const ROWS_AT = 0.68;
/** They end in the mouth of the drum, as a part of its height: below it are its figures. */
const MOUTH = 0.15;

/** @param {Box} box @param {{side: "left" | "right"}} where @returns {import("./paths.js").Point} half way up its side */
const sideOf = ({ left, top, width, height }, { side }) => ({ x: left + (side === "right" ? width : 0), y: top + height / 2 });

/** @param {Picture} picture @param {State} flight @returns {import("./paths.js").Piece[]} from the broker to the client */
function wayOf(picture, { broker, client }) {
  const from = picture.anchors.parties.get(`broker:${broker}`);
  const to = picture.anchors.parties.get(client);
  if (!from || !to) return [];
  return [level(sideOf(from, { side: "right" }), sideOf(to, { side: "left" }))];
}

/** @param {State} flight @param {State} state @returns {boolean} whether it asks only for what is not there yet */
export function asksForNothingNew({ fetches }, state) {
  return fetches.every((/** @type {[string, number]} */ [log, offset]) => offset >= (state.partitions[log]?.flushed_offset ?? 0));
}

/** @param {State} flight @param {Picture} picture @param {number} part @returns {Omit<Mark, "key"> | undefined} */
export function multiFetch(flight, picture, part) {
  const way = wayOf(picture, flight);
  if (!way.length) return undefined;
  const { fetches } = flight;
  const named = (/** @type {string} */ log) => namesInWords(picture.state, [log]);
  const each = fetches.map((/** @type {[string, number]} */ [log, offset]) => `${named(log)} from ${offset}`);
  return {
    kind: "fetch", ...placeOn(reversed(way), part), width: 0, cells: 0,
    ...(fetches.length === 1 ? { label: `from ${fetches[0][1]}`, detail: named(fetches[0][0]) } : { label: `${fetches.length} logs`, detail: each.join(", ") }),
    group: "", idle: asksForNothingNew(flight, picture.state),
  };
}

/** @param {State} flight @param {Picture} picture @param {number} part @returns {Omit<Mark, "key"> | undefined} */
export function multiFetchAnswer(flight, picture, part) {
  const way = wayOf(picture, flight);
  if (!way.length) return undefined;
  return {
    kind: "answer", ...placeOn(way, part), width: flight.bytes ? wireWidth(picture, flight.bytes) : 0, cells: 0,
    label: bytesInWords(flight.bytes), detail: `of broker ${flight.broker}`, group: "", idle: flight.bytes === 0,
  };
}

/** Rows on their way into the table: there when the transaction is committed. @type {typeof multiFetchAnswer} */
export function load(flight, picture, part) {
  const from = picture.anchors.parties.get(`loader:${flight.loader}`);
  const to = picture.anchors.parties.get("warehouse");
  if (!from || !to) return undefined;
  const x = from.left + from.width * ROWS_AT;
  const way = [line({ x, y: from.top + from.height }, { x, y: to.top + to.height * MOUTH })];
  return {
    kind: "load", ...placeOn(way, part), width: 0, cells: flight.rows,
    label: `${flight.rows} ${flight.rows === 1 ? "row" : "rows"}`, detail: "a transaction is open", group: "", idle: false,
  };
}

/** The same scale as that of other bytes on the wire. @param {Picture} picture @param {number} bytes @returns {number} pixels */
function wireWidth({ anchors, window_bytes }, bytes) {
  const tape = Math.max(0, ...[...anchors.tapes.values()].map(({ width }) => width));
  return Math.max(LEAST_WIDTH, Math.min(bytes * (tape / window_bytes) * WIRE_SCALE, tape * WIDEST_ON_WIRE));
}
