// @ts-check
/**
 * The player: the history that was read, the time that is drawn, and the one animation loop. Live and past differ only
 * in where the state of a time is looked up. The loop is suspended when nothing moves or the page is hidden.
 */
import { lossesAt } from "../scene/losses.js";
import { ratesAt } from "../scene/rates.js";
import { atRest, movesWithTime } from "../scene/motion.js";
import { SceneClock } from "../scene/clock.js";
import { History, indexAt } from "../state/history.js";
import { Past } from "./past.js";

/**
 * @typedef {import("../wire/feed.js").Frame} Frame
 * @typedef {import("../state/history.js").Instant} Instant
 * @typedef {Record<string, any>} State
 * @typedef {object} Surroundings
 * @property {Pick<import("../view/stage_view.js").StageView, "paint" | "prepare" | "layout_changed" | "unfinished" | "is_busy" | "flows">} view
 * @property {() => number} wall_us
 * @property {() => boolean} steps whether motion is unwelcome
 * @property {(drawn_offset: number) => boolean} busy whether something outside is still to be waited for: a command whose
 *   effects lie beyond that journal offset, a transition of the page
 * @property {import("./past.js").Surroundings["read"]} read a chapter of the journal
 * @property {import("./past.js").Surroundings["came"]} came
 * @typedef {object} Passed
 * @property {Instant[]} instants that were drawn since the last paint
 * @property {boolean} live
 * @property {boolean} hurried
 * @property {Instant[]} earlier those that led to the one drawn, where that was leapt to
 */

/** Between two states of a flood that is played, in wall time; the feed's digests come so often. */
const FLOW_EVERY_US = 220_000;

/** So many instants before one that was leapt to may tell how it came about. */
const LOOKED_BACK = 600;

