// @ts-check
/** The inspector: a panel beside the picture, read from the server or drawn from the state of the moment that is shown. */
import { timeInWords } from "../scene/words.js";
import { part, setShown, setText } from "../view/nodes.js";
import { consumerSettings, drawPanel, filesOf, mirrorSettings, producerSettings } from "../view/panels.js";
import { Breaking } from "./breaking.js";
import { keepForms, showWhatWasRead } from "./panel_forms.js";
import { newsOf } from "./panel_news.js";

/** A panel's name and its query. */
const SELECTION = /^[a-z]+(\?[^#]*)?$/;

/** While a person drags through the past, the server is asked only when the pointer rests. */
const SETTLES_MS = 120;

/** Panels that a state says everything about. */
const DRAWINGS = /** @type {Record<string, (state: any, query: URLSearchParams, panels: string) => import("../view/panels.js").Drawing>} */ ({
  producer: producerSettings,
  consumer: consumerSettings,
  mirror: mirrorSettings,
  files: filesOf,
});

/** What a panel says about itself while the past is looked at. */
const WHEN = /** @type {Record<string, string>} */ ({
  producer: "The settings as they were; only the present can be changed.",
  consumer: "The settings as they were; only the present can be changed.",
  mirror: "The settings as they were; only the present can be changed.",
  group: "Additions and moves act on the present.",
  files: "The files as they were.",
  log: "",
  api: "The API describes only the present, and so does this panel. The past is in the journal.",
  trouble: "Faults are set and repaired in the present.",
  add: "Additions are made to the present.",
  downloads: "The files as they are now.",
});

export class Inspector {
  /** @param {HTMLElement} stage @param {import("./player.js").Player} player */
  constructor(stage, player) {
    this.stage = stage;
    this.player = player;
    this.content = part(stage, "inspector-content");
    /** The panel that was read from the server and stands there. */
    this.shown = "";
    /** The address of the panel from the server that is shown; "" while a drawn panel is shown. */
    this.standing = "";
    /** What could be read of its log, as the picture had it, when it was asked for. */
    this.readable = "";
    /** The state that was looked into for news, and what it said of the panel. @type {Record<string, any> | undefined} */
    this.state = undefined;
    this.news = "";
    this.timer = 0;
    /** Whether a request is under way; a panel requested meanwhile is read when it ends. */
    this.reading = false;
    this.asked_meanwhile = false;
    this.inspector = /** @type {HTMLDialogElement} */ (part(stage, "inspector"));
    this.opened = "";
    /** The link of the picture that leads to what is open. @type {Element | null} */
    this.marked = null;
    this.inspector.addEventListener("close", () => {
      this.#mark();
      /** @type {HTMLElement | undefined} */ (this.opener)?.focus();
    });
    const outcome = part(stage, "panel-outcome");
    keepForms(this.content, () => this.#readAgain());
    new Breaking(stage, { inspector: this.inspector, content: this.content, outcome });
  }

  /** Show what a link of the page leads to. @param {HTMLAnchorElement} link */
  follow(link) {
    this.opener = link;
    part(this.inspector, "panel-outcome").replaceChildren();
    this.openSelection((link.getAttribute("href") ?? "").slice(`${this.stage.dataset.panels}/`.length));
  }

  /** What is open in the inspector: the address of a panel below the room's panels; "" if nothing is. */
  get selection() {
    return this.inspector.open ? this.opened : "";
  }

  /** @param {string} selection as `selection` said it */
  openSelection(selection) {
    if (!SELECTION.test(selection)) return;
    this.opened = selection;
    this.shown = "";
    this.state = undefined;
    if (!this.inspector.open) this.inspector.show();
    this.paint();
  }

  /** Keep what is open true to the moment that is drawn: the present is read from the server, the past from its state. */
  paint() {
    const { drawn, past, drawn_us } = this.player;
    if (!this.inspector.open || !drawn) return;
    this.#mark();
    const [name, query = ""] = this.opened.split("?");
    if (name === "log") this.#forgetRefusal(drawn.state.partitions, new URLSearchParams(query));
    if (!past.place) this.#lookForNews(name, drawn.state, new URLSearchParams(query));
    const words = past.place ? WHEN[name] ?? "" : "";
    setShown(part(this.stage, "panel-when"), { hidden: !words });
    setText(part(this.stage, "panel-when"), words && `At ${timeInWords(drawn_us)}. ${words}`);
    const drawing = DRAWINGS[name]?.(drawn.state, new URLSearchParams(query), this.stage.dataset.panels ?? "");
    if (drawing && (past.place || name === "files")) {
      this.shown = "";
      this.standing = "";
      drawPanel(this.content, drawing);
    } else if (past.place && name === "log") this.#read(`${this.opened}&journal_offset=${drawn.next_offset}`);
    else this.#read(this.opened);
  }

  /**
   * What was refused of a log may be there when its readers see more of it, or less.
   * @param {Record<string, any>} partitions @param {URLSearchParams} query
   */
  #forgetRefusal(partitions, query) {
    const { first_offset = 0, flushed_offset = 0 } = partitions[`${query.get("topic")}-${query.get("partition")}`] ?? {};
    const readable = `${first_offset} to ${flushed_offset}`;
    if (readable !== this.readable && this.content.querySelector('.outcome[data-ok="false"]')) this.shown = "";
    if (!this.shown) this.readable = readable;
  }

  /**
   * Read the panel again when the state it shows has changed, for any reason.
   * @param {string} name @param {Record<string, any>} state @param {URLSearchParams} query
   */
  #lookForNews(name, state, query) {
    if (state === this.state) return;
    this.state = state;
    const news = `${this.opened} ${newsOf(name, state, query)}`;
    if (news !== this.news) this.shown = "";
    this.news = news;
  }

  /** The picture shows what the panel is about, if that is in view. */
  #mark() {
    const address = this.selection && `${this.stage.dataset.panels}/${this.opened}`;
    if (this.marked?.isConnected && this.marked.getAttribute("href") === address) return;
    this.marked?.removeAttribute("aria-current");
    this.marked = address ? this.stage.querySelector(`a[href="${CSS.escape(address)}"]`) : null;
    this.marked?.setAttribute("aria-current", "true");
  }

  /** Bring a panel from the server, unless it stands there already. @param {string} address below the panels */
  #read(address) {
    if (this.shown === address) return;
    this.shown = address;
    delete this.content.dataset.drawn;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.#fetch(address);
    }, this.player.past.place ? SETTLES_MS : 0);
  }

  /** @returns {boolean} whether what stands there is still to come */
  get pending() {
    return this.inspector.open && (this.reading || this.timer !== 0);
  }

  /** @param {string} address below the panels; what stands there already is changed where it differs, and keeps what is typed into it */
  async #fetch(address) {
    this.asked_meanwhile = this.reading;
    if (this.reading) return;
    const { htmx } = /** @type {any} */ (window);
    const swap = this.standing === address ? "innerMorph" : "innerHTML";
    this.standing = address;
    this.reading = true;
    try {
      await htmx.ajax("GET", `${this.stage.dataset.panels}/${address}`, { target: "#inspector-content", swap });
    } finally {
      this.reading = false;
    }
    showWhatWasRead(this.content);
    if (this.asked_meanwhile) this.#readAgain(); // htmx forgets all but one of the requests that wait for another
  }

  /** What the panel acted on has changed. */
  #readAgain() {
    this.shown = "";
    this.paint();
  }
}
