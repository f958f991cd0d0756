// @ts-check
/** Forms of the inspector: typed text stays when the panel is read again, and is cleared on success. */

/** The attribute of a form with typed text. (htmx leaves such a form as it is.) */
const TYPED_IN = "hx-morph-skip";

/** @param {HTMLElement} content of the inspector @param {() => void} readAgain what a form has done may show in its panel */
export function keepForms(content, readAgain) {
  /** Those into which something was typed since they were sent. @type {Set<Element>} */
  const typed_since = new Set();
  content.addEventListener("input", ({ target }) => {
    const form = formOf(target);
    if (!form) return;
    form.setAttribute(TYPED_IN, "");
    typed_since.add(form);
  });
  content.addEventListener("htmx:before:request", ({ target }) => typed_since.delete(/** @type {Element} */ (target)));
  content.addEventListener("htmx:finally:request", (event) => {
    const form = formOf(event.target);
    const { request, response } = /** @type {CustomEvent} */ (event).detail.ctx;
    if (!form || request.method !== "POST" || !response?.raw.ok) return;
    if (!typed_since.has(form)) form.removeAttribute(TYPED_IN);
    if (form.hasAttribute("data-refreshes")) readAgain();
  });
}

/** Forms that are not being typed into show what was read. @param {HTMLElement} content of the inspector */
export function showWhatWasRead(content) {
  content.querySelectorAll("form").forEach((form) => form.hasAttribute(TYPED_IN) || form.reset());
}

/** @param {EventTarget | null} target */
function formOf(target) {
  return /** @type {Element} */ (target).closest("form");
}
