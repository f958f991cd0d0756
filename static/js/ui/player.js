// @ts-check
/**
 * What is shown when: the history that was read, the time that is drawn, and the one animation loop. Live, stepping
 * back and scrubbing differ only in the time that is asked for. The loop sleeps when nothing moves or nobody looks.
 */
import { lossesAt } from "../scene/losses.js";
import { atRest, movesWithTime } from "../scene/motion.js";
import { SceneClock } from "../scene/clock.js";
import { History } from "../state/history.js";

/**
 * @typedef {import("../wire/feed.js").Frame} Frame
 * @typedef {import("../state/history.js").Instant} Instant
 * @typedef {Record<string, any>} State
 * @typedef {object} Surroundings
 * @property {{paint: (state: State, now_us: number, how: {steps: boolean, losses: import("../scene/losses.js").Loss[]}) => void, layout_changed: boolean}} view
 * @property {() => number} wall_us
 * @property {() => boolean} steps whether motion is unwelcome
 * @property {(drawn_offset: number) => boolean} busy whether something outside is still to be waited for: a command whose
 *   effects lie beyond that journal offset, a transition of the page
 * @typedef {{instants: Instant[], live: boolean, hurried: boolean}} Passed instants that were drawn since the last paint
 */

export class Player {
  /** @param {Surroundings} surroundings */
  constructor(surroundings) {
    this.around = surroundings;
    /** @type {History | undefined} */
    this.history = undefined;
    /** @type {SceneClock | undefined} */
    this.clock = undefined;
    /** The time looked at when it is not the live one. @type {{at_us: number, playing: boolean} | undefined} */
    this.past = undefined;
    this.visible = true;
    this.end_offset = 0;
    this.asked = 0;
    this.drawn_us = 0;
    this.fading = false;
    /** @type {Instant | undefined} */
    this.drawn = undefined;
    /** @type {Array<{done: () => boolean, resolve: () => void}>} */
    this.waiting = [];
    /** @type {Array<(passed: Passed) => void>} */
    this.listeners = [];
    /** The next picture is the first of a history: it is not glided to. */
    this.anew = true;
  }

  /** @param {Frame} frame @param {boolean} anew the first frame after a pull from a checkpoint */
  receive(frame, anew) {
    const wall_us = this.around.wall_us();
    this.end_offset = frame.end;
    if (!this.history || !this.clock) {
      if (!frame.events.length) return;
      this.history = new History(frame.events[0].state);
      this.clock = new SceneClock(frame.clock, wall_us);
    }
    const generation = this.history.generation;
    this.clock.anchor(frame.clock, wall_us);
    this.history.fold(frame.events, frame.next, anew);
    if (this.history.generation !== generation) this.#begin(anew);
    this.wake();
  }

