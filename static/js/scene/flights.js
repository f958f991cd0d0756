// @ts-check
/**
 * What is in flight, as marks at a time: place = (t - at) / (due - at) along a path, and nothing else. The width of a
 * mark that carries bytes is their number; on the wire the scale is a fixed part of the tapes' scale.
 */
import { batch } from "./batches.js";
import { logOf, widthOf, xOf } from "./on_tape.js";
import { eased, level, line, placeOn, reversed, unit } from "./paths.js";
import { cardOf, commit, watch } from "./registry_flights.js";
import { load, multiFetch, multiFetchAnswer } from "./simple_flights.js";
import { bytesInWords } from "./words.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("./ribbons.js").Anchors} Anchors
 * @typedef {import("./ribbons.js").Ribbon} Ribbon
 * @typedef {import("./paths.js").Piece} Piece
 * @typedef {object} Picture
 * @property {State} state @property {number} now_us @property {Anchors} anchors @property {Ribbon[]} ribbons
 * @property {number} window_bytes @property {Map<string, number>} origins by "<topic>-<partition>"
 *  @property {import("./losses.js").Loss[]} losses messages dropped a moment ago
 * @property {boolean} steps no motion: every flight stands half way
 * @property {import("./levels.js").Level} level
 * @typedef {object} Mark
 * @property {string} key @property {string} kind @property {number} x @property {number} y centre
 * @property {number} width 0 when the mark carries no bytes @property {number} cells
 * @property {number} [shift] of the words, to one side @property {number} [before] of the detail, from there on
 * @property {string} label @property {string} detail @property {string} group @property {boolean} idle
 * @property {number} [faded] 0 to 1, of what was lost @property {boolean} [failed] @property {boolean} [bundled] a block with a count
 */

/** @param {Picture} picture @returns {Mark[]} */
export function marks(picture) {
  const flying = Object.entries(picture.state.flights).flatMap(([key, flight]) => drawn(key, flight, picture));
  const lost = picture.losses.flatMap(({ key, flight, at_us, faded }) =>
    drawn(key, flight, { ...picture, now_us: at_us }).map((mark) => ({ ...mark, key: `${key} lost`, faded, label: "lost", detail: "", shift: 0, idle: false })),
  );
  return [...flying, ...lost];
}

/** @param {string} key @param {State} flight @param {Picture} picture @returns {Mark[]} */
function drawn(key, flight, picture) {
  const mark = DRAW.get(key.slice(0, key.indexOf(":")))?.(flight, picture, partOf(flight, picture), key);
  return mark ? [{ ...mark, key }] : [];
}

/** @param {State} flight @param {Picture} picture */
function partOf(flight, picture) {
  if (picture.steps) return 0.5;
  return unit((picture.now_us - flight.at_us) / Math.max(1, flight.due_us - flight.at_us));
}

/** @param {State} flight @param {Picture} picture @returns {Piece[]} from the tab to the card */
function ribbonWay(flight, picture) {
  const key = `${flight.group}/${logOf(flight)}`;
  const ribbon = picture.ribbons.find((one) => one.key === key && one.consumer === flight.consumer);
  if (ribbon) return [ribbon.piece];
  const tab = picture.anchors.tabs.get(key);
  const card = picture.anchors.consumers.get(`${flight.group}/${flight.consumer}`);
  if (!tab || !card) return [];
  return [level(tab, { x: card.left, y: card.top + card.height / 2 })];
}

/**
 * From a place on the tape to the card: along the line below the row, under the names, then beside the ribbon.
 * @param {State} flight @param {Picture} picture @param {number} x on the tape @param {Piece} ribbon @returns {Piece[]}
 */
function laneWay(flight, picture, x, ribbon) {
  const y = picture.anchors.lanes.get(`${flight.group}/${logOf(flight)}`)?.y ?? ribbon.from.y;
  const end = { x: ribbon.from.x, y };
  return [line({ x, y }, end), level(end, ribbon.to)];
}

/** So far from where a pull begins stand the flags of its row, in letters. */
const FLAG_LETTERS = 8;

/**
 * A label stands only where it covers no words: over the empty part of a row, or in the gap before the cards.
 * @param {Omit<Mark, "key">} mark @param {State} flight @param {Picture} picture @returns {Omit<Mark, "key">}
 */
