// @ts-check
/** Breaking and mending in the inspector: the other end of a link is picked on the stage; answers go when the inspector closes. */

/** What can be picked as the other end of a link. */
const PARTY = "[data-address]";

export class Breaking {
  /**
   * @param {HTMLElement} stage
   * @param {{inspector: HTMLElement, content: HTMLElement, outcome: HTMLElement}} panel
   */
  constructor(stage, { inspector, content, outcome }) {
    this.stage = stage;
    this.content = content;
    inspector.addEventListener("close", () => {
      outcome.replaceChildren();
      this.#stopPicking();
    });
    content.addEventListener("click", (event) => {
      if (/** @type {Element} */ (event.target).closest("[data-pick-start]")) stage.dataset.picking = "true";
    });
    stage.addEventListener("click", (event) => this.#pick(event), { capture: true });
    stage.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || !stage.dataset.picking) return;
      event.stopPropagation();
      this.#stopPicking();
    }, { capture: true });
  }

  /** @param {Event} event */
  #pick(event) {
    const target = /** @type {Element} */ (event.target);
    if (!this.stage.dataset.picking || this.content.contains(target)) return;
    event.preventDefault();
    event.stopPropagation();
    const party = /** @type {HTMLElement | null} */ (target.closest(PARTY));
    const select = /** @type {HTMLSelectElement | null} */ (this.content.querySelector("select[data-pick]"));
    const option = select && [...select.options].find(({ value }) => value === party?.dataset.address);
    if (!select || !option) return;
    select.value = option.value;
    select.dispatchEvent(new Event("input", { bubbles: true })); // as if it was chosen in the form
    select.focus();
    this.#stopPicking();
  }

  #stopPicking() {
    delete this.stage.dataset.picking;
  }
}
