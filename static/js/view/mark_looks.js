// @ts-check
/**
 * The look that the style sheet gives a mark, read from a hidden one, so that a mark drawn on the canvas looks like a
 * node, in every theme and at every size.
 */

/**
 * @typedef {{width: number, colour: string}} Side
 * @typedef {{left: number, top: number, tip: number, half: number, colour: string}} Arrow its head, from the box's own corner
 * @typedef {{text: string, font: string, colour: string}} Sign
 * @typedef {{fill: string, rule: Side, width: number, gap: number}} Cell with the line after it; a width of 0 is its share of the load
 * @typedef {object} Look
 * @property {number} opacity @property {number} turn in radians
 * @property {number} width when it carries no bytes @property {number} least_width @property {number} height
 * @property {string} fill @property {number} radius
 * @property {Side[]} sides top, right, bottom, left @property {number[]} dash
 * @property {boolean} framed whether its sides are all the same
 * @property {Side} halo around it
 * @property {number} padding
 * @property {Cell} cell of its load
 * @property {Arrow | undefined} arrow @property {Sign | undefined} sign
 */

const SIDES = /** @type {const} */ (["Top", "Right", "Bottom", "Left"]);
const NO_PAINT = "rgba(0, 0, 0, 0)";
/** A shadow that is a frame: not moved, not blurred. */
const HALO = /^(.+\)) 0px 0px 0px ([\d.]+)px$/;

/** @param {string} length */
const pixels = (length) => Number.parseFloat(length) || 0;

/** @param {HTMLElement} node of a mark, where marks stand, with two cells if it has any @param {HTMLElement} load of it @returns {Look} */
export function lookOf(node, load) {
  const style = getComputedStyle(load);
  const sides = sidesOf(style);
  const padding = pixels(style.paddingLeft);
  return {
    opacity: Number(getComputedStyle(node).opacity),
    turn: (pixels(style.rotate) * Math.PI) / 180,
    width: pixels(style.width),
    least_width: sides[1].width + sides[3].width + 2 * padding,
    height: pixels(style.height),
    fill: style.backgroundColor,
    radius: style.borderTopLeftRadius.endsWith("%") ? Infinity : pixels(style.borderTopLeftRadius),
    sides,
    dash: style.borderTopStyle === "dashed" ? [3 * sides[0].width, 2 * sides[0].width] : [],
    framed: sides.every(({ width, colour }) => width === sides[0].width && colour === sides[0].colour),
    halo: haloOf(style),
    padding,
    cell: cellOf(load, style),
    ...before(load, style),
  };
}

/** @param {CSSStyleDeclaration} style @returns {Side[]} */
function sidesOf(style) {
  return SIDES.map((side) => {
    const shown = style[`border${side}Style`] !== "none";
    return { width: shown ? pixels(style[`border${side}Width`]) : 0, colour: style[`border${side}Color`] };
  });
}

/** @param {CSSStyleDeclaration} style @returns {Side} */
function haloOf(style) {
  const [, colour, width] = HALO.exec(style.boxShadow) ?? ["", NO_PAINT, "0"];
  return { width: pixels(width), colour };
}

/** @param {HTMLElement} load @param {CSSStyleDeclaration} around @returns {Cell} */
function cellOf(load, around) {
  const cell = load.firstElementChild;
  if (!cell) return { fill: NO_PAINT, rule: { width: 0, colour: NO_PAINT }, width: 0, gap: 0 };
  const style = getComputedStyle(cell);
  const width = style.flexGrow === "0" ? pixels(style.width) : 0;
  return { fill: style.backgroundColor, rule: sidesOf(style)[1], width, gap: pixels(around.columnGap) };
}

/** What the style sheet puts into it: the head of an arrow, or a sign. @param {HTMLElement} load @param {CSSStyleDeclaration} around */
function before(load, around) {
  const style = getComputedStyle(load, "::before");
  const text = /^"(.*)"$/.exec(style.content)?.[1];
  const [top, right] = sidesOf(style);
  const arrow = text === "" && right.width
    ? { left: pixels(around.borderLeftWidth) + pixels(style.left), top: pixels(around.borderTopWidth) + pixels(style.top), tip: right.width, half: top.width, colour: right.colour }
    : undefined;
  const sign = text ? { text, font: `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`, colour: style.color } : undefined;
  return { arrow, sign };
}
