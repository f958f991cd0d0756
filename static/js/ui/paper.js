// @ts-check
/**
 * The layout for print: ribbons, bands and marks are placed on the printed page before the browser prints.
 * A browser that does not announce printing in time prints none of them, rather than at their places on the screen.
 */
import { setAttribute } from "../view/nodes.js";

/** @param {HTMLElement} stage @param {import("../view/stage_view.js").StageView} view @param {import("./player.js").Player} player */
export function layOutOnPaper(stage, view, player) {
  window.matchMedia("print").addEventListener("change", ({ matches }) => {
    setAttribute(stage, "data-on-paper", matches);
    view.layout_changed = true;
    player.paintNow();
  });
}
