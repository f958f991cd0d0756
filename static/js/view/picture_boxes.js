// @ts-check
/** Boxes of the page as shapes: grounds, hatchings, borders with their patterns, little triangles. */
import { paintOf, setPaint } from "./picture_colours.js";
import { rounded } from "./picture_paper.js";

/**
 * @typedef {import("./picture_paper.js").Paper} Paper
 * @typedef {import("./picture_paper.js").Box} Box
 * @typedef {{width: number, style: string, colour: string}} Side
 */

const SIDES = ["Top", "Right", "Bottom", "Left"];
const CORNERS = ["TopLeft", "TopRight", "BottomRight", "BottomLeft"];
/** What a border's pattern is as dashes, in widths of the border; a dotted one of a pixel or two is dashed finely. */
const DASHES = { dashed: [2, 2], dotted: [1, 1] };

/** @param {CSSStyleDeclaration} style @returns {Side[]} top, right, bottom, left */
function sidesOf(style) {
  return SIDES.map((side) => {
    /** @param {string} what */
    const of = (what) => /** @type {any} */ (style)[`border${side}${what}`];
    const shown = of("Style") !== "none" && paintOf(of("Color")).opacity > 0;
    return { width: shown ? Number.parseFloat(of("Width")) : 0, style: of("Style"), colour: of("Color") };
  });
}

/** Edges stand on whole pixels, as the browser draws them, so that thin lines stay crisp. @param {Box} box @returns {Box} */
function snapped({ left, top, width, height }) {
  const [x, y] = [Math.round(left), Math.round(top)];
  return { left: x, top: y, width: Math.round(left + width) - x, height: Math.round(top + height) - y };
}

/** @param {Paper} paper @param {Element} parent @param {CSSStyleDeclaration} style @param {Box} exact with its borders */
export function drawBox(paper, parent, style, exact) {
  if (exact.width === 0 && exact.height === 0) return;
  const box = snapped(exact);
  const outline = outlineOf(style, box);
  if (paintOf(style.backgroundColor).opacity > 0) setPaint(paper.add(parent, "path", { d: outline }), "fill", style.backgroundColor);
  const hatch = /^repeating-linear-gradient\(-45deg, .* 5px, (.*) 6px\)$/.exec(style.backgroundImage);
  if (hatch) paper.add(parent, "path", { d: outline, fill: paper.hatching(paintOf(hatch[1]).colour) });
  drawBorders(paper, parent, style, box);
}

/** @param {Paper} paper @param {Element} parent @param {CSSStyleDeclaration} style @param {Box} box */
function drawBorders(paper, parent, style, box) {
  const sides = sidesOf(style);
  if (!sides.some(({ width }) => width)) return;
  if (isTriangle(style)) return drawTriangle(paper, parent, style, sides, box);
  const [first] = sides;
  if (first.style !== "double" && sides.every((side) => side.width === first.width && side.style === first.style && side.colour === first.colour)) {
    const half = first.width / 2;
    const inner = { left: box.left + half, top: box.top + half, width: box.width - first.width, height: box.height - first.width };
    stroke(paper.add(parent, "path", { d: outlineOf(style, inner, half), fill: "none" }), first);
    return;
  }
  sides.forEach((side, index) => drawSide(paper, parent, side, index, box));
}

/** @param {Paper} paper @param {Element} parent @param {Side} side @param {number} index @param {Box} box */
function drawSide(paper, parent, side, index, { left, top, width, height }) {
  if (!side.width) return;
  const lines = side.style === "double" && side.width >= 3 ? [side.width / 6, (side.width * 5) / 6] : [side.width / 2];
  const thickness = lines.length > 1 ? side.width / 3 : side.width;
  for (const inset of lines) {
    const [x1, y1, x2, y2] = [
      [left, top + inset, left + width, top + inset], [left + width - inset, top, left + width - inset, top + height],
      [left, top + height - inset, left + width, top + height - inset], [left + inset, top, left + inset, top + height],
    ][index];
    stroke(paper.add(parent, "line", { x1, y1, x2, y2 }), { ...side, width: thickness });
  }
}

/** @param {Element} node @param {Side} side */
function stroke(node, { width, style, colour }) {
  setPaint(node, "stroke", colour);
  node.setAttribute("stroke-width", rounded(width));
  const dashes = DASHES[/** @type {"dashed" | "dotted"} */ (style)];
  if (dashes) node.setAttribute("stroke-dasharray", dashes.map((times) => rounded(times * Math.max(width, 1.5))).join(" "));
}

/** @param {CSSStyleDeclaration} style @returns {boolean} whether a box is nothing but borders, some of which are not seen */
function isTriangle({ boxSizing, width, height, borderLeftWidth, borderRightWidth, borderTopWidth, borderBottomWidth }) {
  const borders = boxSizing === "border-box" ? 1 : 0;
  /** @param {string} length @param {string[]} sides */
  const within = (length, sides) => Number.parseFloat(length) - borders * sides.reduce((sum, side) => sum + Number.parseFloat(side), 0);
  return within(width, [borderLeftWidth, borderRightWidth]) <= 0 && within(height, [borderTopWidth, borderBottomWidth]) <= 0;
}

/** An arrow's head that points to the left, which is the only one there is. @param {Paper} paper @param {Element} parent @param {CSSStyleDeclaration} style @param {Side[]} sides @param {Box} box */
function drawTriangle(paper, parent, style, [, right], box) {
  const [up, down] = [style.borderTopWidth, style.borderBottomWidth].map(Number.parseFloat);
  if (!right.width) return;
  const d = `M${rounded(box.left)} ${rounded(box.top + up)}l${rounded(right.width)} ${rounded(-up)}v${rounded(up + down)}z`;
  setPaint(paper.add(parent, "path", { d }), "fill", right.colour);
}

/** @param {CSSStyleDeclaration} style @param {Box} box @param {number} [inset] of the line from the border's outside @returns {string} a path */
function outlineOf(style, { left, top, width, height }, inset = 0) {
  const most = Math.min(width, height) / 2;
  const radii = CORNERS.map((corner) => {
    const text = /** @type {string} */ (/** @type {any} */ (style)[`border${corner}Radius`]);
    const radius = text.includes("%") ? (Number.parseFloat(text) / 100) * Math.min(width, height) : Number.parseFloat(text);
    return Math.max(0, Math.min(most, radius - inset));
  });
  const [a, b, c, d] = radii;
  /** @param {number} radius @param {number} x @param {number} y */
  const arc = (radius, x, y) => (radius ? `a${rounded(radius)} ${rounded(radius)} 0 0 1 ${rounded(x)} ${rounded(y)}` : "");
  return `M${rounded(left + a)} ${rounded(top)}h${rounded(width - a - b)}${arc(b, b, b)}v${rounded(height - b - c)}${arc(c, -c, c)}`
    + `h${rounded(-(width - c - d))}${arc(d, -d, -d)}v${rounded(-(height - d - a))}${arc(a, a, -a)}z`;
}