export class Player {
  /** @param {Surroundings} surroundings */
  constructor(surroundings) {
    this.around = surroundings;
    /** @type {History | undefined} */
    this.history = undefined;
    /** @type {SceneClock | undefined} */
    this.clock = undefined;
    this.past = new Past({ read: surroundings.read, came: (instants, at_us) => this.#prepare(instants, at_us), changed: () => this.wake(), live_us: () => this.live_us });
    /** The instants that the drawn one stands among. @type {Instant[]} */
    this.among = [];
    this.visible = true;
    this.end_offset = 0;
    /** Events before this offset were in the journal when reading began, so they are not news. */
    this.opening_end_offset = 0;
    this.opening = true;
    this.asked = 0;
    this.drawn_us = 0;
    this.fading = false;
    /** Whether the listeners were last called for the present. */
    this.told_live = true;
    /** Whether a new state waits until the last one is drawn with all its tapes. */
    this.waits = false;
    /** @type {Instant | undefined} */
    this.drawn = undefined;
    /** @type {Array<{done: () => boolean, resolve: () => void}>} */
    this.waiting = [];
    /** @type {Array<(passed: Passed) => void>} */
    this.listeners = [];
    /** Whether the next picture is the first of a history, which is shown without a transition. */
    this.fresh = true;
  }

  /** @param {Frame} frame @param {boolean} fresh the first frame after a pull from a checkpoint */
  receive(frame, fresh) {
    const wall_us = this.around.wall_us();
    this.end_offset = frame.end;
    if (fresh) this.opening_end_offset = frame.end;
    this.opening = frame.offset < this.opening_end_offset;
    if (!this.history || !this.clock) {
      const state = frame.digest?.state ?? frame.events[0]?.state;
      if (!state) return;
      this.history = new History(state);
      this.clock = new SceneClock(frame.clock, wall_us);
    }
    const generation = this.history.generation;
    this.clock.anchor(frame.clock, wall_us, fresh ? undefined : frame.events[0]?.at_us);
    if (frame.digest) this.history.foldDigest(frame.digest, frame.next, fresh);
    else this.history.fold(frame.events, frame.next, fresh);
    if (this.history.generation !== generation) this.#begin(fresh);
    this.wake();
  }

  /** Restart the drawn time, when another history has begun. @param {boolean} fresh */
  #begin(fresh) {
    const history = /** @type {History} */ (this.history);
    if (!this.past.place) this.drawn = undefined;
    this.clock?.restart(history.oldest.at_us);
    this.fresh = fresh;
  }

  wake() {
    if (!this.asked) this.asked = requestAnimationFrame(() => this.#tick());
  }

  /** Paint everything now, without waiting for a frame: for print. */
  paintNow() {
    cancelAnimationFrame(this.asked);
    this.#tick({ whole: true });
  }

  /** @param {{whole?: boolean}} [how] whether somebody looks at this very picture */
  #tick({ whole = false } = {}) {
    this.asked = 0;
    const { history, clock } = this;
    if (!history || !clock) return;
    const steps = this.around.steps();
    const hurried = steps || !this.visible || this.fresh;
    this.fresh = false;
    const before = this.among;
    const wall_us = this.around.wall_us();
    clock.advance(wall_us, { at_once: hurried });
    this.past.advance(wall_us);
    const { instant, instants, index } = this.#toDraw(history, clock.now_us);
    const losses = steps ? [] : lossesAt(instants, index, this.drawn_us);
    this.fading = losses.length > 0;
    const rates = () => ratesAt(instants, index);
    const drags = Boolean(this.past.place) && !this.past.playing; // each picture may be of another moment
    const moves = !this.past.place && !clock.frame.paused;
    this.around.view.paint(instant.state, this.drawn_us, { steps, losses, rates, summary: Boolean(instant.summary), moves, whole: whole || drags || !this.visible || this.waiting.length > 0 });
    if (!this.waits || !this.around.view.is_busy) this.#tell(instant, index, before);
    this.#answerWaiting();
    if (this.#keepsMoving(instant)) this.wake();
  }

  /**
   * Find what belongs to the time shown; what was drawn before, while a chapter is being loaded or a flood's next state
   * is too soon.
   * @param {History} history @param {number} live_us @returns {import("./past.js").Found}
   */
  #toDraw(history, live_us) {
    const { drawn, past: { place } } = this;
    const found = this.past.found();
    this.waits = false;
    if (place && drawn && (!found || this.#comesSoon(found.instant, drawn))) {
      if (found) this.drawn_us = Math.max(place.at_us, drawn.at_us);
      return { instant: drawn, instants: this.among, index: indexAt(this.among, drawn.at_us) };
    }
    this.drawn_us = found && place ? Math.max(place.at_us, found.instant.at_us) : live_us;
    const before = this.among;
    this.among = found?.instants ?? history.instants;
    const index = found ? found.index : this.#inBites(history, history.indexAt(live_us), before);
    return { instant: this.among[index], instants: this.among, index };
  }

  /**
   * Where much moves, a state is painted in parts (bites), one a frame, and a newer state waits until all are painted:
   * a delay of a few frames is not visible, and painting everything at once would take longer than a frame.
   * @param {History} history @param {number} index of the newest state there is to draw @param {Instant[]} before what was drawn stood among these
   * @returns {number} the index of the instant to draw
   */
  #inBites({ instants }, index, before) {
    const { drawn } = this;
    const new_state = instants === before && drawn && drawn !== instants[index];
    this.waits = Boolean(new_state && this.around.view.unfinished);
    return drawn && this.waits ? indexAt(instants, drawn.at_us) : index;
  }

  /** Have the nodes of a past moment up to date before the frame that shows it. @param {Instant[]} instants that came @param {number} at_us what is looked at */
  #prepare(instants, at_us) {
    this.around.came(instants, at_us);
    const found = this.past.found();
    if (!found) return;
    const { instant, instants: among, index } = found;
    this.around.view.prepare(instant.state, { rates: () => ratesAt(among, index), summary: Boolean(instant.summary) });
  }

