// @ts-check
/** Marks of what is on its way: one node a flight, moved by a transform and nothing else. */
import { keep, part, setAttribute, setProperty, setText } from "./nodes.js";

/** @typedef {import("../scene/flights.js").Mark} Mark */

/** @param {HTMLElement} layer @param {Mark[]} marks @param {(group: string) => number} indexOf a group's number */
export function paintFlights(layer, marks, indexOf) {
  keep(layer, marks, {
    template: "flight", attribute: "data-flight", key: (mark) => mark.key,
    fill: (node, mark) => {
      setAttribute(node, "data-kind", mark.kind);
      setAttribute(node, "data-idle", mark.idle);
      setAttribute(node, "data-group-index", indexOf(mark.group));
      node.style.transform = `translate(${mark.x.toFixed(1)}px, ${mark.y.toFixed(1)}px)`;
      setAttribute(node, "data-lost", mark.faded !== undefined);
      setAttribute(node, "data-failed", mark.failed ?? false);
      setProperty(node, "--faded", (mark.faded ?? 0).toFixed(2));
      setProperty(node, "--width", `${mark.width.toFixed(1)}px`);
      setProperty(node, "--shift", `${(mark.shift ?? 0).toFixed(1)}px`);
      setText(part(node, "label"), mark.label);
      setText(part(node, "detail"), mark.detail);
      if (mark.kind === "batch") paintCells(part(node, "load"), mark.cells);
    },
  });
}

/** @param {HTMLElement} load @param {number} cells */
function paintCells(load, cells) {
  const shown = Math.min(cells, 24);
  while (load.childElementCount < shown) load.append(document.createElement("i"));
  while (load.childElementCount > shown) load.lastElementChild?.remove();
}
