// @ts-check
/** The places of things on the board, in pixels from its corner: measured once after each change of the layout. */

/** @typedef {import("../scene/ribbons.js").Anchors} Anchors */

/** The size of a mark's label, as a part of the board's text (--text-tiny). */
const SMALL = 0.74;
/** How far above a tape a batch travels, as a part of the tape's height. */
const LIFT = 0.62;
/** Half of what a batch takes of that height: it stays below the controls of its broker, if there is room at all. */
const BATCH = 0.23;
const LEAST_LIFT = 0.1;

/** A letter of the monospaced face is so wide, as a part of its size. */
const LETTER = 0.62;

/** @param {HTMLElement} board @returns {number} */
const letterOf = (board) => Number.parseFloat(getComputedStyle(board).fontSize) * SMALL * LETTER;

/** @param {{top: number, height: number}} box */
const bottomOf = ({ top, height }) => top + height;

/** @param {import("../scene/ribbons.js").Box} box @returns {Anchors["producer"]} */
const producerOf = ({ left, top, width, height }) => ({ x: left + width, y: top + height / 4, left, below: top + height });

/** @param {number} height of a tape @param {number} room between it and the head of its card @returns {number} how far above it a batch travels */
const liftOf = (height, room) => Math.max(height * LEAST_LIFT, Math.min(height * LIFT, room - height * BATCH));

/** @param {HTMLElement} card of a broker @returns {number} how far below it the next one begins */
const gapOf = (card) => Number.parseFloat(getComputedStyle(/** @type {Element} */ (card.parentElement)).rowGap) || 0;

/** @param {HTMLElement} board @returns {Anchors} */
export function measure(board) {
  const corner = board.getBoundingClientRect();
  /** @param {Element} node */
  const box = (node) => {
    const { left, top, width, height } = node.getBoundingClientRect();
    return { left: left - corner.left, top: top - corner.top, width, height };
  };
  /** @param {string} selector @param {number} downwards part of its height */
  const rightOf = (selector, downwards) => {
    const node = board.querySelector(selector);
    if (!node) return { x: 0, y: 0 };
    const { left, top, width, height } = box(node);
    return { x: left + width, y: top + height * downwards };
  };
  const anchors = {
    producer: producerOf(box(/** @type {Element} */ (board.querySelector('[data-part="producer"]')))),
    registry: rightOf('[data-part="registry"]', 0.2),
    tapes: new Map(), tabs: new Map(), lanes: new Map(), consumers: new Map(), parties: new Map(), letter: letterOf(board),
  };
  for (const node of board.querySelectorAll("[data-address]")) anchors.parties.set(/** @type {HTMLElement} */ (node).dataset.address, box(node));
  for (const node of board.querySelectorAll("[data-log]")) {
    const log = /** @type {HTMLElement} */ (node).dataset.log ?? "";
    const tape = box(/** @type {Element} */ (node.querySelector('[data-part="window"]')));
    const card = /** @type {HTMLElement} */ (node.closest(".broker"));
    const { left, top, width, height } = box(card);
    const name = box(/** @type {Element} */ (card.querySelector(".broker-name")));
    const room = tape.top - bottomOf(box(/** @type {Element} */ (card.querySelector(".broker-head"))));
    anchors.tapes.set(log, {
      ...tape, lift: liftOf(tape.height, room), name: { from: name.left, to: name.left + name.width },
      edge: left, right: left + width, below: top + height + gapOf(card) / 2,
    });
    for (const tab of node.querySelectorAll('[data-part="owner"]')) {
      const group = /** @type {HTMLElement} */ (tab.parentElement).dataset.group;
      const { left, top, width, height } = box(tab);
      const row = box(/** @type {Element} */ (/** @type {HTMLElement} */ (tab.parentElement).querySelector('[data-part="group"]')));
      anchors.tabs.set(`${group}/${log}`, { x: left + width, y: top + height / 2 });
      anchors.lanes.set(`${group}/${log}`, { y: top + height, from: Math.min(left, row.left), to: left + width });
    }
  }
  for (const node of board.querySelectorAll(".consumer")) {
    const { group, consumer } = /** @type {HTMLElement} */ (node).dataset;
    anchors.consumers.set(`${group}/${consumer}`, box(node));
  }
  return anchors;
}
