// @ts-check
/**
 * The past moment that is shown, if any. It is in a chapter of the journal. A loaded chapter shows it at once; any
 * other is requested, and until it arrives the page keeps its picture and says that it is reading.
 */
import { refusalOf } from "./refusals.js";

/** The delay before a failed request for a chapter is repeated. */
const AGAIN_MS = 2_000;
/** After so long at one moment the neighbouring chapters are loaded. */
const SOON_MS = 200;
/** Playing catches up with the present when it is this near, in wall time. */
const NEAR_LIVE_US = 300_000;

/**
 * @typedef {import("../state/chapters.js").Place} Place
 * @typedef {import("../state/chapters.js").Chapter} Chapter
 * @typedef {import("../state/chapters.js").Instant} Instant
 * @typedef {{instant: Instant, instants: Instant[], index: number}} Found
 * @typedef {object} Surroundings
 * @property {(moment: {at_us: number} | {journal_offset: number}) => Promise<import("../state/chapters.js").ChapterAnswer>} read
 * @property {(instants: Instant[], at_us: number) => void} came the moment that is shown was read
 * @property {() => void} changed something arrived, or another moment is shown
 * @property {() => number} live_us the present, as it is drawn
 */

export class Past {
  /** @param {Surroundings} surroundings */
  constructor(surroundings) {
    this.around = surroundings;
    /** The chapters that were read; none before a first look at the past. @type {import("../state/chapters.js").Chapters | undefined} */
    this.chapters = undefined;
    /** @type {Place | undefined} */
    this.place = undefined;
    this.playing = false;
    this.speed = 1;
    this.wall_us = 0;
    /** Why the moment cannot be shown, "" if it can or is on its way. */
    this.fault = "";
    /** @type {{chapter?: Chapter, before?: Chapter, instants: Instant[]}} */
    this.joined = { instants: [] };
    /** The requests for chapters that are needed now, one after the other. */
    this.wanted = 0;
    this.reading = false;
    this.soon = 0;
    /** @type {Promise<void>} */
    this.steps = Promise.resolve();
  }

  /** @returns {boolean} whether something is still to come before the moment asked for can be shown */
  get pending() {
    return this.wanted > 0 || Boolean(this.place && !this.chapters?.find(this.place));
  }

  /** @returns {Found | undefined} what is to be seen at the place, if it is here */
  found() {
    if (!this.place) return undefined;
    const chapter = this.chapters?.find(this.place);
    if (!chapter) {
      this.#fetch();
      return undefined;
    }
    const instants = this.#withWhatCameBefore(chapter);
    const index = instants.length - chapter.instants.length + chapter.indexAt(this.place.at_us);
    return { instant: instants[index], instants, index };
  }

