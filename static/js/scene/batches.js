// @ts-check
/** Batches on their way from a producer, or a mirror, to the end of a tape: along which way, and how wide. */
import { logOf, widthOf, xOf } from "./on_tape.js";
import { eased, level, line, placeOn, unit } from "./paths.js";
import { bytesInWords, hasManyTopics, partitionInWords } from "./words.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {import("./flights.js").Picture} Picture
 * @typedef {import("./flights.js").Mark} Mark
 * @typedef {import("./paths.js").Piece} Piece
 * @typedef {import("./paths.js").Point} Point
 * @typedef {import("./ribbons.js").Anchors} Anchors
 * @typedef {import("./ribbons.js").Tape} Tape
 */

/** The widest batch anywhere, as a part of a tape. */
const WIDEST_BATCH = 0.4;
/** A batch enters a broker's card so far above the tape, as a part of its height: between the names of broker and partition. */
const BELOW_NAME = 0.26;
/** So far from its producer's corners a batch comes out, as a part of the tape's height: half of its own, and a little. */
const WITHIN_EDGE = 0.3;
/** Words that are longer end in dots. */
const MOST_LETTERS = 38;
const BATCHES = new Set(["batch_sent", "batch_mirrored"]);

/** A batch of many messages would hide the picture; its label still says how many bytes it has. @type {typeof widthOf} */
function batchWidth(picture, log, bytes, onTape) {
  return Math.min(widthOf(picture, log, bytes, onTape), WIDEST_BATCH * (picture.anchors.tapes.get(log)?.width ?? 0));
}

/** @type {WeakMap<State, Map<string, number>>} */
const waysAhead = new WeakMap();

/** @param {State} flights @returns {Map<string, number>} by batch: bytes of those before it on their way to the same log */
function bytesAhead(flights) {
  const known = waysAhead.get(flights);
  if (known) return known;
  const ahead = new Map();
  const sums = new Map();
  const batches = Object.entries(flights).filter(([, flight]) => BATCHES.has(flight.event));
  for (const [key, flight] of batches.sort(([, one], [, other]) => one.batch - other.batch)) {
    const sum = sums.get(logOf(flight)) ?? 0;
    ahead.set(key, sum);
    sums.set(logOf(flight), sum + flight.bytes);
  }
  waysAhead.set(flights, ahead);
  return ahead;
}

/** @type {WeakMap<State, {anchors: Anchors, level: string, landing: number, way: Piece[]}>} */
const waysKept = new WeakMap();

/**
 * A way is the same from frame to frame until the page, the level or the place it leads to is another.
 * @param {State} flight @param {Picture} picture @param {number} landing @param {() => Piece[]} make @returns {Piece[]}
 */
function wayKept(flight, { anchors, level: detail }, landing, make) {
  const known = waysKept.get(flight);
  if (known && known.landing === landing && known.anchors === anchors && known.level === detail) return known.way;
  const way = make();
  waysKept.set(flight, { anchors, level: detail, landing, way });
  return way;
}

/** @typedef {{many_topics: boolean, label: string, details: string[]}} Words the details from the longest on */

/** @type {WeakMap<State, Words>} */
const wordsKept = new WeakMap();

/** @param {State} flight @param {State} state @returns {Words} what never changes on its way */
function wordsOf(flight, state) {
  const many_topics = hasManyTopics(state);
  const known = wordsKept.get(flight);
  if (known?.many_topics === many_topics) return known;
  const messages = `${flight.messages} ${flight.messages === 1 ? "message" : "messages"}`;
  const detail = `${messages} to ${partitionInWords(state, flight)}`;
  const details = flight.key ? [`${detail}, key ${flight.key}`, detail] : [detail];
  const words = { many_topics, label: bytesInWords(flight.bytes), details };
  wordsKept.set(flight, words);
  return words;
}

/** @param {State} flight @param {Picture} picture @param {number} part @param {string} key */
export function batch(flight, picture, part, key) {
  const log = logOf(flight);
  const tape = picture.anchors.tapes.get(log);
  const from = flight.event === "batch_mirrored"
    ? handedOver(picture, `${flight.group}/${flight.consumer}`) : picture.anchors.producer;
  if (!tape || !from) return undefined;
  const start = picture.state.partitions[log].next_offset + (bytesAhead(picture.state.flights).get(key) ?? 0);
  const bundled = picture.level === "batches";
  const count = String(flight.messages);
  const width = bundled ? (count.length + 1) * picture.anchors.letter : batchWidth(picture, log, flight.bytes, 1);
  const landing = within(tape, xOf(picture, log, start) + width / 2, width);
  const way = { log, landing, from, width: bundled ? width : batchWidth(picture, log, flight.bytes, 0), bundled };
  const place = placeOn(wayKept(flight, picture, landing, () => batchWay(picture, way)), part);
  if (bundled) return { kind: "batch", ...place, width, cells: 0, label: count, detail: "", group: "", idle: false, bundled };
  const drawn = { ...place, width: batchWidth(picture, log, flight.bytes, eased(unit((part - 0.75) / 0.25))) };
  return {
    kind: "batch", ...drawn, ...wordsOnTape(picture, tape, drawn, wordsOf(flight, picture.state)),
    cells: (flight.compression ?? "none") === "none" ? flight.messages : 1, group: "", idle: false,
  };
}

/**
 * Where a mark of that width has its middle when it stands on the tape: at the place of its bytes, as far as the tape
 * reaches. What would stick out stands at the tape's end, where the tape slides under it as soon as the bytes are
 * there.
 * @param {Tape} tape @param {number} middle @param {number} width
 */
