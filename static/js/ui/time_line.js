// @ts-check
/**
 * The time bar: the room's time from its beginning (or its last reset) to now, with a mark for each notable event.
 * Dragging it, its keys and its marks show that moment, even if this browser has not read it yet.
 */
import { familyOf, markInWords, weightOf } from "../scene/marks.js";
import { timeInWords } from "../scene/words.js";
import { Marks } from "../state/marks.js";
import { keep, part, setAttribute, setDisabled, setProperty, setShown, setText } from "../view/nodes.js";
import { actOf } from "./key_map.js";

/** Virtual microseconds to one notch of the slider. */
const NOTCH_US = 1_000;
/** How far an arrow key goes. */
const ARROW_US = 1_000_000;
/** The bar has room for so many marks. */
const MARKS_DRAWN = 160;
/** A mark is named within this share of the bar. */
const REACH = 0.008;
/** While time runs the bar stretches by such a part of itself at a time. */
const STRETCHES = 400;
/** The delay before asking for recent marks, so that a burst of events leads to one request. */
const ASK_AFTER_MS = 250;
const ASK_AGAIN_MS = 3_000;

export class TimeLine {
  /**
   * @param {HTMLElement} stage
   * @param {import("./player.js").Player} player
   * @param {import("../wire/journal.js").JournalReader} journal
   */
  constructor(stage, player, journal) {
    this.stage = stage;
    this.player = player;
    this.journal = journal;
    this.marks = new Marks();
    this.timer = 0;
    this.from_us = 0;
    this.to_us = 0;
    /** What the marks were drawn for. */
    this.drawn = { list: /** @type {import("../state/marks.js").Mark[]} */ ([]), from_us: -1, to_us: -1 };
    /** The journal offset of the mark that stands out. @type {number | undefined} */
    this.named = undefined;
    this.scrub = /** @type {HTMLInputElement} */ (stage.querySelector('[data-testid="control-scrub"]'));
    this.previous = /** @type {HTMLButtonElement} */ (stage.querySelector('[data-testid="control-previous-mark"]'));
    this.next = /** @type {HTMLButtonElement} */ (stage.querySelector('[data-testid="control-next-mark"]'));
    this.label = part(stage, "mark-label");
    this.scrub.addEventListener("input", () => {
      const { value, max } = this.scrub;
      this.#lookAt(value === max ? this.player.live_us : Number(value) * NOTCH_US);
    });
    this.scrub.addEventListener("keydown", (event) => this.#pressed(event));
    this.scrub.addEventListener("pointermove", (event) => this.#hover(event));
    this.scrub.addEventListener("pointerleave", () => this.#name());
    this.previous.addEventListener("click", () => this.toPreviousMark());
    this.next.addEventListener("click", () => this.toNextMark());
    this.#ask(0);
  }

  // --- what is known ---------------------------------------------------------------------------------------------------

  /** News from the feed: some of it makes a mark. @param {import("../wire/feed.js").Frame} frame */
  hear({ events, digest }) {
    if (digest) this.#ask(ASK_AGAIN_MS); // a digest is a state: it does not say what happened
    else if (events.some((event) => this.marks.isNotable(event))) this.#ask(ASK_AFTER_MS);
  }

  /** @param {number} after_ms */
  #ask(after_ms) {
    if (this.timer) return;
    this.timer = window.setTimeout(async () => {
      const known = await this.#read().then(() => true, () => false);
      this.timer = 0;
      if (!known) this.#ask(ASK_AGAIN_MS);
    }, after_ms);
  }

  async #read() {
    this.marks.take(await this.journal.notable(this.marks.begin()));
    this.player.wake();
  }

  /** @param {number} offset of the journal @returns {Promise<import("../state/marks.js").Mark | undefined>} the next reset behind it */
  async resetAfter(offset) {
    await this.#read();
    return this.marks.list.find((mark) => mark.kind === "reset" && mark.offset > offset);
  }

  // --- going there -----------------------------------------------------------------------------------------------------

  /** @param {number} at_us */
  #lookAt(at_us) {
    if (at_us >= this.player.live_us) this.player.lookLive();
    else this.player.lookAt(Math.max(at_us, this.from_us));
  }

