// @ts-check
/** Show a refusal at the field it is about. (The server words it with the labels, also for pages without a script.) */

/** @typedef {HTMLInputElement | HTMLSelectElement} Field */

/** @param {CustomEvent} event a request of htmx is over @param {HTMLElement} stage */
export function sayAtTheField({ detail, target }, stage) {
  const form = detail.ctx.request.method === "POST" && /** @type {Element} */ (target).closest("form");
  if (!form) return;
  fieldsOf(form).forEach(accept);
  for (const outcome of /** @type {NodeListOf<HTMLElement>} */ (stage.querySelectorAll('.outcome[data-ok="false"][data-names]'))) {
    refuse(form, outcome);
    outcome.removeAttribute("data-names"); // said
  }
}

/** @param {Element} form @param {HTMLElement} outcome what the form was answered */
function refuse(form, outcome) {
  const fields = fieldsOf(form);
  const names = (outcome.dataset.names ?? "").split(" ");
  const [message, remedy] = [".outcome-message", ".outcome-remedy"].map((part) => outcome.querySelector(part));
  const quoted = (/** @type {Field} */ { value }) => value !== "" && message?.textContent?.includes(`“${value}”`);
  const field = names.map((name) => fields.find((one) => one.name === name)).find(Boolean) ?? fields.find(quoted);
  if (!field) return;
  outcome.dataset.at = "field";
  complain(field, [message, remedy].map((text) => text?.textContent).filter(Boolean).join(": "));
  field.focus();
}

/** @param {Element} form @returns {Field[]} those that people see */
function fieldsOf(form) {
  return [.../** @type {NodeListOf<Field>} */ (form.querySelectorAll("input:not([type=hidden]), select"))];
}

/** @param {Field} field @param {string} words */
function complain(field, words) {
  const complaint = document.createElement("p");
  complaint.className = "field-fault";
  complaint.id = `fault-${field.name}`;
  complaint.textContent = words;
  field.closest("label")?.after(complaint);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", complaint.id);
  field.addEventListener("input", () => accept(field), { once: true });
}

/** @param {Field} field */
function accept(field) {
  if (!field.hasAttribute("aria-invalid")) return;
  field.closest("form")?.querySelector(`#fault-${field.name}`)?.remove();
  field.removeAttribute("aria-invalid");
  field.removeAttribute("aria-describedby");
}
