// @ts-check
/** "Fork here": a form of the page, whose hidden fields say which moment is shown. Without them it means the present. */
import { say } from "./notes.js";

const UNDER_WAY = "Forking this room";
const HOW_LONG = "The new room replays this one up to this moment; an hour takes some seconds.";
const GIVEN_UP = "The fork was cancelled";
const NOTHING_MADE = "No room was made.";

/** @param {HTMLElement} stage @param {import("./player.js").Player} player @returns {() => void} keeps the form up to date */
export function forkWhatIsShown(stage, player) {
  const form = /** @type {HTMLFormElement | null} */ (stage.querySelector('[data-part="fork"]'));
  if (!form) return () => undefined; // an embed has none
  /** What the form says; a browser may have kept its earlier value across a reload. @type {import("../state/chapters.js").Place | undefined | "unknown"} */
  let said = "unknown";
  tellWhileUnderWay(stage, form);
  const [at_us, journal_offset] = ["at_us", "journal_offset"].map((name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name)));
  return () => {
    const { place } = player.past;
    if (place === said) return;
    said = place;
    const exact = place && place.before_offset !== Infinity;
    at_us.value = place && !exact ? String(place.at_us) : "";
    journal_offset.value = exact ? String(place.before_offset) : "";
  };
}

/** @param {HTMLElement} stage @param {HTMLFormElement} form */
function tellWhileUnderWay(stage, form) {
  const ticket = /** @type {HTMLInputElement} */ (form.elements.namedItem("ticket"));
  ticket.value = newTicket();
  const began = /** @type {HTMLElement} */ (form.querySelector("button"));
  /** @type {HTMLElement | undefined} */
  let note;
  /** @type {import("./fork_progress.js").ForkProgress | undefined} */
  let progress;
  form.addEventListener("htmx:before:request", async () => {
    form.setAttribute("aria-busy", "true");
    const mine = (note = say(stage, UNDER_WAY, HOW_LONG));
    const { ForkProgress } = await import("./fork_progress.js");
    if (note === mine) progress = new ForkProgress(mine, `${stage.dataset.api}/forks/${ticket.value}`, began);
  });
  form.addEventListener("htmx:finally:request", () => {
    form.removeAttribute("aria-busy");
    note?.remove();
    progress?.end();
    if (progress?.is_given_up) say(stage, GIVEN_UP, NOTHING_MADE);
    note = progress = undefined;
    ticket.value = newTicket();
  });
}

/** @returns {string} a name that cannot be guessed: it authorises cancelling the fork */
function newTicket() {
  return [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36)).join("-");
}
