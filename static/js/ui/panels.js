// @ts-check
/** Panels beside the picture: the inspector and its fragments, the list of keys, and the registry's tree. */
import { part } from "../view/nodes.js";

/** While the table is open, its groups are read again this often. */
const GROUPS_EVERY_MS = 3_000;
/** The tree is read again at most this often. */
const REFRESH_MS = 400;

export class Panels {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.inspector = /** @type {HTMLDialogElement} */ (part(stage, "inspector"));
    this.help = /** @type {HTMLDialogElement} */ (part(stage, "help"));
    this.tree = /** @type {HTMLElement} */ (stage.querySelector("#registry"));
    this.timer = 0;
    /** @type {Map<string, string>} */
    this.known = new Map();
    stage.addEventListener("click", (event) => this.#clicked(event));
    stage.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.inspector.open) this.inspector.close();
    });
    this.inspector.addEventListener("close", () => /** @type {HTMLElement | undefined} */ (this.opener)?.focus());
    this.#keepGroupsFresh(/** @type {HTMLDetailsElement} */ (part(stage, "facts-table")), part(stage, "groups-table"));
    this.tree.addEventListener("htmx:after:swap", () => this.#markFresh());
  }

  /** @param {Event} event */
  #clicked(event) {
    const target = /** @type {Element} */ (event.target);
    if (target.closest('[data-open="help"]')) this.showHelp();
    const link = /** @type {HTMLAnchorElement | null} */ (target.closest("a.cell, a[data-panel]"));
    const { htmx } = /** @type {any} */ (window);
    if (!link || !htmx || /** @type {MouseEvent} */ (event).ctrlKey || /** @type {MouseEvent} */ (event).metaKey) return;
    event.preventDefault();
    this.opener = link;
    htmx.ajax("GET", link.href, { target: "#inspector-content", swap: "innerHTML" });
    if (!this.inspector.open) this.inspector.show();
  }

  /** @param {HTMLDetailsElement} details @param {HTMLElement} groups */
  #keepGroupsFresh(details, groups) {
    let timer = 0;
    const read = () => {
      if (!document.hidden) /** @type {any} */ (window).htmx?.trigger(groups, "groups-wanted");
    };
    details.addEventListener("toggle", () => {
      window.clearInterval(timer);
      if (!details.open) return;
      read();
      timer = window.setInterval(read, GROUPS_EVERY_MS);
    });
  }

  showHelp() {
    if (!this.help.open) this.help.showModal();
  }

  /** The registry has changed: read the tree again, soon. */
  refreshRegistry() {
    if (this.timer) return;
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      /** @type {any} */ (window).htmx?.trigger(this.tree, "registry-changed");
    }, REFRESH_MS);
  }

  /** Mark the nodes that were not there, or had another value, when the tree was read before. */
  #markFresh() {
    /** @type {Map<string, string>} */
    const now = new Map();
    for (const node of this.tree.querySelectorAll(".node")) {
      const { path = "" } = /** @type {HTMLElement} */ (node).dataset;
      now.set(path, node.querySelector(":scope > .node-value")?.textContent ?? "");
      if (this.known.size && this.known.get(path) !== now.get(path)) node.setAttribute("data-fresh", "");
    }
    this.known = now;
  }
}
