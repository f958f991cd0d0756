// @ts-check
/** Keys of the whole page; they do nothing while a person types or the stage is out of view. */
import { part } from "../view/nodes.js";
import { isCharacter } from "./character_keys.js";
import { actOf, KEY_MAP, keyInWords } from "./key_map.js";

const TYPING = "input:not([type=range]), textarea, select, [contenteditable]";
/** Controls that use Space or the arrow keys themselves. */
const OWN_KEYS = /** @type {Record<string, string>} */ ({
  " ": "button, summary",
  ArrowLeft: "[role=slider], input[type=range], .cell, .consumer-actions",
  ArrowRight: "[role=slider], input[type=range], .cell, .consumer-actions",
  End: "[role=slider], input[type=range], .cell, .consumer-actions",
});
/** Keys that act in a field, too: they write nothing. */
const NEVER_TYPED = new Set(["F6", "Escape"]);

/** @typedef {Record<string, (event: KeyboardEvent) => void>} Acts by their names in the key map */

/**
 * @param {Acts} acts
 * @param {(key: string) => boolean} mayAct whether the stage is on the screen, and the key not switched off
 */
export function listenForKeys(acts, mayAct) {
  const nameless = KEY_MAP.page.meanings.filter(({ act }) => !acts[act]);
  if (nameless.length) throw new Error(`no action is defined for ${nameless.map(({ act }) => act).join(", ")}`);
  document.addEventListener("keydown", (event) => {
    const act = actOf("page", event.key);
    if (!act || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !mayAct(event.key)) return;
    const target = /** @type {Element} */ (event.target);
    if (target.closest(TYPING) && !NEVER_TYPED.has(event.key)) return;
    if (document.querySelector(":modal")) return; // the list of keys is being read
    if (OWN_KEYS[event.key] && target.closest(OWN_KEYS[event.key])) return;
    if (event.key !== "Escape") event.preventDefault();
    acts[act](event);
  });
}

/** Write the list of keys from the table. @param {HTMLElement} stage */
export function listKeys(stage) {
  part(stage, "key-list").replaceChildren(...Object.entries(KEY_MAP).flatMap(([place, { title, meanings }]) => {
    const heading = document.createElement("h3");
    heading.textContent = title;
    const list = document.createElement("dl");
    list.dataset.place = place;
    list.append(...meanings.map(keyRow));
    return [heading, list];
  }));
}

/** @param {import("./key_map.js").Meaning} meaning */
function keyRow({ keys, words }) {
  const row = document.createElement("div");
  const term = document.createElement("dt");
  keys.forEach((key, index) => {
    const cap = document.createElement("kbd");
    cap.textContent = keyInWords(key);
    cap.dataset.character = String(isCharacter(key));
    term.append(index ? " or " : "", cap);
  });
  const meaning = document.createElement("dd");
  meaning.textContent = words;
  row.append(term, meaning);
  return row;
}
