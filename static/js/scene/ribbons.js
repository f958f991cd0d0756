// @ts-check
/** Ownership as ribbons: from a partition's tab of a group to the consumer that owns it. */
import { ownerOf } from "./ownership.js";
import { level } from "./paths.js";

/**
 * @typedef {import("./paths.js").Point} Point
 * @typedef {import("./paths.js").Piece} Piece
 * @typedef {Record<string, any>} State
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 * @typedef {object} Tape
 * @property {number} left @property {number} top @property {number} width @property {number} height
 * @property {number} lift how far above the tape a batch travels
 * @property {number} edge the left edge of its broker's card @property {number} right the right one
 * @property {number} below the middle of the gap below that card @property {{from: number, to: number}} name of the broker: from where to where
 * @typedef {object} Anchors where things are on the stage, in pixels from its corner
 * @property {Point & {left: number, below: number}} producer where it sends from, its left and its lower edge @property {Point} registry
 * @property {Map<string, Tape>} tapes by "<topic>-<partition>"
 * @property {Map<string, {y: number, from: number, to: number}>} lanes by "<group>/<topic>-<partition>": the line below the
 *   names of a row, and from where to where names stand above it
 * @property {number} letter how wide a letter of a mark's label is
 * @property {Map<string, Point>} tabs by "<group>/<topic>-<partition>": where a ribbon begins
 * @property {Map<string, Box>} consumers by "<group>/<consumer>"
 * @property {Map<string, Box>} parties everything with an address, by address
 * @typedef {{key: string, group: string, consumer: string, log: string, piece: Piece}} Ribbon
 */

/** @param {State} state @param {Anchors} anchors @returns {Ribbon[]} */
export function ribbons(state, anchors) {
  return Object.entries(state.groups).flatMap(([group, { consumers }]) =>
    consumers.flatMap((/** @type {string} */ consumer) => {
      const card = anchors.consumers.get(`${group}/${consumer}`);
      const owned = Object.entries(state.partitions).filter(([, log]) => ownerOf(state, group, log) === consumer);
      if (!card) return [];
      return owned.flatMap(([log], index) => {
        const tab = anchors.tabs.get(`${group}/${log}`);
        if (!tab) return [];
        const end = { x: card.left, y: card.top + (card.height * (index + 1)) / (owned.length + 1) };
        return [{ key: `${group}/${log}`, group, consumer, log, piece: level(tab, end) }];
      });
    }),
  );
}
