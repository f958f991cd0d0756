// @ts-check
/**
 * Keeps the focus: when the focused control is removed, hidden or disabled, the nearest one gets the focus, so that
 * keyboard users are not sent back to the top of the page.
 */

const CAN_FOCUS = "a[href], button, input:not([type=hidden]), select, summary, [tabindex]";
/** What hides or disables a control of the stage. */
const CHANGES = ["open", "hidden", "disabled", "data-state", "data-paused", "data-alive", "data-view"];

/** @param {Element} node */
const canHaveIt = (node) => node.isConnected && !node.matches(":disabled") && node.checkVisibility({ visibilityProperty: true });

/** @typedef {{node: HTMLElement, around: Element[], order: Element[], absent: Set<Element>}} Held what had the focus, its ancestors, its neighbours, and those beside it that could not have it */

export class Focus {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.stage = stage;
    /** @type {Held | undefined} */
    this.held = undefined;
    this.asked = 0;
    stage.addEventListener("focusin", (event) => this.#hold(/** @type {HTMLElement} */ (event.target)));
    document.addEventListener("focusin", ({ target }) => {
      if (!stage.contains(/** @type {Element} */ (target))) this.held = undefined;
    });
    document.addEventListener("pointerdown", () => (this.held = undefined));
    new MutationObserver(() => this.#look()).observe(stage, { subtree: true, childList: true, attributeFilter: CHANGES });
  }

  /** @param {HTMLElement} node */
  #hold(node) {
    const around = [];
    for (let at = node.parentElement; at && at !== this.stage.parentElement; at = at.parentElement) around.push(at);
    const absent = new Set([...(node.parentElement?.children ?? [])].filter((one) => !canHaveIt(one)));
    this.held = { node, around, order: [...this.stage.querySelectorAll(CAN_FOCUS)], absent };
  }

  #look() {
    if (!this.held || this.asked) return;
    this.asked = requestAnimationFrame(() => {
      this.asked = 0;
      const { held } = this;
      const { activeElement } = document;
      const elsewhere = activeElement && activeElement !== document.body && activeElement !== held?.node;
      if (held && !elsewhere && !canHaveIt(held.node)) nearest(held)?.focus();
    });
  }
}

/**
 * Find the control that replaced it, as "Resume" replaces "Pause", or else the nearest one in its innermost ancestor
 * that still has any.
 * @param {Held} held @returns {HTMLElement | undefined}
 */
function nearest({ node, around, order, absent }) {
  const index = order.indexOf(node);
  for (const surroundings of around.filter(({ isConnected }) => isConnected)) {
    const left = order.map((one, at) => ({ one, far: Math.abs(at - index) }))
      .filter(({ one }) => one !== node && surroundings.contains(one) && canHaveIt(one));
    const instead = left.filter(({ one }) => absent.has(one));
    const among = instead.length ? instead : left;
    if (among.length) return /** @type {HTMLElement} */ (among.reduce((best, other) => (other.far < best.far ? other : best)).one);
    const later = [...surroundings.querySelectorAll(CAN_FOCUS)].filter(canHaveIt);
    if (later.length) return /** @type {HTMLElement} */ (later[later.length - 1]);
  }
  return undefined;
}

/** The parts that F6 goes around, in the order in which things happen. */
const REGIONS = ["producer", "brokers", "groups", "time-bar", "inspector"].map((name) => `[data-part="${name}"]`);

/** @param {HTMLElement} stage @param {number} direction 1 to the next part, -1 to the one before */
export function goToRegion(stage, direction) {
  const regions = REGIONS.map((selector) => stage.querySelector(selector)).filter((region) => region && canHaveIt(region));
  const at = regions.findIndex((region) => region?.contains(document.activeElement));
  const start = at < 0 && direction < 0 ? 0 : at;
  for (let step = 1; step <= regions.length; step += 1) {
    const region = regions[(start + direction * step + regions.length * 2) % regions.length];
    const first = [...(region?.querySelectorAll(CAN_FOCUS) ?? [])].find((node) => canHaveIt(node) && /** @type {HTMLElement} */ (node).tabIndex >= 0);
    if (first) return /** @type {HTMLElement} */ (first).focus();
  }
}
