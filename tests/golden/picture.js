// @ts-check
/**
 * A journal folded and drawn at a time, by the pure layers alone: no document, no clock. Things stand at round places
 * (the anchors that a page would measure), so that a picture differs only when the scene does.
 */
import { sentence } from "/static/js/scene/narration.js";
import { lossesAt } from "/static/js/scene/losses.js";
import { marks } from "/static/js/scene/flights.js";
import { levelOf, loadOf } from "/static/js/scene/levels.js";
import { asSvg } from "/static/js/scene/paths.js";
import { committedOf, positionOf } from "/static/js/scene/ownership.js";
import { ribbons } from "/static/js/scene/ribbons.js";
import { earlierOf, originOf, windowBytes } from "/static/js/scene/tape.js";
import { doingInWords, stateInWords } from "/static/js/scene/words.js";
import { History } from "/static/js/state/history.js";

const [LEFT, WIDTH, HEIGHT, EACH] = [300, 600, 40, 120];

/** @param {any} state @returns {any} */
function anchorsOf(state) {
  const logs = Object.keys(state.partitions);
  const groups = Object.entries(state.groups);
  const topOf = (/** @type {number} */ index) => 60 + index * EACH;
  return {
    producer: { x: 200, y: 80, left: 20, below: 120 }, registry: { x: 200, y: 300 }, letter: 7, parties: new Map(),
    tapes: new Map(logs.map((log, index) => [log, { left: LEFT, top: topOf(index), width: WIDTH, height: HEIGHT, lift: 24, edge: LEFT - 50, name: { from: LEFT - 40, to: LEFT - 10 } }])),
    lanes: new Map(logs.flatMap((log, index) => groups.map(([group], row) =>
      [`${group}/${log}`, { y: topOf(index) + HEIGHT + 20 * (row + 1), from: LEFT + 400, to: LEFT + WIDTH + 80 }]))),
    tabs: new Map(logs.flatMap((log, index) => groups.map(([group], row) =>
      [`${group}/${log}`, { x: LEFT + WIDTH + 80, y: topOf(index) + HEIGHT + 20 * row + 10 }]))),
    consumers: new Map(groups.flatMap(([group, { consumers }], number) => consumers.map((/** @type {string} */ name, /** @type {number} */ index) =>
      [`${group}/${name}`, { left: 1100, top: 60 + 300 * number + 80 * index, height: 60 }]))),
  };
}

/** @param {any[]} events @returns {History} */
export function folded(events) {
  const history = new History(events[0].state);
  history.fold(events.slice(1), events.length, false);
  return history;
}

/** @param {History} history @param {number} at_us */
export function sceneAt(history, at_us) {
  const index = history.indexAt(at_us);
  const { state, events } = history.instants[index];
  const anchors = anchorsOf(state);
  const window_bytes = windowBytes(state, "wide");
  const origins = new Map(Object.entries(state.partitions).map(([log, one]) => [log, originOf(one, window_bytes)]));
  const owned = ribbons(state, anchors);
  const level = levelOf("messages", loadOf(state), false);
  const picture = { state, now_us: at_us, anchors, ribbons: owned, window_bytes, origins, losses: lossesAt(history.instants, index, at_us), steps: false, level };
  return { state, window_bytes, origins: Object.fromEntries(origins), marks: marks(picture), ribbons: owned, sentence: sentence(events, state, {}).text, anchors };
}

const tenth = (/** @type {number} */ value) => String(Math.round(value * 10) / 10);
const escaped = (/** @type {unknown} */ text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

/** @param {History} history @param {number} at_us @returns {string} the scene as SVG, one thing a line, to a tenth of a pixel */
export function svgAt(history, at_us) {
  const scene = sceneAt(history, at_us);
  const lines = [`<title>${escaped(scene.sentence)}</title>`];
  for (const [log, tape] of scene.anchors.tapes) lines.push(...tapeLines(scene, log, tape));
  for (const { key, consumer, piece } of scene.ribbons) {
    const way = asSvg(piece).replace(/[\d.]+/g, (number) => tenth(Number(number)));
    lines.push(`<path data-ribbon="${escaped(key)}" d="${way}"><title>${escaped(consumer)}</title></path>`);
  }
  for (const [name, card] of scene.anchors.consumers) {
    const consumer = scene.state.consumers[name];
    lines.push(`<text x="${card.left}" y="${card.top}">${escaped(`${name}: ${stateInWords(consumer, at_us)}; ${doingInWords(consumer, at_us, scene.state)}`)}</text>`);
  }
  for (const mark of scene.marks) {
    lines.push(`<rect data-kind="${mark.kind}" x="${tenth(mark.x)}" y="${tenth(mark.y)}" width="${tenth(mark.width)}"><title>${escaped(`${mark.label} ${mark.detail}`.trim())}</title></rect>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720">\n${lines.join("\n")}\n</svg>\n`;
}

/** @param {any} scene @param {string} log @param {any} tape @returns {string[]} */
function tapeLines({ state, window_bytes, origins }, log, tape) {
  const one = state.partitions[log];
  const xOf = (/** @type {number} */ offset) => tenth(tape.left + ((offset - origins[log]) / window_bytes) * tape.width);
  const cells = one.entries.filter((/** @type {number[]} */ [offset]) => offset >= origins[log]);
  const lines = [`<text x="${LEFT - 40}" y="${tape.top}">${escaped(log)} ${escaped(earlierOf(one, origins[log]))}</text>`];
  for (const [offset, size, messages] of cells) {
    const width = tenth((size / window_bytes) * tape.width);
    lines.push(`<rect x="${xOf(offset)}" y="${tape.top}" width="${width}" data-flushed="${offset < one.flushed_offset}"><title>${offset}, ${size} B, ${messages}</title></rect>`);
  }
  for (const group of Object.keys(state.groups)) {
    const [committed, { fetch_offset }] = [committedOf(state, group, one), positionOf(state, group, one)];
    lines.push(`<path data-bookmark="${escaped(group)}" d="M${xOf(committed)} ${tape.top}V${tape.top + HEIGHT}"><title>${committed}, next pull from ${fetch_offset}</title></path>`);
  }
  return lines;
}
