// @ts-check
/** What the style sheet adds before and after a node: poles, rules, arrowheads, ticks. */
import { drawBox } from "./picture_boxes.js";
import { drawLine } from "./picture_text.js";

/** @typedef {import("./picture_paper.js").Paper} Paper @typedef {import("./picture_paper.js").Box} Box */

/** @param {Paper} paper @param {Element} parent @param {CSSStyleDeclaration} style of the pseudo-element @param {{node: HTMLElement, box: Box}} of the node it belongs to */
export function drawPseudo(paper, parent, style, { node, box }) {
  if (style.content === "none" || style.content === "normal" || style.display === "none" || style.visibility === "hidden") return;
  if (style.position === "absolute") drawBox(paper, parent, style, placed(paper, style, node));
  else drawMark(paper, parent, style, box);
}

/** @param {Paper} paper @param {CSSStyleDeclaration} style @param {HTMLElement} node @returns {Box} with its borders; its place is relative to the nearest positioned node */
function placed(paper, style, node) {
  const around = getComputedStyle(node).position === "static" ? /** @type {HTMLElement} */ (node.offsetParent ?? node) : node;
  const { left, top } = paper.place(around.getBoundingClientRect());
  const edges = getComputedStyle(around);
  /** @param {string} text */
  const pixels = (text) => Number.parseFloat(text) || 0;
  const sides = style.boxSizing === "border-box" ? 0 : 1;
  const wide = sides * (pixels(style.borderLeftWidth) + pixels(style.borderRightWidth) + pixels(style.paddingLeft) + pixels(style.paddingRight));
  const high = sides * (pixels(style.borderTopWidth) + pixels(style.borderBottomWidth) + pixels(style.paddingTop) + pixels(style.paddingBottom));
  return {
    left: left + pixels(edges.borderLeftWidth) + pixels(style.left) + pixels(style.marginLeft),
    top: top + pixels(edges.borderTopWidth) + pixels(style.top) + pixels(style.marginTop),
    width: pixels(style.width) + wide, height: pixels(style.height) + high,
  };
}

/** A sign in the line: at its beginning, or in the middle of a node that centres what it holds. @param {Paper} paper @param {Element} parent @param {CSSStyleDeclaration} style @param {Box} box */
function drawMark(paper, parent, style, box) {
  const text = /^"(.*)"$/.exec(style.content)?.[1].trim();
  if (!text) return;
  const size = Number.parseFloat(style.fontSize);
  const width = text.length * size * 0.6;
  const centred = style.display === "block";
  const left = centred ? box.left + (box.width - width) / 2 : box.left + size * 0.3;
  drawLine(paper, parent, style, { text, box: { left, top: box.top + (box.height - size * 1.2) / 2, width, height: size * 1.2 } });
}
