// @ts-check
/** Words of the page as words of a picture: line by line where they stand, with the font's name and the width they take. */
import { setPaint } from "./picture_colours.js";

/**
 * @typedef {import("./picture_paper.js").Paper} Paper
 * @typedef {{text: string, box: {left: number, top: number, width: number, height: number}}} Line
 */

/** What XML cannot hold. */
const UNSPEAKABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Words that begin, after signs and digits, with a letter written from right to left. */
const FROM_THE_RIGHT = /^\P{L}*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/** The part of a line that lies above the baseline, by font. @type {Map<string, number>} */
const ascents = new Map();
/** @type {CanvasRenderingContext2D | undefined} */
let ruler;

/** @param {string} font @param {string} text */
function measured(font, text) {
  ruler ??= /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
  ruler.font = font;
  return ruler.measureText(text);
}

/** @param {CSSStyleDeclaration} style */
const fontOf = (style) => `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;

/** @param {string} font @returns {number} */
function ascentOf(font) {
  const known = ascents.get(font);
  if (known) return known;
  const { fontBoundingBoxAscent: above, fontBoundingBoxDescent: below } = measured(font, "x");
  const ascent = above / (above + below);
  ascents.set(font, ascent);
  return ascent;
}

/** @param {Paper} paper @param {Element} parent @param {CSSStyleDeclaration} style @param {Line} line in the picture @param {{underlined?: boolean}} [how] */
export function drawLine(paper, parent, style, { text, box }, { underlined = false } = {}) {
  const node = paper.add(parent, "text", {
    x: box.left, y: box.top + box.height * ascentOf(fontOf(style)), "font-family": style.fontFamily, "font-size": Number.parseFloat(style.fontSize),
    textLength: box.width, lengthAdjust: "spacingAndGlyphs", "xml:space": "preserve",
  });
  if (style.fontWeight !== "400") node.setAttribute("font-weight", style.fontWeight);
  if (style.fontStyle !== "normal") node.setAttribute("font-style", style.fontStyle);
  if (style.unicodeBidi === "plaintext" && FROM_THE_RIGHT.test(text)) {
    node.setAttribute("direction", "rtl");
    node.setAttribute("text-anchor", "end"); // which is the left
  }
  if (underlined) node.setAttribute("text-decoration", "underline");
  setPaint(node, "fill", style.color);
  node.textContent = text.replace(UNSPEAKABLE, "\ufffd");
}

/**
 * The lines of a text node, each as long as it is seen: what is cut off with an ellipsis ends in one here, too.
 * @param {Text} node
 * @param {{left: number, right: number} | undefined} ellipsis the box that cuts words off, if one does
 * @returns {Line[]} on the page
 */
export function linesOf(node, ellipsis) {
  const lines = [];
  for (const [start, end] of stretchesOf(node)) {
    const box = boxOf(node, start, end);
    const text = node.data.slice(start, end).replace(/\s+/g, " ");
    if (!box.width || !text.trim()) continue;
    lines.push(ellipsis ? cut(node, start, end, { text, box }, ellipsis) : { text, box });
  }
  return lines;
}

/** @param {Text} node @returns {number[][]} from and to of each of its lines */
function stretchesOf(node) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const tops = new Set([...range.getClientRects()].map(({ top }) => Math.round(top)));
  if (tops.size < 2) return [trimmed(node, 0, node.data.length)];
  const stretches = [];
  let [start, top] = [0, Number.NaN];
  for (let index = 0; index < node.data.length; index += 1) {
    const box = boxOf(node, index, index + 1);
    if (!box.width) continue;
    if (!Number.isNaN(top) && Math.abs(box.top - top) > box.height / 2) {
      stretches.push(trimmed(node, start, index));
      start = index;
    }
    top = box.top;
  }
  return [...stretches, trimmed(node, start, node.data.length)];
}

/** @param {Text} node @param {number} start @param {number} end @returns {number[]} without the blanks at either end, which take no room there */
function trimmed({ data }, start, end) {
  let [from, to] = [start, end];
  while (from < to && /\s/.test(data[from]) && data[from] !== "\u00a0") from += 1;
  while (to > from && /\s/.test(data[to - 1]) && data[to - 1] !== "\u00a0") to -= 1;
  return [from, to];
}

/** @param {Text} node @param {number} start @param {number} end */
function boxOf(node, start, end) {
  const range = document.createRange();
  range.setStart(node, start);
  range.setEnd(node, end);
  const { left, top, width, height } = range.getBoundingClientRect();
  return { left, top, width, height };
}

/** @param {Text} node @param {number} start @param {number} end @param {Line} line @param {{left: number, right: number}} ellipsis @returns {Line} */
function cut(node, start, end, line, { left, right }) {
  const { box } = line;
  const [beyond, before] = [box.left + box.width > right + 0.5, box.left < left - 0.5];
  if (!beyond && !before) return line;
  const dots = measured(fontOf(getComputedStyle(/** @type {Element} */ (node.parentElement))), "…").width;
  const room = (beyond ? right - Math.max(left, box.left) : right - left) - dots; // other words may stand before it on its line
  const from_start = beyond || FROM_THE_RIGHT.test(line.text);
  let count = 0;
  while (start + count < end) {
    const more = from_start ? boxOf(node, start, start + count + 1) : boxOf(node, end - count - 1, end);
    if (more.width > room) break;
    count += 1;
  }
  const kept = from_start ? boxOf(node, start, start + count) : boxOf(node, end - count, end);
  const text = from_start ? `${node.data.slice(start, start + count)}…` : `…${node.data.slice(end - count, end)}`;
  const width = Math.min(right - left, kept.width + dots);
  return { text, box: { ...kept, left: beyond ? box.left : right - width, width } };
}
