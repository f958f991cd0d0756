// @ts-check
/** The dialogs of the page: the inspector, which links in the picture open, and the list of keys. */
import { part } from "../view/nodes.js";
import { PANEL_LINK } from "./lazy_parts.js";

export class Panels {
  /** @param {HTMLElement} stage @param {import("./lazy_parts.js").LazyParts} lazy */
  constructor(stage, { inspector }) {
    this.inspector = inspector;
    this.place = /** @type {HTMLDialogElement} */ (part(stage, "inspector"));
    this.help = /** @type {HTMLDialogElement} */ (part(stage, "help"));
    stage.addEventListener("click", (event) => this.#clicked(event));
  }

  /** @param {MouseEvent} event */
  #clicked(event) {
    const target = /** @type {Element} */ (event.target);
    if (target.closest('[data-open="help"]')) this.showHelp();
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest(PANEL_LINK));
    const { htmx } = /** @type {any} */ (window);
    if (!link || !htmx || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    this.inspector.ask((inspector) => inspector.follow(link));
  }

  /** Close the inspector; the list of keys, being modal, closes by itself. */
  close() {
    if (this.place.open) this.place.close();
  }

  showHelp() {
    if (!this.help.open) this.help.showModal();
  }
}
