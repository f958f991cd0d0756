// @ts-check
/** The controls of time. Play, pause, step and speed are the room's; step back, scrub and live are this browser's own. */
import { secondsInWords } from "../scene/words.js";
import { part, setAttribute, setText } from "../view/nodes.js";

/** Virtual microseconds to one notch of the slider. */
const NOTCH_US = 1_000;

export class Transport {
  /**
   * @param {HTMLElement} stage
   * @param {import("./player.js").Player} player
   * @param {import("./commands.js").Commands} commands
   */
  constructor(stage, player, commands) {
    Object.assign(this, { stage, player, commands });
    this.stage = stage;
    this.player = player;
    this.commands = commands;
    /** @param {string} testid */
    const control = (testid) => /** @type {HTMLElement} */ (stage.querySelector(`[data-testid="${testid}"]`));
    this.back = /** @type {HTMLButtonElement} */ (control("control-step-back"));
    this.scrub = /** @type {HTMLInputElement} */ (control("control-scrub"));
    this.live = /** @type {HTMLButtonElement} */ (control("control-live"));
    this.speed = /** @type {HTMLSelectElement} */ (control("control-speed"));
    this.pause = control("control-pause");
    this.back.addEventListener("click", () => player.stepBack());
    this.live.addEventListener("click", () => player.lookLive());
    this.scrub.addEventListener("input", () => this.#scrubbed());
    this.#inThePast(this.pause, () => player.togglePast());
    this.#inThePast(control("control-step"), () => player.stepForward());
  }

  /** While the past is looked at, a control acts on it and not on the room. @param {HTMLElement} control @param {() => void} act */
  #inThePast(control, act) {
    control.addEventListener("click", (event) => {
      if (!this.player.past) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      act();
    }, { capture: true });
  }

  #scrubbed() {
    const at = Number(this.scrub.value);
    if (at >= Number(this.scrub.max)) this.player.lookLive();
    else this.player.lookAt(at * NOTCH_US);
  }

  /** Show what the player shows. */
  paint() {
    const { player, stage } = this;
    const { clock, history, past } = player;
    if (!clock || !history) return;
    const running = past ? past.playing : clock.running;
    setAttribute(stage, "data-paused", past ? !past.playing : clock.frame.paused);
    setAttribute(stage, "data-standing", clock.frame.standing);
    setAttribute(stage, "data-running", running);
    setAttribute(stage, "data-view", past ? "past" : "live");
    setAttribute(this.pause, "aria-label", running ? "pause" : "play");
    setText(part(stage, "now"), secondsInWords(player.drawn_us));
    this.back.disabled = !player.canStepBack;
    this.live.disabled = !past;
    this.scrub.disabled = history.instants.length < 2;
    this.#paintScrub(history.oldest.at_us, clock.now_us);
    this.#paintSpeed(clock.frame.speed);
  }

  /** @param {number} oldest_us @param {number} live_us */
  #paintScrub(oldest_us, live_us) {
    setAttribute(this.scrub, "min", Math.floor(oldest_us / NOTCH_US));
    setAttribute(this.scrub, "max", Math.ceil(live_us / NOTCH_US));
    this.scrub.value = String(Math.round(this.player.drawn_us / NOTCH_US));
    setAttribute(this.scrub, "aria-valuetext", secondsInWords(this.player.drawn_us));
  }

  /** @param {number} speed */
  #paintSpeed(speed) {
    if (document.activeElement === this.speed) return;
    const option = [...this.speed.options].find(({ value }) => Number(value) === speed);
    if (option) this.speed.value = option.value;
  }
}
