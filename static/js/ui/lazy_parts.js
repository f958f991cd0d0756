// @ts-check
/** The parts that the first picture does not need, each with what opens it. Modules are fetched on first use. */
import { part, setText } from "../view/nodes.js";
import { OnDemand } from "./on_demand.js";

/** Leads into the inspector. */
export const PANEL_LINK = "a.cell, a[data-panel]";
const PICTURE_BUTTON = "[data-picture-as]";
const COPY_BUTTON = '[data-testid="control-copy-link"]';

/**
 * @typedef {object} Parts
 * @property {import("./player.js").Player} player
 * @property {import("./time_line.js").TimeLine} time_line
 * @property {import("../state/samples.js").Samples} samples
 */

export class LazyParts {
  /** @param {HTMLElement} stage @param {Parts} parts that are here */
  constructor(stage, { player, time_line, samples }) {
    this.stage = stage;
    const say = (/** @type {string} */ fault) => setText(part(stage, "connection"), fault);
    const inspector = new OnDemand(async () => new (await import("./inspector.js")).Inspector(stage, player), say);
    this.inspector = inspector;
    this.charts = new OnDemand(async () => new (await import("./charts.js")).Charts(stage, player, samples), say);
    this.tables = new OnDemand(async () => new (await import("./tables.js")).Tables(stage, player), say);
    this.permalink = new OnDemand(async () => new (await import("./permalink.js")).Permalink(stage, { player, inspector, time_line }), say);
    this.take_away = new OnDemand(async () => new (await import("./take_away.js")).TakeAway(stage, player), say);
    this.#listen();
  }

  #listen() {
    const { stage } = this;
    this.inspector.whenNear(stage, PANEL_LINK);
    this.charts.whenOpened(part(stage, "charts"), (charts) => charts.open());
    this.tables.whenOpened(part(stage, "facts-table"), (tables) => tables.write());
    this.take_away.whenNear(stage, PICTURE_BUTTON);
    this.permalink.whenNear(stage, COPY_BUTTON);
    stage.addEventListener("click", ({ target }) => this.#clicked(/** @type {Element} */ (target)));
    window.addEventListener("hashchange", () => this.#openAddress());
    if (window.location.hash) this.#openAddress();
  }

  /** @param {Element} target */
  #clicked(target) {
    const button = /** @type {HTMLElement | null} */ (target.closest(PICTURE_BUTTON));
    if (button) this.take_away.ask((take_away) => take_away.save(/** @type {"svg" | "png"} */ (button.dataset.pictureAs)));
    if (target.closest(COPY_BUTTON)) this.permalink.ask((permalink) => permalink.copy());
  }

  /** Show the moment that the address names. */
  #openAddress() {
    this.permalink.ask((permalink) => permalink.open());
  }

  /** @returns {boolean} whether one of them, or what it is to show, is still being loaded */
  get pending() {
    const parts = [this.inspector, this.charts, this.tables, this.permalink, this.take_away];
    return parts.some(({ pending }) => pending) || Boolean(this.inspector.here?.pending);
  }

  /** Update the loaded parts to what is drawn. */
  paint() {
    for (const { here } of [this.charts, this.tables, this.permalink, this.inspector]) here?.paint();
  }
}
