// @ts-check
/** The sheet a picture is drawn on: nodes of a new SVG, with places in pixels from the picture's corner. */

export const SVG = "http://www.w3.org/2000/svg";

/** @typedef {{left: number, top: number, width: number, height: number}} Box */

export class Paper {
  /** @param {DOMRect} corner of what is drawn, on the page */
  constructor(corner) {
    this.corner = corner;
    this.root = document.createElementNS(SVG, "svg");
    this.root.setAttribute("fill", "none");
    this.root.setAttribute("stroke", "none");
    this.root.setAttribute("width", String(Math.round(corner.width)));
    this.root.setAttribute("height", String(Math.round(corner.height)));
    this.root.setAttribute("viewBox", `0 0 ${Math.round(corner.width)} ${Math.round(corner.height)}`);
    this.shared = this.add(this.root, "defs", {});
    this.clips = 0;
    /** Of the hatchings, by their colour. @type {Map<string, string>} */
    this.hatchings = new Map();
  }

  /**
   * @param {Element} parent @param {string} name @param {Record<string, string | number>} attributes numbers to a hundredth of a pixel
   * @returns {SVGElement}
   */
  add(parent, name, attributes) {
    const node = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, typeof value === "number" ? rounded(value) : value);
    parent.append(node);
    return /** @type {SVGElement} */ (node);
  }

  /** @param {DOMRect | Box} box on the page @returns {Box} in the picture */
  place({ left, top, width, height }) {
    return { left: left - this.corner.left, top: top - this.corner.top, width, height };
  }

  /** @param {Element} parent @param {Box} box @returns {SVGElement} a group of which only what lies in the box is seen */
  clipped(parent, box) {
    this.clips += 1;
    const id = `clip-${this.clips}`;
    const clip = this.add(this.shared, "clipPath", { id });
    this.add(clip, "rect", { x: box.left, y: box.top, width: Math.max(0, box.width), height: Math.max(0, box.height) });
    return this.add(parent, "g", { "clip-path": `url(#${id})` });
  }

  /** Slanted lines, one pixel of six. @param {string} colour @returns {string} a fill */
  hatching(colour) {
    let id = this.hatchings.get(colour);
    if (!id) {
      id = `hatching-${this.hatchings.size + 1}`;
      this.hatchings.set(colour, id);
      const pattern = this.add(this.shared, "pattern", { id, width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
      this.add(pattern, "rect", { width: 1, height: 6, fill: colour });
    }
    return `url(#${id})`;
  }
}

/** @param {Box} one @param {Box} other @returns {boolean} whether they have anything in common */
export const meet = (one, other) =>
  one.left < other.left + other.width && other.left < one.left + one.width && one.top < other.top + other.height && other.top < one.top + one.height;

/** @param {Box} one @param {Box} other @returns {Box} what they have in common */
export function common(one, other) {
  const [left, top] = [Math.max(one.left, other.left), Math.max(one.top, other.top)];
  const [right, bottom] = [Math.min(one.left + one.width, other.left + other.width), Math.min(one.top + one.height, other.top + other.height)];
  return { left, top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
}

/** @param {number} value */
export const rounded = (value) => String(Math.round(value * 100) / 100);
