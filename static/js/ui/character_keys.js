// @ts-check
/**
 * Whether letters, punctuation and Space act as keys: people who dictate, or press keys by accident, can switch them
 * off (WCAG 2.1.4). Arrows, End, F6, Tab and Enter always act. The browser stores the choice, if it may.
 */
import { part, setAttribute, setShown } from "../view/nodes.js";

const STORED_AS = "offsetscope.character-keys";
const OFF = "off";

/** @param {string} key as KeyboardEvent.key names it @returns {boolean} whether it writes something: a letter, a sign, a space */
export const isCharacter = (key) => [...key].length === 1;

export class CharacterKeys {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.stage = stage;
    this.box = /** @type {HTMLInputElement} */ (part(stage, "character-keys"));
    this.box.checked = remembered() !== OFF;
    this.box.addEventListener("change", () => {
      setShown(part(stage, "character-keys-note"), { hidden: remember(this.box.checked ? "on" : OFF) });
      this.#paint();
    });
    this.#paint();
  }

  /** @param {string} key @returns {boolean} whether it may act */
  allow(key) {
    return this.box.checked || !isCharacter(key);
  }

  /** Controls name their keys; a key that is off is not named. */
  #paint() {
    setAttribute(this.stage, "data-character-keys", this.box.checked ? "on" : OFF);
    for (const control of /** @type {NodeListOf<HTMLElement>} */ (this.stage.querySelectorAll("[aria-keyshortcuts], [data-keys]"))) {
      const keys = control.dataset.keys ?? control.getAttribute("aria-keyshortcuts") ?? "";
      control.dataset.keys = keys;
      control.dataset.title ??= control.title;
      if (this.box.checked) control.setAttribute("aria-keyshortcuts", keys);
      else control.removeAttribute("aria-keyshortcuts");
      control.title = this.box.checked ? control.dataset.title : control.dataset.title.replace(/ \([^)]*\)$/, "");
    }
  }
}

/** @returns {string} "" where nothing is stored, or storing is not allowed */
function remembered() {
  try {
    return window.localStorage.getItem(STORED_AS) ?? "";
  } catch {
    return ""; // storage is switched off, or this is an embed that may not reach it
  }
}

/** @param {string} value @returns {boolean} whether it will be there the next time */
function remember(value) {
  try {
    window.localStorage.setItem(STORED_AS, value);
    return true;
  } catch {
    return false;
  }
}
