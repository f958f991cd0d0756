// @ts-check
/**
 * Marks of commits and watch notifications, between consumers and their registry. Where the registry is left of the
 * brokers, they pass below a broker, in the gap before the next one, so that they cross no log and cover no text.
 */
import { logOf } from "./on_tape.js";
import { level, line, placeOn, reversed } from "./paths.js";
import { partitionInWords } from "./words.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("./flights.js").Picture} Picture
 * @typedef {import("./flights.js").Mark} Mark
 * @typedef {import("./paths.js").Piece} Piece
 * @typedef {import("./paths.js").Point} Point
 * @typedef {import("./ribbons.js").Tape} Tape
 */

/** Between a mark's middle and the words beside it, in letters. */
const BESIDE_LETTERS = 1.7;

/** @param {State} flight @param {Picture} picture @param {number} part */
export function commit(flight, picture, part) {
  const from = cardOf(picture, `${flight.group}/${flight.consumer}`);
  const tape = picture.anchors.tapes.get(logOf(flight));
  if (!from) return undefined;
  const words = `${partitionInWords(picture.state, flight)}: commit ${flight.offset}`;
  return markOf(picture, { kind: "commit", group: flight.group, words }, part, { tape, from, turned: (way) => way });
}

/** @param {State} flight @param {Picture} picture @param {number} part */
export function watch(flight, picture, part) {
  const client = flight.client.slice(flight.client.indexOf(":") + 1);
  const to = cardOf(picture, client);
  if (!to) return undefined;
  const { tapes, consumers } = picture.anchors;
  const gaps = new Map([...tapes.values()].map((tape) => [tape.below, tape]));
  const tape = [...gaps.values()][[...consumers.keys()].indexOf(client) % Math.max(1, gaps.size)]; // each has a gap, so that their words do not meet
  const words = `watch: ${flight.path.slice(flight.path.lastIndexOf("/") + 1)} changed`;
  return markOf(picture, { kind: "watch", group: client.slice(0, client.lastIndexOf("/")), words }, part, { tape, from: to, turned: reversed });
}

/** @param {Picture} picture @param {string} consumer `<group>/<name>` @returns {Point | undefined} */
export function cardOf(picture, consumer) {
  const card = picture.anchors.consumers.get(consumer);
  return card && { x: card.left, y: card.top + card.height / 2 };
}

/**
 * @param {Picture} picture @param {{kind: string, group: string, words: string}} about @param {number} part of the way
 * @param {{tape: Tape | undefined, from: Point, turned: (way: Piece[]) => Piece[]}} way below the broker of which tape it may
 *   pass, from which card, and which way round it is walked
 */
function markOf({ anchors: { registry, letter } }, { kind, group, words }, part, { tape, from, turned }) {
  const passes = tape && registry.x <= tape.edge && tape.right <= from.x;
  const way = passes ? roundBroker(from, tape, registry) : [line(from, registry)];
  const place = placeOn(turned(way), part);
  const room = (words.length + 1) * letter;
  const beside = room / 2 + BESIDE_LETTERS * letter;
  const ahead = place.x + beside + room / 2 <= (passes ? tape.right : from.x); // else its words stand left of it
  const readable = !passes || (tape.edge <= place.x && place.x <= tape.right);
  return {
    kind, ...place, width: 0, cells: 0, group, idle: false, detail: "",
    label: readable ? words : "", shift: ahead ? beside : -beside,
  };
}

/** @param {Point} card @param {Tape} tape @param {Point} registry @returns {Piece[]} */
function roundBroker(card, { edge, right, below }, registry) {
  return [level(card, { x: right, y: below }), line({ x: right, y: below }, { x: edge, y: below }), level({ x: edge, y: below }, registry)];
}
