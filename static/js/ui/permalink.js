// @ts-check
/**
 * Links to a moment: the room in the path, the theme in the query, and behind the # the moment (`at`, a journal offset:
 * everything before it; `us`, a virtual time within that instant) and what is open in the inspector (`open`).
 */
import { timeInWords } from "../scene/words.js";
import { say } from "./notes.js";
import { refusalOf } from "./refusals.js";

const NOWHERE = "This link does not name a moment";
/** A note about a link that was copied goes after this long. */
const NOTE_MS = 8_000;
const HOW_TO_GO_LIVE = "Live, or the key End, leads to the present.";

/** @typedef {import("../state/chapters.js").Place} Place */

export class Permalink {
  /**
   * @param {HTMLElement} stage
   * @param {object} parts
   * @param {import("./player.js").Player} parts.player
   * @param {import("./on_demand.js").OnDemand<import("./inspector.js").Inspector>} parts.inspector
   * @param {import("./time_line.js").TimeLine} parts.time_line
   */
  constructor(stage, { player, inspector, time_line }) {
    this.stage = stage;
    this.player = player;
    this.inspector = inspector;
    this.time_line = time_line;
    /** What was said last. @type {HTMLElement | undefined} */
    this.note = undefined;
    /** The moment that the address names, while it is looked at. @type {Place | undefined} */
    this.pinned = undefined;
  }

  // --- opening -------------------------------------------------------------------------------------------------------

  /** Show the moment that the address names. */
  open() {
    this.pinned = undefined;
    const wanted = new URLSearchParams(window.location.hash.slice(1));
    if (!wanted.has("at") && !wanted.has("us")) {
      if (this.player.past.place) this.player.lookLive();
      return;
    }
    this.player.past.inTurn(async () => {
      await this.player.until(() => Boolean(this.player.drawn));
      try {
        await this.#show(wanted);
      } catch (error) {
        const { message, remedy } = refusalOf(error);
        this.#refuse(message, remedy);
      }
    });
  }

  /** @param {URLSearchParams} wanted */
  async #show(wanted) {
    const [offset, time_us] = ["at", "us"].map((name) => numberIn(wanted, name));
    if (Number.isNaN(offset) || Number.isNaN(time_us)) {
      this.#refuse(NOWHERE, "at and us must be whole numbers, as in a link copied from the time bar");
      return;
    }
    const place = offset === undefined ? { at_us: time_us ?? 0, before_offset: Infinity } : await this.player.past.placeOf(offset);
    const chapter = await this.player.past.chapterAt(place);
    // Between two instants the state is the same, and what is in flight is further on its way.
    const within = time_us !== undefined && chapter.instants[chapter.indexAt(time_us)].at_us === place.at_us && time_us > place.at_us;
    const shown = within ? { ...place, at_us: time_us } : place;
    this.player.lookAt(shown.at_us, shown.before_offset);
    this.pinned = this.player.past.place;
    const open = wanted.get("open");
    if (open) await this.inspector.ask((inspector) => inspector.openSelection(open));
    await this.#sayWhere(shown, chapter.offset);
  }

  /** @param {Place} place @param {number} offset of its chapter */
  async #sayWhere(place, offset) {
    const reset = await this.time_line.resetAfter(offset);
    const where = `This is the room at ${timeInWords(place.at_us)}, paused.`;
    this.note = say(this.stage, reset ? `${where} It was reset since, at ${timeInWords(reset.at_us)}.` : where, HOW_TO_GO_LIVE);
  }

  /** @param {string} message @param {string} remedy */
  #refuse(message, remedy) {
    this.#forget();
    this.player.lookLive();
    this.note = say(this.stage, `${message}: this is the present`, remedy, "false");
  }

  /** The address names a moment only while that moment is shown. */
  paint() {
    if (this.pinned && this.pinned !== this.player.past.place) this.#forget();
  }

  #forget() {
    this.pinned = undefined;
    this.note?.remove();
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
  }

  // --- copying -------------------------------------------------------------------------------------------------------

  /** Put a link to what is shown on the clipboard. */
  copy() {
    return this.player.past.inTurn(() => this.#copy());
  }

  async #copy() {
    const link = await this.#link();
    const what = `it shows this room at ${timeInWords(this.player.place.at_us)}`;
    try {
      await navigator.clipboard.writeText(link);
      this.note = say(this.stage, "The link is copied", what);
      const { note } = this;
      window.setTimeout(() => note?.remove(), NOTE_MS);
    } catch {
      this.note = say(this.stage, link, `copy this link yourself: ${what}, and the browser does not let a page copy here`);
    }
  }

  /** @returns {Promise<string>} */
  async #link() {
    const { place } = this.player;
    const url = new URL(this.stage.dataset.page ?? "", window.location.href);
    const theme = document.documentElement.dataset.theme ?? "auto";
    if (theme !== "auto") url.searchParams.set("theme", theme);
    const moment = new URLSearchParams({ at: String(await this.player.past.offsetOf(place)), us: String(Math.round(place.at_us)) });
    const selection = this.inspector.here?.selection;
    if (selection) moment.set("open", selection);
    url.hash = moment.toString();
    return url.href;
  }
}

/** @param {URLSearchParams} wanted @param {string} name @returns {number | undefined} NaN for what is no whole number */
function numberIn(wanted, name) {
  const text = wanted.get(name);
  if (text === null) return undefined;
  return /^\d{1,15}$/.test(text) ? Number(text) : NaN;
}
