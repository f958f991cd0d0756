// @ts-check
/** Ribbons of ownership, drawn in one SVG under everything. */
import { asSvg } from "../scene/paths.js";
import { setAttribute } from "./nodes.js";

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {import("../scene/ribbons.js").Ribbon} Ribbon */

/**
 * @param {SVGElement} overlay
 * @param {Ribbon[]} ribbons
 * @param {(ribbon: Ribbon) => {group: number, consumer: number, link: string}} indexOf
 */
export function paintRibbons(overlay, ribbons, indexOf) {
  /** @type {Map<string, SVGGElement>} */
  const standing = new Map();
  for (const node of overlay.children) standing.set(node.getAttribute("data-ribbon") ?? "", /** @type {SVGGElement} */ (node));
  for (const ribbon of ribbons) {
    const node = standing.get(ribbon.key) ?? overlay.appendChild(make(ribbon.key));
    standing.delete(ribbon.key);
    const { group, consumer, link } = indexOf(ribbon);
    setAttribute(node, "data-group-index", group);
    setAttribute(node, "data-consumer-index", consumer);
    setAttribute(node, "data-link", link);
    setAttribute(node, "data-consumer", ribbon.consumer);
    for (const path of node.children) setAttribute(path, "d", asSvg(ribbon.piece));
  }
  for (const node of standing.values()) node.remove();
}

/** A ribbon is a pale edge, so that crossings read as over and under, and the colour with its pattern. @param {string} key */
function make(key) {
  const node = document.createElementNS(SVG, "g");
  node.setAttribute("class", "ribbon");
  node.setAttribute("data-ribbon", key);
  for (const name of ["ribbon-edge", "ribbon-line", "ribbon-core"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    node.append(path);
  }
  return node;
}