  /** Rates and fading losses look back over the beginning of a chapter. @param {Chapter} chapter @returns {Instant[]} */
  #withWhatCameBefore(chapter) {
    const before = chapter.is_beginning ? undefined : this.chapters?.endingAt(chapter.offset);
    if (this.joined.chapter !== chapter || this.joined.before !== before) {
      this.joined = { chapter, before, instants: before ? before.instants.concat(chapter.instants) : chapter.instants };
    }
    return this.joined.instants;
  }

  /** @param {number} at_us @param {number} [before_offset] of the journal, where the time alone says too little */
  lookAt(at_us, before_offset = Infinity) {
    this.place = { at_us: Math.max(0, at_us), before_offset };
    this.playing = false;
    this.fault = "";
    this.around.changed();
  }

  leave() {
    this.place = undefined;
    this.playing = false;
    this.fault = "";
    this.around.changed();
  }

  /** Let the past run, or hold it. @param {number} wall_us */
  toggle(wall_us) {
    this.playing = !this.playing;
    this.wall_us = wall_us;
    this.around.changed();
  }

  /** The past moves on while it is played and here, until it has caught up with the present. @param {number} wall_us */
  advance(wall_us) {
    const { place } = this;
    if (!place) return;
    const passed_us = Math.max(0, wall_us - this.wall_us);
    this.wall_us = wall_us;
    const live_us = this.around.live_us();
    if (this.playing && this.chapters?.find(place)) {
      this.place = { at_us: Math.round(place.at_us + passed_us * this.speed), before_offset: Infinity };
      if (live_us - this.place.at_us < NEAR_LIVE_US * this.speed) this.leave();
    } else if (place.before_offset === Infinity && place.at_us >= live_us) this.leave();
  }

  // --- one instant on or back ----------------------------------------------------------------------------------------

  /** To the instant before a time. @param {Place} from what is shown, if it is not the past already @returns {Promise<void>} */
  back(from) {
    return this.inTurn(async () => {
      const place = this.place ?? from;
      const chapter = await this.chapterAt(place);
      const earlier = chapter.instants.filter(({ at_us }) => at_us < place.at_us).pop();
      if (earlier) this.lookAt(earlier.at_us);
      else if (chapter.offset) await this.#backBefore(chapter, place);
    });
  }

  /** @param {Chapter} chapter @param {Place} place nothing in the chapter is earlier */
  async #backBefore(chapter, place) {
    const previous = await this.#read({ journal_offset: chapter.offset });
    // A checkpoint within a history equals the state just before it; one that begins a history does not.
    const earlier = chapter.is_beginning ? previous.newest : previous.instants.filter(({ at_us }) => at_us < place.at_us).pop();
    if (earlier) this.lookAt(earlier.at_us, chapter.offset);
  }

  /** To the instant after the one looked at; to the present behind the last. @returns {Promise<void>} */
  forward() {
    return this.inTurn(async () => {
      const { place } = this;
      if (!place) return;
      const chapter = await this.chapterAt(place);
      const next = chapter.instants[chapter.indexAt(place.at_us) + 1];
      // At the very time of the next checkpoint only the offset says that this chapter is meant.
      if (next) this.lookAt(next.at_us, chapter.is_last || next.at_us < chapter.complete_until_us ? Infinity : chapter.end_offset);
      else if (chapter.is_last) this.leave();
      else await this.#forwardBehind(chapter, place);
    });
  }

  /** @param {Chapter} chapter @param {Place} place nothing in the chapter is later */
  async #forwardBehind(chapter, place) {
    const following = await this.chapterAt({ at_us: chapter.complete_until_us, before_offset: Infinity });
    const later = following.is_beginning && following.at_us >= place.at_us
      ? following.instants[0]
      : following.instants.find(({ at_us }) => at_us > place.at_us);
    if (later) this.lookAt(later.at_us);
    else this.leave();
  }

  // --- chapters ------------------------------------------------------------------------------------------------------

  /** @param {Place} place @returns {Promise<Chapter>} */
  async chapterAt(place) {
    return this.chapters?.find(place) ?? this.#read(requestFor(place));
  }

  /**
   * The place that a journal offset means, exactly.
   * @param {number} journal_offset
   * @returns {Promise<Place>}
   */
  async placeOf(journal_offset) {
    const chapter = await this.#read({ journal_offset });
    const { at_us, next_offset } = chapter.instantBefore(journal_offset);
    return { at_us, before_offset: Math.max(next_offset, 1) };
  }

  /** The journal offset behind everything that is to be seen at a place. @param {Place} place @returns {Promise<number>} */
  async offsetOf(place) {
    const chapter = await this.chapterAt(place);
    return chapter.instants[chapter.indexAt(place.at_us)].next_offset;
  }

  /** @param {{at_us: number} | {journal_offset: number}} moment @returns {Promise<Chapter>} */
  async #read(moment) {
    const [{ Chapter, Chapters }, answer] = await Promise.all([import("../state/chapters.js"), this.around.read(moment)]);
    const chapter = new Chapter(answer);
    await pause(); // parsing was one task; making nodes is another
    this.chapters ??= new Chapters();
    this.chapters.put(chapter);
    this.#prepare(chapter);
    return chapter;
  }

  /** Compute what a moment needs of its whole chapter when the chapter arrives, and not in the frame that shows it. @param {Chapter} chapter */
  #prepare(chapter) {
    const { place } = this;
    if (!place || !chapter.holds(place)) return;
    this.around.came(chapter.instants, place.at_us);
    chapter.fold(place.at_us);
  }

  /** Load the chapter of the place, one request at a time; the latest place wins. */
  async #fetch() {
    if (this.reading || this.fault || !this.place) return;
    this.reading = true;
    try {
      const chapter = await this.#read(requestFor(this.place));
      this.#bringNeighboursSoon(chapter);
    } catch (error) {
      this.#failed(error);
    }
    this.reading = false;
    this.around.changed();
  }

  /** @param {unknown} error */
  #failed(error) {
    const { message, remedy } = refusalOf(error);
    this.fault = `${message}: ${remedy}`;
    window.setTimeout(() => {
      this.fault = "";
      this.around.changed();
    }, AGAIN_MS);
  }

  /** Load the neighbours of a chapter that stays on screen; not if another one is shown at once. @param {Chapter} chapter */
  #bringNeighboursSoon(chapter) {
    window.clearTimeout(this.soon);
    this.soon = window.setTimeout(() => this.place && this.#bringNeighbours(chapter), SOON_MS);
  }

  /** @param {Chapter} chapter */
  #bringNeighbours({ offset, is_last, complete_until_us }) {
    const after = { at_us: complete_until_us, before_offset: Infinity };
    const missing = [];
    if (offset && !this.chapters?.endingAt(offset)) missing.push({ journal_offset: offset });
    if (!is_last && !this.chapters?.find(after)) missing.push({ at_us: complete_until_us });
    // They are loaded ahead: if a request fails, it is repeated when the chapter is needed.
    missing.forEach((moment) => this.#read(moment).catch(() => undefined));
  }

  /** One step after the other, so that two quick ones go two steps. @param {() => Promise<void>} step @returns {Promise<void>} */
  inTurn(step) {
    this.wanted += 1;
    this.steps = this.steps
      .then(step)
      .catch((error) => this.#failed(error))
      .then(() => {
        this.wanted -= 1;
        this.around.changed();
      });
    return this.steps;
  }
}

/** Yield to the page's other tasks. @returns {Promise<void>} */
const pause = () => new Promise((resolve) => window.setTimeout(resolve));

/** @param {Place} place */
function requestFor({ at_us, before_offset }) {
  return before_offset === Infinity ? { at_us: Math.floor(at_us) } : { journal_offset: before_offset };
}
