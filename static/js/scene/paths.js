// @ts-check
/**
 * Ways across the stage, and places on them. A way is a list of straight and curved pieces; a place is a function of
 * how much of the way is done, so that motion is nothing but time.
 *
 * @typedef {{x: number, y: number}} Point
 * @typedef {{from: Point, to: Point, control?: [Point, Point], weight: number}} Piece
 */

/** @param {number} from @param {number} to @param {number} part */
export const between = (from, to, part) => from + (to - from) * part;

/** @param {number} part 0 to 1 @returns {number} slow at both ends */
export const eased = (part) => part * part * (3 - 2 * part);

/** @param {number} value */
export const unit = (value) => Math.min(1, Math.max(0, value));

/** @param {Point} from @param {Point} to @param {number} [weight] @returns {Piece} */
export function line(from, to, weight = Math.hypot(to.x - from.x, to.y - from.y)) {
  return { from, to, weight: Math.max(weight, 0.001) };
}

/** A curve that leaves and arrives level, as ribbons do. @param {Point} from @param {Point} to @returns {Piece} */
export function level(from, to) {
  const middle = between(from.x, to.x, 0.5);
  return {
    from, to, control: [{ x: middle, y: from.y }, { x: middle, y: to.y }],
    weight: Math.max(Math.hypot(to.x - from.x, to.y - from.y), 0.001),
  };
}

/** @param {Piece[]} pieces @returns {Piece[]} the same way, walked from its end */
export function reversed(pieces) {
  return pieces
    .map((piece) => ({
      ...piece, from: piece.to, to: piece.from,
      control: /** @type {[Point, Point] | undefined} */ (piece.control && [piece.control[1], piece.control[0]]),
    }))
    .reverse();
}

/** @param {Piece[]} pieces @param {number} part 0 to 1 @returns {Point} */
export function placeOn(pieces, part) {
  const whole = pieces.reduce((sum, piece) => sum + piece.weight, 0);
  let rest = unit(part) * whole;
  for (const piece of pieces) {
    if (rest <= piece.weight) return placeIn(piece, rest / piece.weight);
    rest -= piece.weight;
  }
  return pieces[pieces.length - 1].to;
}

/** @param {Piece} piece @param {number} part @returns {Point} */
function placeIn(piece, part) {
  if (!piece.control) {
    return { x: between(piece.from.x, piece.to.x, part), y: between(piece.from.y, piece.to.y, part) };
  }
  const [first, second] = piece.control;
  const rest = 1 - part;
  const weigh = (/** @type {number} */ a, /** @type {number} */ b, /** @type {number} */ c, /** @type {number} */ d) =>
    rest ** 3 * a + 3 * rest ** 2 * part * b + 3 * rest * part ** 2 * c + part ** 3 * d;
  return {
    x: weigh(piece.from.x, first.x, second.x, piece.to.x),
    y: weigh(piece.from.y, first.y, second.y, piece.to.y),
  };
}

/** @param {Piece} piece @returns {string} for the d of an SVG path */
export function asSvg(piece) {
  const { from, to, control } = piece;
  if (!control) return `M${from.x} ${from.y}L${to.x} ${to.y}`;
  return `M${from.x} ${from.y}C${control[0].x} ${control[0].y} ${control[1].x} ${control[1].y} ${to.x} ${to.y}`;
}
