// @ts-check
/**
 * Paper has a layout of its own and waits for no frame: ribbons, bands and marks are placed on it before it is printed.
 * A browser that does not say in time that it prints shows none of them, rather than where they stand on the screen.
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
