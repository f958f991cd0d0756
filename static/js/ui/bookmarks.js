// @ts-check
/**
 * Moving a bookmark by hand, with a pointer or with the keyboard: to any message boundary that readers can see. It is
 * shown where it would go; letting go (or Enter) is a real seek, Escape puts it back.
 */
import { positionOf } from "../scene/ownership.js";
import { boundariesOf } from "../scene/tape.js";
import { errorInWords } from "../scene/troubles.js";
import { paintBookmark } from "../view/brokers.js";
import { actOf } from "./key_map.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {{bookmark: HTMLElement, group: string, log: State, committed: number, offset: number}} Move
 */

export class Bookmarks {
  /**
   * @param {HTMLElement} stage
   * @param {() => State | undefined} state the one that is drawn
   * @param {import("./commands.js").Commands} commands
   */
  constructor(stage, state, commands) {
    this.state = state;
    this.commands = commands;
    /** @type {Move | undefined} */
    this.move = undefined;
    stage.addEventListener("pointerdown", (event) => this.#grab(event));
    stage.addEventListener("pointermove", (event) => this.#drag(event));
    stage.addEventListener("pointerup", () => this.#finish());
    stage.addEventListener("pointercancel", () => this.#cancel());
    stage.addEventListener("keydown", (event) => this.#key(event));
    stage.addEventListener("focusout", (event) => {
      if (event.target === this.move?.bookmark) this.#cancel();
    });
  }

  /** @param {EventTarget | null} target @returns {Move | undefined} */
  #begin(target) {
    const bookmark = /** @type {HTMLElement | null} */ (/** @type {Element | null} */ (target)?.closest('[data-part="bookmark"]') ?? null);
    if (!bookmark || bookmark.getAttribute("aria-disabled") === "true") return undefined;
    if (this.move?.bookmark === bookmark) return this.move;
    const key = /** @type {HTMLElement} */ (bookmark.closest("[data-log]")).dataset.log ?? "";
    const group = /** @type {HTMLElement} */ (bookmark.closest("[data-group]")).dataset.group ?? "";
    const log = this.state()?.partitions[key];
    if (!log) return undefined;
    const committed = Number(bookmark.dataset.offset);
    return { bookmark, group, log, committed, offset: committed };
  }

  /** @param {Move} move @param {number} offset */
  #show(move, offset) {
    this.move = { ...move, offset };
    move.bookmark.setAttribute("data-moving", "");
    paintBookmark(move.bookmark, offset, move.log.flushed_offset);
    move.bookmark.setAttribute("aria-valuetext", `offset ${offset} of ${move.log.flushed_offset}; Enter seeks`);
  }

  /** @param {PointerEvent} event */
  #grab(event) {
    const move = event.button === 0 ? this.#begin(event.target) : undefined;
    if (!move) return;
    event.preventDefault();
    move.bookmark.focus();
    move.bookmark.setPointerCapture(event.pointerId);
    this.dragging = true;
    this.#show(move, move.committed);
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    if (!this.dragging || !this.move) return;
    const { bookmark } = this.move;
    const { left, width } = /** @type {Element} */ (bookmark.closest('[data-part="rows"]')).getBoundingClientRect();
    const styles = getComputedStyle(bookmark);
    const [origin, bytes] = ["--origin", "--window"].map((name) => Number(styles.getPropertyValue(name)));
    const pointed = origin + ((event.clientX - left) / width) * bytes;
    const boundaries = boundariesOf(this.move.log, this.move.committed);
    const nearest = boundaries.reduce((best, one) => (Math.abs(one - pointed) < Math.abs(best - pointed) ? one : best));
    if (nearest !== this.move.offset) this.#show(this.move, nearest);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const move = this.#begin(event.target);
    if (!move) return;
    const boundaries = boundariesOf(move.log, move.committed);
    const index = boundaries.indexOf(move.offset);
    const targets = /** @type {Record<string, number>} */ ({
      back: index - 1, forward: index + 1, earliest: 0, latest: boundaries.length - 1,
    });
    const act = actOf("bookmark", event.key);
    if (act in targets) this.#show(move, boundaries[Math.min(boundaries.length - 1, Math.max(0, targets[act]))]);
    else if (act === "seek" && this.move) this.#finish();
    else if (act === "putBack" && this.move) this.#cancel();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  #finish() {
    const { move } = this;
    if (!move) return;
    this.#end(move);
    if (move.offset === move.committed) return;
    const { topic, partition } = move.log;
    this.commands.seek({ group: move.group, topic, partition, offset: move.offset });
  }

  #cancel() {
    if (this.move) this.#end({ ...this.move, offset: this.move.committed });
  }

  /** Show it where it stood; when the seek has happened, the journal says so. @param {Move} move */
  #end(move) {
    this.dragging = false;
    this.move = undefined;
    move.bookmark.removeAttribute("data-moving");
    const state = this.state();
    const { log, group } = move;
    const trouble = state ? errorInWords(state, state.partitions[`${log.topic}-${log.partition}`], positionOf(state, group, log), group) : "";
    paintBookmark(move.bookmark, Number(move.bookmark.dataset.offset), Number(move.bookmark.getAttribute("aria-valuemax")), trouble);
  }
}
