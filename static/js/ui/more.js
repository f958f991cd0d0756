// @ts-check
/**
 * Controls of time that a narrow page folds away behind one button. Escape, a press elsewhere or the focus gone elsewhere
 * folds them away again. On a wide page they stand in the bar, and the button is not shown.
 */
import { part, setAttribute } from "../view/nodes.js";

/** @param {HTMLElement} stage */
export function foldAway(stage) {
  const [button, folded] = [part(stage, "more-button"), part(stage, "more")];
  const isOpen = () => button.getAttribute("aria-expanded") === "true";
  /** @param {boolean} open */
  const show = (open) => {
    setAttribute(button, "aria-expanded", open);
    setAttribute(folded, "data-open", open);
  };
  /** @param {Event} event */
  const isOfIt = ({ target }) => [button, folded].some((one) => one.contains(/** @type {Node} */ (target)));
  button.addEventListener("click", () => show(!isOpen()));
  stage.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !isOpen() || !isOfIt(event)) return;
    event.stopPropagation();
    show(false);
    button.focus();
  });
  for (const kind of ["pointerdown", "focusin"]) document.addEventListener(kind, (event) => isOpen() && !isOfIt(event) && show(false));
}
