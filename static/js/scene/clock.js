// @ts-check
/**
 * The time that is drawn. Anchored at the clock of each frame, extrapolated with its speed, a little behind what the
 * server says so that events are here before their moment, and never running backwards within one history.
 *
 * All times of the wall are handed in, in microseconds; nothing here reads a clock.
 *
 * @typedef {{now_us: number, speed: number, paused: boolean, standing: boolean}} ClockFrame
 */

/** How far the picture is behind the server, in wall time. */
const BEHIND_US = 90_000;
/** Extrapolation ends here when the server falls silent (its heartbeat is one second). */
const UNHEARD_US = 1_600_000;
/** How quickly a jump (a step, a late frame) is caught up: the time constant of the glide, in wall time. */
const GLIDE_US = 80_000;
/** A rest of the glide smaller than this is taken at once. */
const NEAR_US = 2_000;

export class SceneClock {
  /** @param {ClockFrame} frame @param {number} wall_us */
  constructor(frame, wall_us) {
    this.frame = frame;
    this.anchor_us = wall_us;
    this.wall_us = wall_us;
    this.now_us = frame.now_us;
  }

  get running() {
    return !this.frame.paused && !this.frame.standing;
  }

  /** @param {ClockFrame} frame @param {number} wall_us */
  anchor(frame, wall_us) {
    this.frame = frame;
    this.anchor_us = wall_us;
  }

  /** Begin anew at a time that may lie before the one drawn: another history began. @param {number} now_us */
  restart(now_us) {
    this.now_us = now_us;
  }

  /** @param {number} wall_us @returns {number} where the drawn time is heading, in virtual microseconds */
  target(wall_us) {
    if (!this.running) return this.frame.now_us;
    const since_us = Math.min(wall_us - this.anchor_us, UNHEARD_US) - BEHIND_US;
    return this.frame.now_us + Math.round(since_us * this.frame.speed);
  }

  /** @param {number} wall_us @param {{at_once?: boolean}} [how] @returns {number} the time to draw */
  advance(wall_us, how = {}) {
    const passed_us = Math.max(0, wall_us - this.wall_us);
    this.wall_us = wall_us;
    const ahead_us = this.target(wall_us) - this.now_us;
    if (ahead_us <= 0) return this.now_us;
    const steady_us = this.running ? passed_us * this.frame.speed : 0;
    const glide_us = ahead_us * (1 - Math.exp(-passed_us / GLIDE_US));
    const move_us = how.at_once || ahead_us < NEAR_US ? ahead_us : Math.max(steady_us, glide_us);
    this.now_us += Math.round(Math.min(ahead_us, move_us));
    return this.now_us;
  }

  /** @param {number} wall_us @returns {boolean} whether the drawn time is on its way to where it should be after a jump */
  gliding(wall_us) {
    const ahead_us = this.target(wall_us) - this.now_us;
    return ahead_us > (this.running ? BEHIND_US * this.frame.speed + NEAR_US : 0);
  }
}
