// @ts-check
/** The choice of a theme: at once, and in the address, so that a reload, a link and a fork keep it. */

/** @param {HTMLElement} stage */
export function chooseTheme(stage) {
  const choice = /** @type {HTMLSelectElement | null} */ (stage.querySelector('[data-testid="control-theme"]'));
  choice?.addEventListener("change", () => {
    const address = new URL(window.location.href);
    if (choice.value === "auto") address.searchParams.delete("theme");
    else address.searchParams.set("theme", choice.value);
    window.history.replaceState(window.history.state, "", address);
    document.documentElement.dataset.theme = choice.value;
  });
}