function readable(mark, flight, picture) {
  const { anchors } = picture;
  const lane = anchors.lanes.get(`${flight.group}/${logOf(flight)}`);
  const card = anchors.consumers.get(`${flight.group}/${flight.consumer}`);
  if (!lane || !card) return mark;
  const flags = xOf(picture, logOf(flight), flight.offset) + FLAG_LETTERS * anchors.letter;
  const [from, to] = mark.x > lane.to ? [lane.to, card.left] : [flags, lane.from];
  const rides = mark.y >= lane.y - 1 || mark.x > lane.to;
  const fits = (/** @type {string} */ text) => {
    const half = ((text.length + 1) * anchors.letter) / 2;
    return rides && (mark.x > lane.to ? to - from >= 2 * half : mark.x - half >= from && mark.x + half <= to);
  };
  const half = ((mark.label.length + 1) * anchors.letter) / 2;
  const shift = mark.x > lane.to ? Math.max(from + half, Math.min(to - half, mark.x)) - mark.x : 0;
  const furthest = card.left > lane.to ? card.left : lane.to; // it comes to the card, not over it; to one below it goes within its own
  const x = Math.min(mark.x, furthest - mark.width / 2);
  return { ...mark, x, shift: shift + mark.x - x, label: fits(mark.label) ? mark.label : "", detail: fits(mark.detail) ? mark.detail : "" };
}

/** @param {State} flight @param {Picture} picture @param {number} part */
function fetch(flight, picture, part) {
  const ribbon = ribbonWay(flight, picture);
  if (!ribbon.length) return undefined;
  const x = xOf(picture, logOf(flight), flight.offset);
  const log = picture.state.partitions[logOf(flight)];
  const way = laneWay(flight, picture, x, ribbon[0]);
  return readable({
    kind: "fetch", ...placeOn(reversed(way), part), width: 0, cells: 0,
    label: `from ${flight.offset}`, detail: `at most ${bytesInWords(flight.max_bytes)}`,
    group: flight.group, idle: flight.offset >= log.flushed_offset,
  }, flight, picture);
}

/** @param {State} flight @param {Picture} picture @param {number} part */
function answer(flight, picture, part) {
  const ribbon = ribbonWay(flight, picture);
  const log = logOf(flight);
  const tape = picture.anchors.tapes.get(log);
  if (!ribbon.length || !tape) return undefined;
  const middle = (xOf(picture, log, flight.offset) + xOf(picture, log, flight.offset + flight.bytes)) / 2;
  const reach = widthOf(picture, log, flight.bytes, 1) / 2; // what was read lies on the tape, also where it is further back than the window
  const x = Math.max(tape.left + reach, Math.min(tape.left + tape.width - reach, middle));
  const way = laneWay(flight, picture, x, ribbon[0]);
  const read = { x, y: tape.top + tape.height / 2 };
  return readable({
    kind: "answer", ...placeOn([line(read, way[0].from), ...way], part),
    width: flight.bytes ? widthOf(picture, log, flight.bytes, 1 - eased(unit(part / 0.25))) : 0, cells: 0,
    label: flight.error || bytesInWords(flight.bytes), detail: flight.error ? "" : `of p${flight.partition} from ${flight.offset}`,
    group: flight.group, idle: flight.bytes === 0 && !flight.error,
  }, flight, picture);
}

/** @param {State} flight @param {Picture} picture @param {number} part */
function ack(flight, picture, part) {
  const tape = picture.anchors.tapes.get(logOf(flight));
  if (!tape) return undefined;
  const from = { x: tape.left, y: tape.top + tape.height / 2 };
  const to = flight.client === "producer" ? picture.anchors.producer : cardOf(picture, flight.client.slice(flight.client.indexOf(":") + 1));
  if (!to) return undefined;
  return {
    kind: "ack", ...placeOn([level(from, to)], part), width: 0, cells: 0, failed: flight.error !== "",
    label: flight.error ? flight.error.replaceAll("_", " ") : `at ${flight.offset}`, detail: "", group: "", idle: false,
  };
}

/** A batch at the broker's edge, until the disk has taken it. @param {State} flight @param {Picture} picture */
function disk(flight, picture) {
  const tape = picture.anchors.tapes.get(logOf(flight));
  if (!tape) return undefined;
  const before = Object.values(picture.state.flights)
    .filter((other) => other.event === "batch_queued" && logOf(other) === logOf(flight) && other.batch < flight.batch).length;
  const end = xOf(picture, logOf(flight), picture.state.partitions[logOf(flight)].next_offset);
  return {
    kind: "disk", x: end + 12 + 5 * Math.min(before, 6), y: tape.top + tape.height / 2 - 3 * Math.min(before, 6), width: 0, cells: 0,
    label: before ? "" : "waits for the disk", detail: "", group: "", idle: false,
  };
}

/** @type {Map<string, (flight: State, picture: Picture, part: number, key: string) => Omit<Mark, "key"> | undefined>} */
const DRAW = new Map(Object.entries({ batch, fetch, answer, commit, watch, ack, disk, load, multi_fetch: multiFetch, multi_fetch_answer: multiFetchAnswer }));
