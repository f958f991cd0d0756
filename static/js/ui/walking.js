// @ts-check
/**
 * Arrow keys move among items of one kind: messages of the tapes, and controls of the consumers. A tape, and a group,
 * is one stop for Tab; the arrow keys move within it.
 */
import { actOf } from "./key_map.js";

/**
 * @typedef {object} Ground
 * @property {import("./key_map.js").Place} place
 * @property {string} region one stop for Tab each
 * @property {string} line one row of items each
 * @property {string} item
 */

/** @type {Ground[]} */
const GROUNDS = [
  { place: "message", region: ".records", line: ".records", item: ".cell" },
  { place: "consumer", region: ".group", line: ".consumer-actions", item: "button, a" },
];

/** What changes whether a consumer's control is shown. */
const SHOWING = ["data-state", "data-paused"];

/** @param {Element} item */
const isShown = (item) => item.checkVisibility({ visibilityProperty: true });

/** Whether a change can affect a control: a figure that changes is only a new text, and many change in every frame. @param {MutationRecord} change */
const isOfControls = ({ type, addedNodes, removedNodes }) =>
  type === "attributes" || [...addedNodes, ...removedNodes].some((node) => node.nodeType === Node.ELEMENT_NODE);

export class Walking {
  /** @param {HTMLElement} stage */
  constructor(stage) {
    this.stage = stage;
    stage.addEventListener("keydown", (event) => this.#key(event));
    stage.addEventListener("focusin", (event) => this.#stopAt(/** @type {HTMLElement} */ (event.target)));
    const groups = /** @type {HTMLElement} */ (stage.querySelector('[data-part="groups"]'));
    new MutationObserver((changes) => changes.some(isOfControls) && this.#keepOneStop(groups)).observe(groups, { subtree: true, childList: true, attributeFilter: SHOWING });
    this.#keepOneStop(groups);
  }

  /** @param {Element} target */
  #groundOf(target) {
    return GROUNDS.find(({ line, item }) => target.closest(line) && target.closest(item));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const target = /** @type {Element} */ (event.target);
    const ground = this.#groundOf(target);
    if (!ground || event.ctrlKey || event.metaKey || event.altKey) return;
    const from = /** @type {HTMLElement} */ (target.closest(ground.item));
    const act = actOf(ground.place, event.key);
    if (!act || act === "open") return; // links and buttons open by themselves
    event.preventDefault();
    this.#reached(ground, from, act)?.focus();
  }

  /** @param {Ground} ground @param {HTMLElement} from @param {string} act @returns {HTMLElement | undefined} where it leads */
  #reached(ground, from, act) {
    const line = /** @type {Element} */ (from.closest(ground.line));
    const items = itemsOf(line, ground);
    const index = items.indexOf(from);
    if (act === "above" || act === "below") return this.#across(ground, from, act === "above" ? -1 : 1);
    return /** @type {Record<string, HTMLElement>} */ ({
      before: items[index - 1], after: items[index + 1], first: items[0], last: items[items.length - 1],
    })[act];
  }

  /** To the nearest item of the next line that has any. @param {Ground} ground @param {HTMLElement} from @param {number} direction */
  #across(ground, from, direction) {
    const lines = [...this.stage.querySelectorAll(ground.line)].filter((line) => itemsOf(line, ground).length);
    const next = lines[lines.indexOf(/** @type {Element} */ (from.closest(ground.line))) + direction];
    if (!next) return undefined;
    const middle = middleOf(from);
    return itemsOf(next, ground).reduce((best, one) => (Math.abs(middleOf(one) - middle) < Math.abs(middleOf(best) - middle) ? one : best));
  }

  /** Make Tab return to this item. @param {HTMLElement} target */
  #stopAt(target) {
    const ground = this.#groundOf(target);
    const region = ground && target.closest(ground.region);
    if (!ground || !region) return;
    for (const item of region.querySelectorAll(`${ground.line} :is(${ground.item})`)) setStop(item, item === target.closest(ground.item) ? 0 : -1);
  }

  /** @param {HTMLElement} groups where each group always keeps one control that Tab reaches */
  #keepOneStop(groups) {
    const ground = GROUNDS[1];
    for (const region of groups.querySelectorAll(ground.region)) {
      const items = [...region.querySelectorAll(`${ground.line} :is(${ground.item})`)];
      const shown = items.filter(isShown);
      const stop = shown.find((item) => item.getAttribute("tabindex") === "0") ?? shown[0];
      for (const item of items) setStop(item, item === stop ? 0 : -1);
    }
  }
}

/** @param {Element} line @param {Ground} ground @returns {HTMLElement[]} those of its items that are shown */
function itemsOf(line, { item }) {
  return /** @type {HTMLElement[]} */ ([...line.querySelectorAll(item)].filter(isShown));
}

/** @param {Element} item */
function middleOf(item) {
  const { left, width } = item.getBoundingClientRect();
  return left + width / 2;
}

/** @param {Element} item @param {number} stop */
function setStop(item, stop) {
  if (item.getAttribute("tabindex") !== String(stop)) item.setAttribute("tabindex", String(stop));
}
