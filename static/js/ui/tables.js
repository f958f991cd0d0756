// @ts-check
/** The tables below the stage, written while they are open: the state that is drawn, also when that is the past. */
import { consumerRows, flightRows, partitionRows } from "../scene/tables.js";
import { keep, part, setText } from "../view/nodes.js";

/** The shortest wall time between two changes of the rows: people, and above all screen readers, need time to read. */
const EVERY_MS = 500;

export class Tables {
  /** @param {HTMLElement} stage @param {import("./player.js").Player} player */
  constructor(stage, player) {
    this.player = player;
    this.details = /** @type {HTMLDetailsElement} */ (part(stage, "facts-table"));
    this.partitions = part(stage, "facts-rows");
    this.consumers = part(stage, "consumer-rows");
    this.flights = part(stage, "flight-rows");
    /** The state and the tenth of a second that stand there. */
    this.written = { state: /** @type {unknown} */ (undefined), tenth: -1 };
    this.timer = 0;
  }

  /** Write what is drawn, unless it stands there, and not too often. */
  paint() {
    const { drawn, drawn_us } = this.player;
    if (!this.details.open || this.timer || (drawn?.state === this.written.state && tenthOf(drawn_us) === this.written.tenth)) return;
    this.write();
    this.timer = window.setTimeout(() => {
      this.timer = 0;
      this.paint();
    }, EVERY_MS);
  }

  /** Write what is drawn, now. */
  write() {
    const { drawn, drawn_us } = this.player;
    if (!this.details.open || !drawn) return;
    this.written = { state: drawn.state, tenth: tenthOf(drawn_us) };
    writeRows(this.partitions, "fact-row", partitionRows(drawn.state, drawn_us));
    writeRows(this.consumers, "consumer-row", consumerRows(drawn.state, drawn_us));
    writeRows(this.flights, "flight-row", flightRows(drawn.state));
  }
}

/** Seconds are said with one decimal. @param {number} at_us */
const tenthOf = (at_us) => Math.floor(at_us / 100_000);

/** @param {HTMLElement} body @param {string} template @param {import("../scene/tables.js").Row[]} rows */
function writeRows(body, template, rows) {
  keep(body, rows, {
    template, attribute: "data-row", key: ({ key }) => key,
    fill: (node, { cells }) => cells.forEach((text, index) => setText(node.children[index], text)),
  });
}
