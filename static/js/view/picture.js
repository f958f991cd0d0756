// @ts-check
/**
 * The stage as a picture of its own: an SVG in which everything stands where it stands on the page, with colours, fonts
 * and patterns written on every shape, so that any program shows it as it looks here. The page is HTML; what it shows are
 * boxes, words and drawings, and these are drawn again. (A picture of HTML inside an SVG would be shown by browsers
 * alone.) Shadows are left out.
 */
import { drawBox } from "./picture_boxes.js";
import { drawDrawing } from "./picture_drawings.js";
import { drawFace } from "./picture_controls.js";
import { Paper, common, meet, rounded } from "./picture_paper.js";
import { drawPseudo } from "./picture_pseudo.js";
import { drawLine, linesOf } from "./picture_text.js";

/** @typedef {import("./picture_paper.js").Box} Box */
/**
 * @typedef {object} Inherited
 * @property {{left: number, right: number} | undefined} ellipsis of the page, where words are cut off
 * @property {boolean} underlined
 * @property {Box} seen what the nodes around do not cut off; nothing that lies outside is drawn
 */

/**
 * @param {HTMLElement} node of the page
 * @param {{title: string}} about
 * @returns {SVGSVGElement}
 */
export function pictureOf(node, { title }) {
  const paper = new Paper(node.getBoundingClientRect());
  paper.add(paper.root, "title", {}).textContent = title;
  const { width, height } = paper.corner;
  const sheet = { left: 0, top: 0, width, height };
  drawBox(paper, paper.root, getComputedStyle(document.body), sheet);
  drawElement(paper, paper.root, node, { ellipsis: undefined, underlined: false, seen: sheet });
  return /** @type {SVGSVGElement} */ (paper.root);
}

/** @param {Paper} paper @param {Element} parent @param {Element} node @param {Inherited} inherited */
function drawElement(paper, parent, node, inherited) {
  const style = getComputedStyle(node);
  if (style.display === "none" || style.opacity === "0" || style.clipPath === "inset(50%)") return;
  const degrees = Number.parseFloat(style.rotate) || 0;
  if (node instanceof SVGSVGElement) {
    if (style.visibility !== "hidden") drawDrawing(paper, layer(paper, parent, style), node, degrees);
    return;
  }
  if (!(node instanceof HTMLElement) || node instanceof HTMLTemplateElement) return;
  const box = boxOf(paper, node, degrees);
  const own = layer(paper, parent, style);
  const place = degrees ? paper.add(own, "g", { transform: `rotate(${degrees} ${rounded(box.left + box.width / 2)} ${rounded(box.top + box.height / 2)})` }) : own;
  if (style.visibility !== "hidden" && meet(box, inherited.seen)) {
    drawBox(paper, place, style, box);
    drawFace(paper, place, node, style, box);
  }
  drawInside(paper, place, node, { style, box, inherited });
}

/** @param {Paper} paper @param {Element} parent @param {CSSStyleDeclaration} style @returns {Element} a group of its own for what shines through */
function layer(paper, parent, style) {
  return style.opacity === "1" ? parent : paper.add(parent, "g", { opacity: style.opacity });
}

/** @param {Paper} paper @param {HTMLElement} node @param {number} degrees @returns {Box} as it is before it is turned */
function boxOf(paper, node, degrees) {
  const box = paper.place(node.getBoundingClientRect());
  if (!degrees) return box;
  const [width, height] = [node.offsetWidth, node.offsetHeight];
  return { left: box.left + (box.width - width) / 2, top: box.top + (box.height - height) / 2, width, height };
}

/** @param {Paper} paper @param {Element} parent @param {HTMLElement} node @param {{style: CSSStyleDeclaration, box: Box, inherited: Inherited}} of */
function drawInside(paper, parent, node, { style, box, inherited }) {
  const cut = cutOff(node, { style, box });
  if (cut && !meet(cut, inherited.seen)) return;
  const inside = cut ? paper.clipped(parent, cut) : parent;
  const down = {
    ellipsis: style.textOverflow === "ellipsis" ? edgesOf(node, style) : inherited.ellipsis,
    underlined: inherited.underlined || style.textDecorationLine.includes("underline"),
    seen: cut ? common(cut, inherited.seen) : inherited.seen,
  };
  const before = getComputedStyle(node, "::before");
  const after = getComputedStyle(node, "::after");
  const pseudo = { node, box };
  for (const one of [before, after]) if (layerOf(one) < 0) drawPseudo(paper, inside, one, pseudo);
  if (layerOf(before) >= 0) drawPseudo(paper, inside, before, pseudo);
  for (const child of inOrder(node)) {
    if (child instanceof Text) drawText(paper, inside, child, style, down);
    else drawElement(paper, inside, /** @type {Element} */ (child), down);
  }
  if (layerOf(after) >= 0) drawPseudo(paper, inside, after, pseudo);
}

/** @param {HTMLElement} node @param {CSSStyleDeclaration} style @returns {{left: number, right: number}} between which its words are, on the page */
function edgesOf(node, style) {
  const { left, right } = node.getBoundingClientRect();
  return { left: left + Number.parseFloat(style.paddingLeft), right: right - Number.parseFloat(style.paddingRight) };
}

/** @param {CSSStyleDeclaration} style */
const layerOf = (style) => Number.parseInt(style.zIndex, 10) || 0;

/** @param {HTMLElement} node @returns {ChildNode[]} its children, those below first */
function inOrder(node) {
  const layers = [...node.childNodes].map((child, index) => {
    if (!(child instanceof Element)) return { child, index, layer: 0 };
    const style = getComputedStyle(child);
    return { child, index, layer: layerOf(style) * 2 + (style.position === "static" ? 0 : 1) };
  });
  return layers.sort((one, other) => one.layer - other.layer || one.index - other.index).map(({ child }) => child);
}

/** @param {HTMLElement} node @param {{style: CSSStyleDeclaration, box: Box}} of @returns {Box | undefined} beyond which nothing of what is inside is seen */
function cutOff(node, { style, box }) {
  const insets = /^inset\((.*)\)$/.exec(style.clipPath)?.[1].split(" ").map(Number.parseFloat);
  if (insets) {
    const [top, right = top, bottom = top, left = right] = insets;
    return { left: box.left + left, top: box.top + top, width: box.width - left - right, height: box.height - top - bottom };
  }
  // What sticks out to the left of a box that clips counts as no overflow.
  const cuts = (style.overflowX === "clip" && node.firstElementChild)
    || (style.overflowX !== "visible" && (node.scrollWidth > node.clientWidth || node.scrollHeight > node.clientHeight));
  return cuts ? box : undefined;
}

/** @param {Paper} paper @param {Element} parent @param {Text} node @param {CSSStyleDeclaration} style @param {Inherited} how */
function drawText(paper, parent, node, style, { ellipsis, underlined, seen }) {
  if (style.visibility === "hidden" || !node.data.trim()) return;
  for (const line of linesOf(node, ellipsis)) {
    const box = paper.place(line.box);
    if (meet(box, seen)) drawLine(paper, parent, style, { text: line.text, box }, { underlined });
  }
}
