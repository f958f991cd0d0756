// @ts-check
/**
 * The commands of this page on their way: forms are sent by htmx, each is answered with an outcome that names the
 * journal offset behind its effects, and until that is drawn the page is not settled.
 */

export class Commands {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.stage = stage;
    /** What htmx calls the context of each request that is not answered yet. @type {Set<object>} */
    this.under_way = new Set();
    this.effect_offset = 0;
    stage.addEventListener("htmx:before:request", (event) => this.#begin(event));
    // Where a form was removed by its own effect before the answer came, only the document gets the event.
    document.addEventListener("htmx:finally:request", (event) => this.#end(event));
  }

  /** @param {Event} event */
  #begin(event) {
    const { ctx } = /** @type {CustomEvent} */ (event).detail;
    if (ctx.request.method === "POST") this.under_way.add(ctx);
  }

  /** @param {Event} event */
  #end(event) {
    this.under_way.delete(/** @type {CustomEvent} */ (event).detail.ctx);
    this.#readOutcome();
  }

  #readOutcome() {
    const outcomes = /** @type {NodeListOf<HTMLElement>} */ (this.stage.querySelectorAll("[data-journal-offset]"));
    this.effect_offset = Math.max(0, ...[...outcomes].map(({ dataset }) => Number(dataset.journalOffset)));
  }

  /** @param {number} drawnOffset */
  unanswered(drawnOffset) {
    return this.under_way.size > 0 || drawnOffset < this.effect_offset;
  }

  /** Send a form of the page as if a person had pressed its button. @param {string} selector */
  press(selector) {
    const button = /** @type {HTMLButtonElement | null} */ (this.stage.querySelector(selector));
    if (button && !button.disabled) button.click();
  }

  /** Move a group's bookmark. @param {{group: string, topic: string, partition: number, offset: number}} seek */
  seek(seek) {
    const form = /** @type {HTMLFormElement} */ (this.stage.querySelector('[data-part="seek-form"]'));
    for (const [name, value] of Object.entries(seek)) {
      /** @type {HTMLInputElement} */ (form.elements.namedItem(name)).value = String(value);
    }
    form.requestSubmit();
  }
}
