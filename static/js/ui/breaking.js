// @ts-check
/** Forms of the inspector that break and mend: what they were answered stays below them, and they are read again after it. */

/** What can be picked as the other end of a link. */
const PARTY = "[data-address]";

export class Breaking {
  /**
   * @param {HTMLElement} stage
   * @param {{inspector: HTMLElement, content: HTMLElement, outcome: HTMLElement, readAgain: () => void}} panel
   */
  constructor(stage, { inspector, content, outcome, readAgain }) {
    this.stage = stage;
    this.content = content;
    inspector.addEventListener("close", () => {
      outcome.replaceChildren();
      this.#stopPicking();
    });
    content.addEventListener("htmx:finally:request", (event) => {
      const form = /** @type {Element} */ (event.target).closest("form[data-refreshes]");
      if (form && outcome.querySelector('[data-ok="true"]')) readAgain();
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
    select.focus();
    this.#stopPicking();
  }

  #stopPicking() {
    delete this.stage.dataset.picking;
  }
}
