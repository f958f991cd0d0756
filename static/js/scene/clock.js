// @ts-check
/**
 * The time that is drawn. It is anchored at the clock of each frame and extrapolated with its speed. It stays so far
 * behind the server that events arrive before their moment is drawn, and no further: the delay of events is measured,
 * as in a jitter buffer. It never runs backwards within one history while time runs; if it is ahead of the room's time,
 * it runs slower until the room has caught up. A pause shows the server's time: what was drawn ahead is taken back.
 *
 * Wall times are parameters, in microseconds; nothing here reads a clock.
 *
 * @typedef {{now_us: number, speed: number, paused: boolean, standing: boolean, full?: boolean, damage?: string}} ClockFrame
 */

/** How far the picture is behind the server, in wall time: at least, before anything is known, and at most. */
const BEHIND_LEAST_US = 16_000;
const BEHIND_FIRST_US = 70_000;
const BEHIND_MOST_US = 150_000;
/** The margin above the largest measured delay. */
const SPARE_US = 4_000;
/** A larger delay is adopted at once, a smaller one by this part of the difference. */
const FORGET = 0.06;
/** Extrapolation ends here when the server falls silent (its heartbeat is one second). */
const UNHEARD_US = 1_600_000;
/** How quickly a difference (a step, a late frame) is corrected: the time constant of the glide, in wall time. */
const GLIDE_US = 80_000;
/** A remaining difference smaller than this is corrected at once. */
const NEAR_US = 2_000;

export class SceneClock {
  /** @param {ClockFrame} frame @param {number} wall_us */
  constructor(frame, wall_us) {
    this.frame = frame;
    this.anchor_us = wall_us;
    this.wall_us = wall_us;
    this.now_us = frame.now_us;
    this.behind_us = BEHIND_FIRST_US;
  }

  get running() {
    return !this.frame.paused && !this.frame.standing;
  }

  /** @param {ClockFrame} frame @param {number} wall_us @param {number} [oldest_us] when the first of the frame's events happened */
  anchor(frame, wall_us, oldest_us) {
    const goes_on = this.running && this.frame.speed === frame.speed;
    if (goes_on && oldest_us !== undefined) this.#learn(Math.max(frame.now_us, this.#present(wall_us)) - oldest_us);
    this.frame = frame;
    this.anchor_us = wall_us;
  }

  /** @param {number} late_us the delay of a frame's events, in virtual time */
  #learn(late_us) {
    const wanted_us = Math.min(Math.max(late_us / this.frame.speed + SPARE_US, BEHIND_LEAST_US), BEHIND_MOST_US);
    this.behind_us = Math.max(wanted_us, this.behind_us + (wanted_us - this.behind_us) * FORGET);
  }

  /** Restart at a time that may be before the drawn one, when another history has begun. @param {number} now_us */
  restart(now_us) {
    this.now_us = now_us;
  }

  /** @param {number} wall_us @returns {number} the server's time, extrapolated from its last frame, in virtual microseconds */
  #present(wall_us) {
    return this.frame.now_us + Math.min(wall_us - this.anchor_us, UNHEARD_US) * this.frame.speed;
  }

  /** @param {number} wall_us @returns {number} where the drawn time is heading, in virtual microseconds */
  target(wall_us) {
    if (!this.running) return this.frame.now_us;
    return Math.round(this.#present(wall_us) - this.behind_us * this.frame.speed);
  }

  /** @param {number} wall_us @param {{at_once?: boolean}} [how] @returns {number} the time to draw */
  advance(wall_us, how = {}) {
    const passed_us = Math.max(0, wall_us - this.wall_us);
    this.wall_us = wall_us;
    const target_us = this.target(wall_us);
    const unheard = wall_us - this.anchor_us > UNHEARD_US;
    const steady_us = this.running && !unheard ? passed_us * this.frame.speed : 0;
    const off_us = target_us - this.now_us - steady_us;
    const at_once = how.at_once || Math.abs(off_us) < NEAR_US;
    const move_us = at_once ? off_us + steady_us : steady_us + off_us * (1 - Math.exp(-passed_us / GLIDE_US));
    if (this.running) this.now_us += Math.max(0, Math.round(move_us));
    else this.now_us = target_us < this.now_us ? target_us : this.now_us + Math.round(move_us);
    return this.now_us;
  }

  /** @param {number} wall_us @returns {boolean} whether the drawn time is on its way to where it should be after a jump */
  gliding(wall_us) {
    const ahead_us = this.target(wall_us) - this.now_us;
    return ahead_us > (this.running ? this.behind_us * this.frame.speed + NEAR_US : 0);
  }
}
