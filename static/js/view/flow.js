// @ts-check
/** Bands of flow: one SVG group a band, a bed as wide as the rate and grains that move on it. */
import { setAttribute, setProperty } from "./nodes.js";

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {import("../scene/flow.js").Band} Band */

/**
 * @param {SVGElement} overlay
 * @param {Band[]} bands
 * @param {(band: Band) => {group: number, consumer: number}} indexOf -1 for the producer's
 */
export function paintBands(overlay, bands, indexOf) {
  /** @type {Map<string, SVGGElement>} */
  const standing = new Map();
  for (const node of overlay.children) standing.set(node.getAttribute("data-band") ?? "", /** @type {SVGGElement} */ (node));
  for (const band of bands) {
    const node = standing.get(band.key) ?? overlay.appendChild(make(band.key));
    standing.delete(band.key);
    const { group, consumer } = indexOf(band);
    setAttribute(node, "data-group-index", group);
    setAttribute(node, "data-consumer-index", consumer);
    setAttribute(node, "data-rate", Math.round(band.bytes_per_second));
    setProperty(node, "--band", `${band.width.toFixed(1)}px`);
    for (const path of node.children) setAttribute(path, "d", band.path);
  }
  for (const node of standing.values()) node.remove();
}

/**
 * Set the offset on each band's grains: a property inherited from the overlay would restyle everything in it, sixty
 * times a second.
 * @param {SVGElement} overlay @param {number} pixels
 */
export function moveGrains(overlay, pixels) {
  const offset = `${pixels.toFixed(1)}px`;
  for (const { lastElementChild: grains } of overlay.children) setProperty(/** @type {SVGElement} */ (grains), "stroke-dashoffset", offset);
}

/** @param {string} key */
function make(key) {
  const node = document.createElementNS(SVG, "g");
  node.setAttribute("class", "band");
  node.setAttribute("data-band", key);
  for (const name of ["band-bed", "band-grains"]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("class", name);
    node.append(path);
  }
  return node;
}
