// @ts-check
/** Where links with faults are drawn: from the edge of one party to the edge of the other, with words half way. */
import { linkInWords, partyInWords } from "./troubles.js";

/**
 * @typedef {import("./paths.js").Point} Point
 * @typedef {import("./ribbons.js").Box} Box
 * @typedef {{key: string, one: string, other: string, kind: string, words: string, from: Point, to: Point, middle: Point}} LinkMark
 */

/** Marks whose words would stand on each other move down by so much. */
const APART = 26;

/** @param {string} address @returns {string} of the card on which it stands: a mirror's producing half is on its consumer's */
const cardAddress = (address) => (address.startsWith("mirror:") ? `consumer:${address.slice("mirror:".length)}` : address);

/** @param {Box} box @param {Box} other @returns {Point} on the side that looks towards the other */
function edge({ left, top, width, height }, other) {
  const beside = other.left >= left + width ? left + width : other.left + other.width <= left ? left : left + width / 2;
  const below = beside === left + width / 2;
  return { x: beside, y: below ? (other.top > top ? top + height : top) : top + height / 2 };
}

/** @param {Record<string, any>} state @param {import("./ribbons.js").Anchors} anchors @returns {LinkMark[]} of those whose ends are both on the stage */
export function linkMarks(state, anchors) {
  /** @type {LinkMark[]} */
  const marks = [];
  for (const [key, link] of Object.entries(state.links)) {
    const [one, other] = key.split(" | ");
    const boxes = [one, other].map((address) => anchors.parties.get(cardAddress(address)));
    if (!boxes[0] || !boxes[1]) continue;
    const [from, to] = [edge(boxes[0], boxes[1]), edge(boxes[1], boxes[0])];
    const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
    while (marks.some((mark) => Math.abs(mark.middle.x - middle.x) < 8 * APART && Math.abs(mark.middle.y - middle.y) < APART)) middle.y += APART;
    marks.push({ key, one, other, kind: link.cut ? "cut" : "bad", words: linkInWords(partyInWords(other), link), from, to, middle });
  }
  return marks;
}
