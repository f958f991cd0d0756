// @ts-check
/** Where things are on the board, in pixels from its corner: measured once after each change of the layout. */

/** @typedef {import("../scene/ribbons.js").Anchors} Anchors */

/** The size of a mark's label, as a part of the board's text (--text-tiny). */
const SMALL = 0.74;
/** How far above a tape a batch travels, as a part of the tape's height. */
const LIFT = 0.62;

/** A letter of the monospaced face is so wide, as a part of its size. */
const LETTER = 0.62;

/** @param {HTMLElement} board @returns {number} */
const letterOf = (board) => Number.parseFloat(getComputedStyle(board).fontSize) * SMALL * LETTER;

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
    producer: rightOf('[data-part="producer"]', 0.25), registry: rightOf('[data-part="registry"]', 0.2),
    tapes: new Map(), tabs: new Map(), lanes: new Map(), consumers: new Map(), letter: letterOf(board),
  };
  for (const node of board.querySelectorAll("[data-log]")) {
    const log = /** @type {HTMLElement} */ (node).dataset.log ?? "";
    const records = box(/** @type {Element} */ (node.querySelector('[data-part="records"]')));
    anchors.tapes.set(log, { ...records, lift: records.height * LIFT });
    for (const tab of node.querySelectorAll('[data-part="owner"]')) {
      const group = /** @type {HTMLElement} */ (tab.parentElement).dataset.group;
      const { left, top, width, height } = box(tab);
      const name = box(/** @type {Element} */ (/** @type {HTMLElement} */ (tab.parentElement).querySelector('[data-part="group"]')));
      anchors.tabs.set(`${group}/${log}`, { x: left + width, y: top + height / 2 });
      anchors.lanes.set(`${group}/${log}`, { y: top + height, from: Math.min(left, name.left), to: left + width });
    }
  }
  for (const node of board.querySelectorAll(".consumer")) {
    const { group, consumer } = /** @type {HTMLElement} */ (node).dataset;
    anchors.consumers.set(`${group}/${consumer}`, box(node));
  }
  return anchors;
}
