// @ts-check
/**
 * Parts of the page that most visitors never use. Each is loaded when the pointer or the focus comes near it, so that
 * it is ready when it is pressed.
 */

const NOT_HERE = "this part of the page could not be loaded: try again, or reload the page";

/** @template Part */
export class OnDemand {
  /** @param {() => Promise<Part>} bring fetches the modules and makes the part @param {(fault: string) => void} say */
  constructor(bring, say) {
    this.bring = bring;
    this.say = say;
    /** The loaded part. @type {Part | undefined} */
    this.here = undefined;
    this.asked = 0;
    /** @type {Promise<Part> | undefined} */
    this.coming = undefined;
  }

  /** @returns {boolean} whether it is waited for */
  get pending() {
    return this.asked > 0;
  }

  /** Do something with it as soon as it is here; at once if it is. @param {(part: Part) => unknown} act @returns {Promise<void>} */
  async ask(act) {
    this.asked += 1;
    try {
      await act(this.here ?? (await this.#come()));
    } catch (error) {
      if (!this.here) this.say(NOT_HERE);
      throw error;
    } finally {
      this.asked -= 1;
    }
  }

  /** Bring it when a pointer or the focus comes near. @param {Element} node @param {string} [near] what in the node it belongs to */
  whenNear(node, near = "*") {
    const types = /** @type {const} */ (["pointerover", "focusin"]);
    /** @param {Event} event */
    const bring = (event) => {
      if (!(/** @type {Element} */ (event.target).closest(near))) return;
      types.forEach((type) => node.removeEventListener(type, bring));
      this.#come().catch(() => undefined); // a later request reports the failure
    };
    types.forEach((type) => node.addEventListener(type, bring));
  }

  /** Bring what stands in a folded part of the page. @param {Element} details @param {(part: Part) => unknown} act when it is unfolded */
  whenOpened(details, act) {
    this.whenNear(details);
    details.addEventListener("toggle", () => /** @type {HTMLDetailsElement} */ (details).open && this.ask(act));
  }

  /** @returns {Promise<Part>} fetched once, unless it failed */
  #come() {
    this.coming ??= this.bring().then(
      (part) => (this.here = part),
      (error) => {
        this.coming = undefined;
        throw error;
      },
    );
    return this.coming;
  }
}
