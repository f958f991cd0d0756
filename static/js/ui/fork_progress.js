// @ts-check
/** The progress of a slow fork, as the server reports it, with a button that cancels it. */
import { clone, part, setText } from "../view/nodes.js";

const LOOK_EVERY_MS = 300;
const MEGABYTE = 1_000_000;
const WAITS = "waiting while other rooms are being forked";

/**
 * @typedef {object} Progress as the server reports it
 * @property {"waiting" | "repeating" | "not_under_way"} state
 * @property {number} journal_bytes
 * @property {number} journal_bytes_in_all
 */

export class ForkProgress {
  /**
   * @param {HTMLElement} note what says that it is under way @param {string} address of the fork
   * @param {HTMLElement} began the button that did, which gets the focus back from the cancel button
   */
  constructor(note, address, began) {
    this.note = note;
    this.address = address;
    this.is_over = false;
    this.is_given_up = false;
    this.line = clone("fork-progress");
    part(this.line, "give-up").addEventListener("click", () => {
      this.giveUp();
      began.focus();
    });
    this.leave = () => this.giveUp();
    window.addEventListener("pagehide", this.leave);
    this.#look();
  }

  /** Cancel the fork; also called when the page is left. */
  giveUp() {
    this.is_given_up = true;
    part(this.line, "give-up").setAttribute("disabled", "");
    fetch(this.address, { method: "DELETE", keepalive: true }).catch(() => undefined); // its own request says how it ended
  }

  /** Its own request was answered. */
  end() {
    this.is_over = true;
    clearTimeout(this.timer);
    window.removeEventListener("pagehide", this.leave);
  }

  #look() {
    this.timer = setTimeout(async () => {
      const progress = await this.#ask();
      if (this.is_over) return;
      if (progress.state !== "not_under_way") this.#show(progress);
      this.#look();
    }, LOOK_EVERY_MS);
  }

  /** @returns {Promise<Progress>} */
  async #ask() {
    try {
      return await (await fetch(this.address, { headers: { Accept: "application/json" } })).json();
    } catch {
      return { state: "not_under_way", journal_bytes: 0, journal_bytes_in_all: 0 }; // the next poll may succeed
    }
  }

  /** @param {Progress} progress */
  #show({ state, journal_bytes, journal_bytes_in_all }) {
    const bar = /** @type {HTMLProgressElement} */ (part(this.line, "bar"));
    if (state === "waiting") bar.removeAttribute("value");
    else Object.assign(bar, { max: journal_bytes_in_all, value: journal_bytes });
    setText(part(this.line, "how-far"), state === "waiting" ? WAITS : howFar(journal_bytes, journal_bytes_in_all));
    if (!this.line.isConnected) this.note.append(this.line);
  }
}

/** @param {number} bytes @param {number} in_all of the journal that it repeats @returns {string} */
export function howFar(bytes, in_all) {
  const percent = in_all ? Math.floor((100 * bytes) / in_all) : 100;
  const decimals = in_all < MEGABYTE ? 3 : 1;
  const [done, whole] = [bytes, in_all].map((one) => (one / MEGABYTE).toFixed(decimals));
  return `${percent} %, ${done} of ${whole} MB of its journal`;
}
