// @ts-check
/** What the browser itself draws into controls: the text of a field, the choice of a list, the knob of a slider. */
import { setPaint } from "./picture_colours.js";
import { drawLine } from "./picture_text.js";

/** @typedef {import("./picture_paper.js").Paper} Paper @typedef {import("./picture_paper.js").Box} Box */

const KNOB = 7;
const TRACK = 3.5;

/** @param {Paper} paper @param {Element} parent @param {HTMLElement} node @param {CSSStyleDeclaration} style @param {Box} box */
export function drawFace(paper, parent, node, style, box) {
  if (node instanceof HTMLInputElement && node.type === "range") drawSlider(paper, parent, node, style, box);
  else if (node instanceof HTMLInputElement && node.type !== "hidden") drawValue(paper, parent, style, box, node.value || node.placeholder);
  else if (node instanceof HTMLSelectElement) drawValue(paper, parent, style, box, `${node.selectedOptions[0]?.text ?? ""} ▾`, 4);
}

/** @param {Paper} paper @param {Element} parent @param {CSSStyleDeclaration} style @param {Box} box @param {string} text @param {number} [inset] that the browser adds by itself */
function drawValue(paper, parent, style, box, text, inset = 0) {
  if (!text) return;
  const size = Number.parseFloat(style.fontSize);
  const left = box.left + Number.parseFloat(style.paddingLeft) + Number.parseFloat(style.borderLeftWidth) + inset;
  const width = Math.min(text.length * size * 0.602, box.left + box.width - left - 2);
  drawLine(paper, parent, style, { text, box: { left, top: box.top + (box.height - size * 1.17) / 2, width, height: size * 1.17 } });
}

/** @param {Paper} paper @param {Element} parent @param {HTMLInputElement} node @param {CSSStyleDeclaration} style @param {Box} box */
function drawSlider(paper, parent, node, style, { left, top, width, height }) {
  const [value, least, most] = [node.value, node.min, node.max].map(Number);
  const middle = top + height / 2;
  const x = left + KNOB + (most > least ? (value - least) / (most - least) : 0) * (width - 2 * KNOB);
  const bar = style.accentColor === "auto" ? style.color : style.accentColor;
  setPaint(paper.add(parent, "rect", { y: middle - TRACK / 2, height: TRACK, rx: TRACK / 2, x: left, width }), "fill", bar);
  setPaint(paper.add(parent, "circle", { cx: x, cy: middle, r: KNOB }), "fill", style.color);
}