  /** Another history began: the time drawn starts again with it. @param {boolean} anew */
  #begin(anew) {
    const history = /** @type {History} */ (this.history);
    this.past = undefined;
    this.drawn = undefined;
    this.clock?.restart(history.oldest.at_us);
    this.anew = anew;
  }

  wake() {
    if (!this.asked) this.asked = requestAnimationFrame(() => this.#tick());
  }

  #tick() {
    this.asked = 0;
    const { history, clock } = this;
    if (!history || !clock) return;
    const steps = this.around.steps();
    const hurried = steps || !this.visible || this.anew;
    this.anew = false;
    const before_us = this.drawn_us;
    const live_us = clock.advance(this.around.wall_us(), { at_once: hurried });
    this.drawn_us = this.past ? this.#pastTime(live_us) : live_us;
    const instant = history.at(this.drawn_us);
    const losses = steps ? [] : lossesAt(history.instants, history.indexAt(this.drawn_us), this.drawn_us);
    this.fading = losses.length > 0;
    this.around.view.paint(instant.state, this.drawn_us, { steps, losses });
    this.#tell(instant, before_us);
    this.#answerWaiting();
    if (this.#keepsMoving(instant)) this.wake();
  }

  /** @param {number} live_us @returns {number} the past moves on while it is played, until it has caught up */
  #pastTime(live_us) {
    const past = /** @type {{at_us: number, playing: boolean}} */ (this.past);
    const wall_us = this.around.wall_us();
    if (past.playing) past.at_us += (wall_us - (this.past_wall_us ?? wall_us)) * (this.clock?.frame.speed ?? 1);
    this.past_wall_us = wall_us;
    if (past.at_us < live_us) return past.at_us;
    if (past.playing) this.past = undefined;
    return live_us;
  }

  /** @param {Instant} instant @param {number} before_us */
  #tell(instant, before_us) {
    const history = /** @type {History} */ (this.history);
    if (instant === this.drawn) {
      this.listeners.forEach((listener) => listener({ instants: [], live: !this.past, hurried: false }));
      return;
    }
    const from = this.drawn ? history.indexAt(before_us) + 1 : history.instants.length;
    const to = history.indexAt(this.drawn_us);
    const instants = from <= to ? history.instants.slice(from, to + 1) : this.drawn ? [instant] : [];
    this.drawn = instant;
    const hurried = Boolean(this.past) || !this.clock?.running;
    this.listeners.forEach((listener) => listener({ instants, live: !this.past, hurried }));
  }

  /** @param {Instant} instant @returns {boolean} */
  #keepsMoving(instant) {
    if (!this.visible) return false;
    if (this.waiting.length || this.around.view.layout_changed) return true;
    if (this.past) return this.past.playing;
    const { history, clock } = this;
    if (!history || !clock) return false;
    if (history.newest !== instant || clock.gliding(this.around.wall_us())) return true;
    return clock.running && (this.fading || movesWithTime(instant.state, this.drawn_us));
  }

  // --- looking at another time -------------------------------------------------------------------------------------

  /** @param {number} at_us */
  lookAt(at_us) {
    if (!this.history) return;
    const live_us = this.clock?.now_us ?? 0;
    this.past = at_us < live_us ? { at_us: Math.max(at_us, this.history.oldest.at_us), playing: false } : undefined;
    this.wake();
  }

  lookLive() {
    this.past = undefined;
    this.wake();
  }

  get canStepBack() {
    return Boolean(this.history && this.drawn_us > this.history.oldest.at_us);
  }

  /** To the instant before the one drawn. */
  stepBack() {
    if (!this.history || !this.canStepBack) return;
    const index = this.history.indexAt(this.drawn_us);
    const at = this.history.instants[index].at_us;
    this.lookAt(at < this.drawn_us && !this.past ? at : this.history.instants[Math.max(0, index - 1)].at_us);
  }

  /** To the instant after the one drawn, while looking at the past. */
  stepForward() {
    if (!this.history || !this.past) return;
    const next = this.history.instants[this.history.indexAt(this.drawn_us) + 1];
    if (next) this.lookAt(next.at_us);
    else this.lookLive();
  }

  /** Let the past run, or hold it. */
  togglePast() {
    if (!this.past) return;
    this.past.playing = !this.past.playing;
    this.past_wall_us = this.around.wall_us();
    this.wake();
  }

  // --- what scripts wait for ---------------------------------------------------------------------------------------

  /** @returns {number} everything below this journal offset is folded and painted */
  get drawnOffset() {
    if (!this.history || !this.drawn) return 0;
    return this.drawn === this.history.newest ? this.history.next_offset : this.drawn.next_offset;
  }

  /**
   * What was known when somebody began to wait is drawn, and nothing that matters is in flight on screen. (While time
   * runs there is always something newer on its way to the screen, so "everything" would be a promise for a pause.)
   * @param {number} known_offset the journal's end at that time
   */
  isSettled(known_offset) {
    const { clock, drawn } = this;
    if (!clock || !drawn) return false;
    if (this.past) return !this.past.playing && !this.around.busy(Infinity);
    if (this.around.busy(this.drawnOffset)) return false;
    if (this.drawnOffset < known_offset) return false;
    if (!clock.running) return drawn === this.history?.newest && !clock.gliding(this.around.wall_us());
    return (!this.fading && atRest(drawn.state, this.drawn_us));
  }

  /** @returns {Promise<void>} resolves when the page is settled */
  settled() {
    const known_offset = this.end_offset;
    return this.until(() => this.isSettled(known_offset));
  }

  /** @param {() => boolean} done @returns {Promise<void>} */
  until(done) {
    return new Promise((resolve) => {
      this.waiting.push({ done, resolve });
      this.wake();
    });
  }

  #answerWaiting() {
    const ready = this.waiting.filter(({ done }) => done());
    this.waiting = this.waiting.filter((one) => !ready.includes(one));
    ready.forEach(({ resolve }) => resolve());
  }
}