function within(tape, middle, width) {
  return Math.max(tape.left + width / 2, Math.min(middle, tape.left + tape.width - width / 2));
}

/**
 * The words of a batch follow it over its tape, on its own line: there they cover the name of a file, and no message.
 * On the way to the tape they would stand on those of others, and on the way down into it they have been read.
 * @param {Picture} picture @param {Tape} tape @param {Point & {width: number}} mark @param {Words} words
 * @returns {{label: string, detail: string, shift: number, before: number}} so far from the middle of the mark the label ends, and from there the detail
 */
function wordsOnTape({ anchors, steps }, tape, { x, y, width }, { label, details }) {
  const begin = x - width / 2;
  if (x < tape.left || Math.abs(y - (tape.top - tape.lift)) > 1) return { label: "", detail: "", shift: 0, before: 0 };
  const room = (/** @type {string} */ text) => (Math.min(text.length, MOST_LETTERS) + 1.5) * anchors.letter;
  const before = -room(label);
  const fits = (/** @type {string} */ text) => begin + before - room(text) >= tape.left;
  const detail = details.find(fits) ?? "";
  if (begin + before >= tape.left) return { label, detail, shift: begin - x, before };
  if (!steps) return { label: "", detail: "", shift: 0, before };
  return { label, detail: details[0], shift: width / 2 + room(details[0]) + room(label), before }; // the mark is at rest: there is room ahead
}

/** @param {Anchors} anchors @param {Tape} tape @returns {boolean} whether the producer stands left of the brokers, not above them */
const isBeside = ({ producer }, tape) => producer.x <= tape.edge;

/** @param {Anchors} anchors @returns {boolean} whether the producer is not shown, as on paper: batches come over the edge of the card */
const isHidden = ({ producer }) => producer.below === producer.y;

/**
 * From the producer into the card below the broker's name, along the tape, and down to where the bytes will stand.
 * Blocks ride on the tape's upper edge; a batch with its cells rises beside the name.
 * @param {Picture} picture
 * @param {{log: string, landing: number, from: Point, width: number, bundled: boolean}} of
 * @returns {Piece[]}
 */
function batchWay(picture, { log, landing, from, width, bundled }) {
  const tape = /** @type {Tape} */ (picture.anchors.tapes.get(log));
  const middle = tape.top + tape.height / 2;
  const y = tape.top - Math.min(tape.height * BELOW_NAME, tape.lift); // not higher than it will go along the tape
  const beside = { x: Math.max(tape.edge, tape.name.to + width / 2), y };
  const into = wayInto(picture, { from, tape, beside, width });
  if (bundled) {
    const edge = { x: tape.left + width / 2, y: tape.top };
    const end = { x: landing, y: tape.top };
    const above = { x: edge.x, y };
    return [...into, line(into[into.length - 1].to, above), line(above, edge), line(edge, end), line(end, { x: end.x, y: middle })];
  }
  const over = { x: landing, y: tape.top - tape.lift };
  const risen = { x: beside.x + y - over.y, y: over.y };
  return [...into, line(into[into.length - 1].to, beside), line(beside, risen), line(risen, over), line(over, { x: over.x, y: middle })];
}

/**
 * Out of the producer and into the card, beside its name; what comes from elsewhere (a mirror) takes the straight way.
 * @param {Picture} picture
 * @param {{from: Point, tape: Tape, beside: Point, width: number}} of
 * @returns {Piece[]}
 */
function wayInto({ anchors }, { from, tape, beside, width }) {
  const enter = { x: tape.edge, y: beside.y };
  if (from !== anchors.producer) return [level(from, enter)];
  if (isHidden(anchors)) return [line(enter, beside)];
  return isBeside(anchors, tape) ? wayFromBeside(anchors, tape, enter, width) : wayFromAbove(anchors, tape, beside, width);
}

/**
 * Out of the producer's side as near its tape as it can, and down the gutter left of the brokers. There a wide mark is
 * half behind its producer: it covers nothing of a broker.
 * @param {Anchors} anchors @param {Tape} tape @param {Point} enter @param {number} width @returns {Piece[]}
 */
function wayFromBeside({ producer }, tape, enter, width) {
  const top = producer.y - (producer.below - producer.y) / 3; // it sends from a quarter of its height
  const margin = tape.height * WITHIN_EDGE;
  const y = Math.min(Math.max(enter.y, top + margin), producer.below - margin);
  const x = Math.min((producer.x + tape.edge) / 2, tape.edge - width / 2);
  return [line({ x: producer.x - width / 2, y }, { x, y }), line({ x, y }, { x, y: enter.y }), line({ x, y: enter.y }, enter)];
}

/**
 * Straight down to the first tape; to those below it along the edge of the page, which no mark leaves.
 * @param {Anchors} anchors @param {Tape} tape @param {Point} beside @param {number} width @returns {Piece[]}
 */
function wayFromAbove({ producer, tapes }, tape, beside, width) {
  const first = [...tapes.values()].every((other) => other.edge !== tape.edge || other.top >= tape.top);
  const x = first ? beside.x : Math.max(tape.edge / 2, width / 2 + 4);
  const corner = { x: Math.max(x, producer.left + width / 2), y: producer.below - tape.height * WITHIN_EDGE };
  if (first) return [line(corner, beside)];
  const down = { x, y: producer.below };
  return [line(corner, down), line(down, { x, y: beside.y })];
}

/** Where a mirror's other half is: towards the other datacenter. @param {Picture} picture @param {string} consumer `<group>/<name>` */
function handedOver(picture, consumer) {
  const card = picture.anchors.consumers.get(consumer);
  return card && { x: card.left + card.width, y: card.top + card.height / 2 };
}
