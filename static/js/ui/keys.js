// @ts-check
/** Keys of the whole page; they mean nothing while somebody types, or when the stage is out of sight. */

const TYPING = "input:not([type=range]), textarea, select, [contenteditable]";
/** What Space or an arrow already means something for. */
const OWN_SPACE = "button, a, summary, [role=slider]";
const OWN_ARROWS = "[role=slider], input[type=range], .cell";

/**
 * @param {object} acts
 * @param {() => boolean} acts.inSight
 * @param {() => void} acts.toggle
 * @param {() => void} acts.step
 * @param {() => void} acts.stepBack
 * @param {() => void} acts.live
 * @param {() => void} acts.help
 */
export function listenForKeys({ inSight, toggle, step, stepBack, live, help }) {
  const meanings = /** @type {Record<string, {act: () => void, not: string}>} */ ({
    " ": { act: toggle, not: OWN_SPACE },
    ".": { act: step, not: "none" },
    ",": { act: stepBack, not: "none" },
    ArrowRight: { act: step, not: OWN_ARROWS },
    ArrowLeft: { act: stepBack, not: OWN_ARROWS },
    End: { act: live, not: OWN_ARROWS },
    "?": { act: help, not: "none" },
  });
  document.addEventListener("keydown", (event) => {
    const meaning = Object.hasOwn(meanings, event.key) ? meanings[event.key] : undefined;
    const target = /** @type {Element} */ (event.target);
    if (!meaning || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !inSight()) return;
    if (target.closest(TYPING) || target.closest(meaning.not)) return;
    event.preventDefault();
    meaning.act();
  });
}

/** Arrow keys go from message to message of a tape; one of them can be reached with Tab. @param {HTMLElement} stage */
export function walkTapes(stage) {
  stage.addEventListener("keydown", (event) => {
    const cell = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest(".cell"));
    const record = cell?.closest(".record");
    if (!cell || !record) return;
    const next = { ArrowLeft: record.previousElementSibling, ArrowRight: record.nextElementSibling }[event.key];
    const other = /** @type {HTMLElement | null | undefined} */ (next?.querySelector(".cell"));
    if (!other) return;
    event.preventDefault();
    cell.tabIndex = -1;
    other.tabIndex = 0;
    other.focus();
  });
}