  /** @param {KeyboardEvent} event */
  #pressed(event) {
    const change_us = { earlier: -ARROW_US, later: ARROW_US }[actOf("time", event.key)];
    if (!change_us) return;
    event.preventDefault();
    this.#lookAt(this.player.place.at_us + change_us);
  }

  toPreviousMark() {
    const mark = this.marks.before(this.player.place.at_us);
    if (mark) this.player.lookAt(mark.at_us);
  }

  toNextMark() {
    if (!this.player.past.place) return;
    const mark = this.marks.after(this.player.place.at_us);
    if (mark && mark.at_us < this.player.live_us) this.player.lookAt(mark.at_us);
    else this.player.lookLive();
  }

  // --- what is shown ---------------------------------------------------------------------------------------------------

  paint() {
    const { player } = this;
    const { history } = player;
    if (!history) return;
    const { place } = player;
    if (!this.#stretchesUnseen()) this.#paintSpan(this.marks.beginning(place) ?? history.oldest.at_us);
    const here = this.#markNear(place.at_us);
    setAttribute(this.scrub, "aria-valuetext", timeInWords(place.at_us) + (here && player.past.place ? `, ${this.#inWords(here)}` : ""));
    setDisabled(this.previous, { disabled: !this.marks.before(place.at_us) });
    setDisabled(this.next, { disabled: !player.past.place });
    this.#paintMarks();
    if (!this.scrub.matches(":hover:not(:active)")) this.#name();
  }

  /** @returns {boolean} whether the end of the bar has moved by less than can be seen: each change is a layout */
  #stretchesUnseen() {
    const { player, from_us, to_us } = this;
    const { past, live_us, clock } = player;
    const grown_us = live_us - to_us;
    const from_now_us = this.marks.beginning(player.place) ?? player.history?.oldest.at_us;
    return Boolean(clock?.running) && !past.place && this.scrub.value === this.scrub.max && from_now_us === from_us
      && grown_us >= 0 && grown_us * STRETCHES < to_us - from_us;
  }

  /** @param {number} from_us where the bar begins */
  #paintSpan(from_us) {
    const { player } = this;
    this.from_us = from_us;
    this.to_us = Math.max(player.live_us, from_us + 1);
    setDisabled(this.scrub, { disabled: player.live_us <= from_us });
    setAttribute(this.scrub, "min", Math.floor(from_us / NOTCH_US));
    setAttribute(this.scrub, "max", Math.ceil(this.to_us / NOTCH_US));
    const value = player.past.place ? Math.round(player.place.at_us / NOTCH_US) : Math.ceil(this.to_us / NOTCH_US);
    this.scrub.value = String(value);
  }

  #paintMarks() {
    const { from_us, to_us } = this;
    const stretched = Math.abs(to_us - this.drawn.to_us) * MARKS_DRAWN > to_us - from_us || from_us !== this.drawn.from_us;
    if (stretched) {
      setProperty(part(this.stage, "marks"), "--begin", from_us / 1e6);
      setProperty(part(this.stage, "marks"), "--span", (to_us - from_us) / 1e6);
    }
    if (!stretched && this.drawn.list === this.marks.list) return;
    this.drawn = { list: this.marks.list, from_us, to_us };
    keep(part(this.stage, "marks"), this.marks.spread(from_us, to_us, MARKS_DRAWN, weightOf), {
      template: "mark", attribute: "data-offset", key: ({ offset }) => String(offset),
      fill: (node, mark) => {
        setAttribute(node, "data-family", familyOf(mark));
        setProperty(node, "--at", mark.at_us / 1e6);
      },
    });
  }

  /** @param {import("../state/marks.js").Mark} mark */
  #inWords(mark) {
    return markInWords(mark, this.player.drawn?.state ?? { topics: {} });
  }

  /** @param {number} at_us @returns {import("../state/marks.js").Mark | undefined} */
  #markNear(at_us) {
    return this.marks.near(at_us, 0);
  }

  /** Name the mark under the pointer. @param {PointerEvent} event */
  #hover(event) {
    if (event.pointerType === "touch" || event.buttons) return;
    const { left, width } = part(this.stage, "marks").getBoundingClientRect();
    const share = (event.clientX - left) / width;
    const span_us = this.to_us - this.from_us;
    this.#say(this.marks.near(this.from_us + share * span_us, REACH * span_us));
  }

  /** Name the mark that is looked at, if there is one. */
  #name() {
    this.#say(this.player.past.place && this.#markNear(this.player.past.place.at_us));
  }

  /** The one that is named stands out. @param {import("../state/marks.js").Mark | undefined} mark */
  #stress(mark) {
    if (mark?.offset === this.named) return;
    this.named = mark?.offset;
    for (const node of part(this.stage, "marks").children) node.toggleAttribute("data-named", node.getAttribute("data-offset") === String(this.named));
  }

  /** @param {import("../state/marks.js").Mark | undefined} mark */
  #say(mark) {
    setShown(this.label, { hidden: !mark });
    this.#stress(mark);
    if (!mark) return;
    setText(this.label, `${this.#inWords(mark)} · ${timeInWords(mark.at_us)}`);
  }
}
