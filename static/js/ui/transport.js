// @ts-check
/**
 * The buttons of time. Play, pause, step and speed are the room's while the present is shown, and this browser's own
 * while the past is; step back and live are always its own.
 */
import { timeInWords } from "../scene/words.js";
import { part, setAttribute, setDisabled, setText } from "../view/nodes.js";

const READING = "reading the journal";
const GLANCE_MS = 160;

export class Transport {
  /**
   * @param {HTMLElement} stage
   * @param {import("./player.js").Player} player
   */
  constructor(stage, player) {
    this.stage = stage;
    this.player = player;
    /** @param {string} testid */
    const control = (testid) => /** @type {HTMLElement} */ (stage.querySelector(`[data-testid="${testid}"]`));
    this.back = /** @type {HTMLButtonElement} */ (control("control-step-back"));
    this.live = /** @type {HTMLButtonElement} */ (control("control-live"));
    this.speed = /** @type {HTMLSelectElement} */ (control("control-speed"));
    this.pause = control("control-pause");
    /** The timer until the page says that it is reading the journal. */
    this.timer = 0;
    this.back.addEventListener("click", () => player.stepBack());
    this.live.addEventListener("click", () => player.lookLive());
    this.#inThePast(this.pause, "click", () => player.togglePast());
    this.#inThePast(control("control-step"), "click", () => player.stepForward());
    this.#inThePast(this.speed, "change", () => (player.past.speed = Number(this.speed.value)));
  }

  /** While the past is looked at, a control acts on it and not on the room. @param {HTMLElement} control @param {string} kind @param {() => void} act */
  #inThePast(control, kind, act) {
    control.addEventListener(kind, (event) => {
      if (!this.player.past.place) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      act();
    }, { capture: true });
  }

  /** @param {-1 | 1} direction to the next slower or faster speed of the list, if there is one */
  changeSpeed(direction) {
    const option = this.speed.options[this.speed.selectedIndex + direction];
    if (!option) return;
    this.speed.value = option.value;
    this.speed.dispatchEvent(new Event("change", { bubbles: true }));
  }

  /** Show what the player shows. */
  paint() {
    const { player, stage } = this;
    const { clock, history, past } = player;
    if (!clock || !history) return;
    const running = past.place ? past.playing : clock.running;
    setAttribute(stage, "data-paused", past.place ? !past.playing : clock.frame.paused);
    setAttribute(stage, "data-standing", clock.frame.standing);
    setAttribute(stage, "data-running", running);
    setAttribute(stage, "data-view", past.place ? "past" : "live");
    setAttribute(this.pause, "aria-label", running ? "pause" : "play");
    setText(part(stage, "now"), timeInWords(past.place?.at_us ?? player.drawn_us));
    setText(part(stage, "printed-now"), timeInWords(player.drawn_us));
    this.#paintReading(past);
    setDisabled(this.back, { disabled: player.place.at_us <= 0 });
    setDisabled(this.live, { disabled: !past.place });
    this.#paintSpeed(past.place ? past.speed : clock.frame.speed);
  }

  /** While the journal is read, the previous moment stays on screen; say so if that takes noticeably long. @param {import("./past.js").Past} past */
  #paintReading({ fault, pending }) {
    if (pending && !fault) {
      this.timer ||= window.setTimeout(() => this.#say(READING, { reads: true }), GLANCE_MS);
      return;
    }
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.#say(fault, { reads: false });
  }

  /** @param {string} words @param {{reads: boolean}} how */
  #say(words, { reads }) {
    setAttribute(this.stage, "data-reading", reads);
    setText(part(this.stage, "reading"), words);
  }

  /** @param {number} speed */
  #paintSpeed(speed) {
    if (document.activeElement === this.speed) return;
    const option = [...this.speed.options].find(({ value }) => Number(value) === speed);
    if (option) this.speed.value = option.value;
  }
}
