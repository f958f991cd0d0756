// @ts-check
/** Where bytes of a log stand on the board, and how wide they are: on its tape, and on the wire. */
import { between, unit } from "./paths.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("./flights.js").Picture} Picture
 */

/** The widest mark on the wire, as a part of a tape. */
export const WIDEST_ON_WIRE = 0.2;
export const WIRE_SCALE = 0.4;
export const LEAST_WIDTH = 8;

/** @param {State} flight */
export const logOf = (flight) => `${flight.topic}-${flight.partition}`;

/** @param {Picture} picture @param {string} log @param {number} offset */
export function xOf(picture, log, offset) {
  const tape = picture.anchors.tapes.get(log);
  if (!tape) return 0;
  const part = (offset - (picture.origins.get(log) ?? 0)) / picture.window_bytes;
  return tape.left + unit(part) * tape.width;
}

/** @param {Picture} picture @param {string} log @param {number} bytes @param {number} onTape 1: as wide as on the tape, 0: as on the wire */
export function widthOf(picture, log, bytes, onTape) {
  const tape = picture.anchors.tapes.get(log)?.width ?? 0;
  const width = bytes * (tape / picture.window_bytes) * between(WIRE_SCALE, 1, onTape);
  return Math.max(LEAST_WIDTH, Math.min(width, tape * between(WIDEST_ON_WIRE, 1, onTape)));
}
