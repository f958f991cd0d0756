// @ts-check
/** Notes of the page itself, shown where the outcomes of commands are shown. */
import { clone, part, setText } from "../view/nodes.js";

/**
 * @param {HTMLElement} stage @param {string} message @param {string} [remedy] @param {"note" | "false"} [kind]
 * @returns {HTMLElement} what was put there; it stands until something else does, or it is removed
 */
export function say(stage, message, remedy = "", kind = "note") {
  const outcome = clone("outcome");
  outcome.dataset.ok = kind;
  setText(/** @type {Element} */ (outcome.querySelector(".outcome-message")), message);
  setText(/** @type {Element} */ (outcome.querySelector(".outcome-remedy")), remedy);
  part(stage, "outcome").replaceChildren(outcome);
  return outcome;
}
