// @ts-check
/**
 * Nodes of the page: found by the marks the partials put on them, cloned from the same partials, and changed only
 * where something is different, so that a node stays the same for as long as it represents the same thing.
 */

/** @typedef {HTMLElement | SVGElement} Node_ */

/** @type {WeakMap<Element, Map<string, HTMLElement>>} */
const partsOf = new WeakMap();

/**
 * @param {Element} node
 * @param {string} name of a data-part inside it
 * @returns {HTMLElement}
 */
export function part(node, name) {
  let parts = partsOf.get(node);
  if (!parts) partsOf.set(node, (parts = new Map()));
  let found = parts.get(name);
  if (!found) {
    found = /** @type {HTMLElement} */ (node.querySelector(`[data-part="${name}"]`));
    if (!found) throw new Error(`the markup has no part "${name}"`);
    parts.set(name, found);
  }
  return found;
}

/** @param {Element} node @param {string | number} text */
export function setText(node, text) {
  const wanted = String(text);
  if (node.textContent !== wanted) node.textContent = wanted;
}

/** @param {Element} node @param {string} name @param {string | number | boolean} value */
export function setAttribute(node, name, value) {
  const wanted = String(value);
  if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
}

/** @param {Node_} node @param {string} name of a custom property, with its dashes @param {string | number} value */
export function setProperty(node, name, value) {
  const wanted = String(value);
  if (node.style.getPropertyValue(name) !== wanted) node.style.setProperty(name, wanted);
}

/** @param {HTMLElement} node @param {number} from @param {number} to where it begins and ends, in bytes */
export function stretch(node, from, to) {
  setProperty(node, "--offset", from);
  setProperty(node, "--size", Math.max(0, to - from));
}

/** @param {HTMLElement} node @param {{hidden: boolean}} how */
export function setShown(node, { hidden }) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

/** @param {HTMLButtonElement | HTMLInputElement} node @param {{disabled: boolean}} how */
export function setDisabled(node, { disabled }) {
  if (node.disabled !== disabled) node.disabled = disabled;
}

/** What each node was painted from last. @type {WeakMap<Element, unknown[]>} */
const sources = new WeakMap();

/**
 * Slices of a state are the same object for as long as nothing in them changes, so a node that was painted from the
 * same ones already shows them.
 * @param {Element} node @param {unknown[]} from all that it is painted from, always in the same order
 * @returns {boolean} whether any of it is another than last time
 */
export function isNews(node, from) {
  const before = sources.get(node);
  if (before?.every((one, index) => one === from[index])) return false;
  sources.set(node, from);
  return true;
}

/** @param {string} name of a <template id="clone-..."> @returns {HTMLElement} */
export function clone(name) {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById(`clone-${name}`));
  const node = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  return node;
}

/** Called with each clone that was added to the page, so that htmx can process its forms. */
const onAdded = (/** @type {HTMLElement} */ node) => {
  const { htmx } = /** @type {any} */ (window);
  if (htmx && node.querySelector("[hx-post], [hx-get]")) htmx.process(node);
};

/**
 * Make the children of a parent stand for a list of models, in their order: what is there stays, what is new is cloned,
 * what is gone is removed.
 * @template Model
 * @param {HTMLElement} parent
 * @param {Model[]} models
 * @param {object} how
 * @param {string} how.template
 * @param {string} how.attribute in which a child carries its key
 * @param {(model: Model) => string} how.key
 * @param {(node: HTMLElement, model: Model) => void} how.fill
 */
export function keep(parent, models, { template, attribute, key, fill }) {
  /** @type {Map<string, HTMLElement>} */
  const standing = new Map();
  for (const child of parent.children) standing.set(child.getAttribute(attribute) ?? "", /** @type {HTMLElement} */ (child));
  // What is gone goes first: else all that stays would have to move by a place, and each move is a layout.
  const keys = new Set(models.map(key));
  for (const [name, node] of standing) if (!keys.has(name)) node.remove();
  let place = parent.firstElementChild;
  for (const model of models) {
    const name = key(model);
    let node = standing.get(name);
    const fresh = !node;
    if (!node) {
      node = clone(template);
      node.setAttribute(attribute, name);
      node.setAttribute("data-fresh", "");
    }
    fill(node, model);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
    if (fresh) onAdded(node);
  }
}
