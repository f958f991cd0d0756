// @ts-check
/** The SVGs of the page (ribbons, dials, icons, lines of lag) in a picture: as they are, with the style sheet's looks written on them. */
import { setPaint } from "./picture_colours.js";
import { rounded } from "./picture_paper.js";

/** @typedef {import("./picture_paper.js").Paper} Paper */

const LENGTHS = /** @type {const} */ (["strokeWidth", "strokeDashoffset", "opacity"]);
const WORDS = /** @type {const} */ (["strokeDasharray", "strokeLinecap", "strokeLinejoin"]);
const USUAL = /** @type {Record<string, string>} */ ({
  strokeWidth: "1", strokeDashoffset: "0", opacity: "1", strokeDasharray: "none", strokeLinecap: "butt", strokeLinejoin: "miter",
});
const GEOMETRY = ["d", "cx", "cy", "r", "x", "y", "x1", "y1", "x2", "y2", "width", "height", "points", "pathLength", "transform"];

/** @param {Paper} paper @param {Element} parent @param {SVGSVGElement} drawing of the page @param {number} degrees that it is turned */
export function drawDrawing(paper, parent, drawing, degrees) {
  const box = paper.place(drawing.getBoundingClientRect());
  if (!box.width || !box.height) return;
  const [middle_x, middle_y] = [rounded(box.left + box.width / 2), rounded(box.top + box.height / 2)];
  const turned = degrees ? paper.add(parent, "g", { transform: `rotate(${degrees} ${middle_x} ${middle_y})` }) : parent;
  const fit = fitOf(drawing, box);
  const frame = paper.add(turned, "g", { transform: `translate(${rounded(fit.left)} ${rounded(fit.top)})${fit.even && fit.x !== 1 ? ` scale(${fit.x.toFixed(4)})` : ""}` });
  for (const child of drawing.children) copy(paper, frame, /** @type {SVGElement} */ (child), fit.even ? { x: 1, y: 1 } : fit);
}

/**
 * How a drawing lies in its box. One that is stretched unevenly has its points moved, so that its lines stay as thick.
 * @param {Element} drawing @param {import("./picture_paper.js").Box} box
 * @returns {{left: number, top: number, x: number, y: number, even: boolean}}
 */
function fitOf(drawing, { left, top, width, height }) {
  const [least_x, least_y, wide, high] = (drawing.getAttribute("viewBox") ?? `0 0 ${width} ${height}`).split(" ").map(Number);
  const [x, y] = [width / wide, height / high];
  if (drawing.getAttribute("preserveAspectRatio") === "none") return { left: left - least_x * x, top: top - least_y * y, x, y, even: false };
  const scale = Math.min(x, y);
  return { left: left + (width - wide * scale) / 2 - least_x * scale, top: top + (height - high * scale) / 2 - least_y * scale, x: scale, y: scale, even: true };
}

/** @param {string} d a path of straight lines, its points absolute @param {{x: number, y: number}} stretch */
function stretched(d, { x, y }) {
  return d.replace(/([MLHVZ])([^MLHVZ]*)/g, (_all, letter, numbers) => {
    const values = numbers.trim().split(/[ ,]+/).filter(Boolean).map(Number);
    return letter + values.map((/** @type {number} */ value, /** @type {number} */ index) => rounded(value * (letter === "V" || (letter !== "H" && index % 2) ? y : x))).join(" ");
  });
}

/** @param {Paper} paper @param {SVGElement} parent @param {SVGElement} node @param {{x: number, y: number}} stretch */
function copy(paper, parent, node, stretch) {
  const style = getComputedStyle(node);
  if (style.display === "none" || style.visibility === "hidden" || node.tagName === "title" || node.tagName === "defs") return;
  if (node.tagName === "use") return copySymbol(paper, parent, node, style);
  const drawn = paper.add(parent, node.tagName, {});
  for (const name of GEOMETRY) {
    const value = node.getAttribute(name);
    if (value !== null) drawn.setAttribute(name, name === "d" && stretch.x !== stretch.y ? stretched(value, stretch) : value);
  }
  if (node.tagName !== "g") dress(drawn, style);
  else if (style.opacity !== "1") drawn.setAttribute("opacity", style.opacity);
  for (const child of node.children) copy(paper, drawn, /** @type {SVGElement} */ (child), stretch);
}

/** @param {SVGElement} drawn @param {CSSStyleDeclaration} style */
function dress(drawn, style) {
  setPaint(drawn, "fill", style.fill);
  setPaint(drawn, "stroke", style.stroke);
  for (const name of [...LENGTHS, ...WORDS]) {
    const value = String(style[name]).replaceAll("px", "");
    if (value !== USUAL[name]) drawn.setAttribute(name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`), value);
  }
}

/** An icon: its shapes in the colour of where it is used. @param {Paper} paper @param {SVGElement} parent @param {SVGElement} use @param {CSSStyleDeclaration} style */
function copySymbol(paper, parent, use, style) {
  const symbol = document.querySelector(use.getAttribute("href") ?? "");
  if (!symbol) return;
  const around = /** @type {SVGSVGElement} */ (use.ownerSVGElement).getBoundingClientRect();
  const { x: scale } = fitOf(symbol, { left: 0, top: 0, width: around.width, height: around.height });
  const frame = paper.add(parent, "g", { transform: `scale(${scale.toFixed(4)})` });
  for (const shape of symbol.children) {
    const drawn = paper.add(frame, shape.tagName, {});
    for (const name of [...GEOMETRY, "stroke-width", "stroke-linecap", "stroke-linejoin"]) {
      const value = shape.getAttribute(name);
      if (value !== null) drawn.setAttribute(name, value);
    }
    setPaint(drawn, "fill", shape.getAttribute("fill") === "none" ? "none" : style.fill);
    if (shape.hasAttribute("stroke")) setPaint(drawn, "stroke", style.color);
  }
}