  /**
   * A flood in the past is played like a live one: with a new state a few times a second, and motion in between.
   * @param {Instant} instant that belongs to the time looked at @param {Instant} drawn
   * @returns {boolean} whether what is drawn stays a little longer
   */
  #comesSoon(instant, drawn) {
    const { past, around: { view } } = this;
    const passed_us = instant.at_us - drawn.at_us;
    return past.playing && view.flows && passed_us >= 0 && (passed_us < FLOW_EVERY_US * past.speed || Boolean(view.unfinished));
  }

  /** @param {Instant} instant @param {number} index @param {Instant[]} before what was drawn stood among these */
  #tell(instant, index, before) {
    const live = !this.past.place;
    if (instant === this.drawn) {
      this.listeners.forEach((listener) => listener({ instants: [], live, hurried: false, earlier: [] }));
      return;
    }
    const from = this.drawn && before === this.among ? indexAt(this.among, this.drawn.at_us) + 1 : index;
    const leapt = this.#leapt(instant, before);
    this.told_live = live;
    const passed = from <= index ? this.among.slice(from, index + 1) : [instant];
    // The first picture says nothing, but a history that begins with a reset does.
    const news = this.drawn ? passed : this.among[0].events.length ? this.among.slice(0, index + 1) : [];
    const instants = live && this.opening ? [] : news;
    this.drawn = instant;
    const hurried = live ? !this.clock?.running : !this.past.playing;
    const earlier = leapt && !(live && this.opening) ? this.among.slice(Math.max(0, index - LOOKED_BACK), index + 1) : [];
    this.listeners.forEach((listener) => listener({ instants, live, hurried, earlier }));
  }

  /** @param {Instant} instant that is drawn now @param {Instant[]} before what was drawn stood among these @returns {boolean} whether it is not what came next */
  #leapt(instant, before) {
    const { drawn, past, told_live } = this;
    if (!drawn) return false;
    const elsewhere = past.place ? told_live || (before !== this.among && !past.playing) : !told_live;
    return elsewhere || instant.at_us < drawn.at_us;
  }

  /** @param {Instant} instant @returns {boolean} */
  #keepsMoving(instant) {
    if (!this.visible) return false;
    if (this.waiting.length || this.around.view.layout_changed || this.around.view.unfinished) return true;
    if (this.past.place) return this.past.playing;
    const { history, clock } = this;
    if (!history || !clock) return false;
    if (history.newest !== instant || clock.gliding(this.around.wall_us())) return true;
    return clock.running && (this.fading || this.around.view.flows || movesWithTime(instant.state, this.drawn_us));
  }

  // --- looking at another time -------------------------------------------------------------------------------------

  /** @param {number} at_us @param {number} [before_offset] of the journal, where the time alone says too little */
  lookAt(at_us, before_offset) {
    if (!this.history) return;
    if (!this.past.place) this.past.speed = this.clock?.frame.speed ?? 1;
    this.past.lookAt(at_us, before_offset);
  }

  lookLive() {
    this.past.leave();
  }

  /** The place that is shown, in the past or the present. @returns {import("../state/chapters.js").Place} */
  get place() {
    return this.past.place ?? { at_us: this.live_us, before_offset: Infinity };
  }

  /** The present as it is drawn, but no later than the room's last known time: the rest is extrapolated. */
  get live_us() {
    return this.clock ? Math.min(this.clock.now_us, this.clock.frame.now_us) : 0;
  }

  /** To the instant before the one drawn. */
  stepBack() {
    if (!this.history) return;
    if (!this.past.place) this.past.speed = this.clock?.frame.speed ?? 1;
    this.past.back(this.place);
  }

  /** To the instant after the one drawn, while looking at the past. */
  stepForward() {
    this.past.forward();
  }

  /** Let the past run, or hold it. */
  togglePast() {
    if (this.past.place) this.past.toggle(this.around.wall_us());
  }

  // --- what scripts wait for ---------------------------------------------------------------------------------------

  /** @returns {number} everything below this journal offset is folded and painted */
  get drawnOffset() {
    if (!this.history || !this.drawn) return 0;
    return this.drawn === this.history.newest ? this.history.next_offset : this.drawn.next_offset;
  }

  /**
   * Whether everything known when the wait began is drawn, and nothing that matters is in flight on screen. (While time
   * runs, newer events always arrive; waiting for all of them would end only at a pause.)
   * @param {number} known_offset the journal's end at that time
   */
  isSettled(known_offset) {
    const { clock, drawn } = this;
    if (!clock || !drawn) return false;
    if (this.past.pending) return false;
    if (this.past.place) return !this.past.playing && drawn === this.past.found()?.instant && !this.around.busy(Infinity);
    if (this.around.busy(this.drawnOffset)) return false;
    if (this.drawnOffset < known_offset) return false;
    if (!clock.running) return drawn === this.history?.newest && !clock.gliding(this.around.wall_us());
    return !this.fading && !drawn.summary && atRest(drawn.state, this.drawn_us);
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
