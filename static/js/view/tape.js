// @ts-check
/** A tape: segment files, messages, what is not flushed yet, and the end; all of it on one layer that slides. */
import { baseOf, entriesInView, runsOn, segmentsInView } from "../scene/tape.js";
import { bytesInWords, previewInWords, recordInWords } from "../scene/words.js";
import { keep, part, setAttribute, setProperty, setShown, setText, stretch } from "./nodes.js";

/** @typedef {Record<string, any>} State */

/** How each tape was painted last: in a frame only one or two tapes have changed. @type {WeakMap<HTMLElement, {log: State, origin: number, from: number, window_bytes: number, runs: boolean}>} */
const tapes = new WeakMap();

/**
 * What lies on the tape, and how far the tape has slid. Each place is set on the node that needs it, since an inherited
 * property makes the browser restyle everything below it.
 * @param {HTMLElement} node @param {{log: State, origin: number, bytes_per_second: number}} of @param {import("./brokers.js").Painting} painting
 */
export function paintTape(node, { log, origin, bytes_per_second }, painting) {
  const { window_bytes } = painting;
  const before = tapes.get(node);
  const runs = runsOn(window_bytes, bytes_per_second);
  if (before && before.log === log && before.origin === origin && before.window_bytes === window_bytes && before.runs === runs) return;
  const base = baseOf(origin, window_bytes);
  const is_far = !before || Math.abs(origin - before.origin) > window_bytes / 2;
  const leaps = is_far || before.window_bytes !== window_bytes || base !== baseOf(before.origin, window_bytes);
  const from = leaps ? origin : Math.min(origin, before.from);
  tapes.set(node, { log, origin, from, window_bytes, runs });
  setAttribute(node, "data-leaps", leaps || runs);
  setProperty(part(node, "fill"), "--size", log.next_offset - Math.max(origin, log.first_offset));
  setProperty(part(node, "slide"), "--slide", origin - base);
  const segments = part(node, "segments");
  setProperty(segments, "--base", base);
  paintSegments(segments, segmentsInView(log, origin, window_bytes), origin);
  const records = part(node, "records");
  setAttribute(records, "aria-label", `messages of p${log.partition}`);
  setProperty(records, "--base", base);
  paintRecords(records, { log, entries: entriesInView(log, origin, window_bytes, from), known_offset: is_far ? log.next_offset : before.log.next_offset }, painting);
  const unflushed = part(node, "unflushed");
  setShown(unflushed, { hidden: log.flushed_offset === log.next_offset });
  stretch(unflushed, log.flushed_offset - base, log.next_offset - base);
  setProperty(part(node, "end"), "--offset", log.next_offset - base);
  setText(part(node, "next"), log.next_offset);
}

/** @param {HTMLElement} parent @param {ReturnType<typeof segmentsInView>} segments @param {number} origin */
function paintSegments(parent, segments, origin) {
  keep(parent, segments, {
    template: "segment", attribute: "data-base-offset", key: ({ key }) => key,
    fill: (node, { offset, bytes, file, several }) => {
      setProperty(node, "--offset", offset);
      setProperty(node, "--size", bytes);
      setProperty(node, "--passed", Math.max(0, Math.min(origin - offset, bytes)));
      setText(part(node, "file"), several ? `… ${file}` : file);
      setText(part(node, "bytes"), several ? "" : bytesInWords(bytes));
    },
  });
}

/** What each node showed last: of 64 messages on a tape few change at a time. @type {WeakMap<HTMLElement, {entry: any, flushed: boolean}>} */
const painted = new WeakMap();

/**
 * @param {HTMLElement} parent
 * @param {{log: State, entries: Array<[number, number, number, string]>, known_offset: number}} of what is before the known offset has been seen
 * @param {import("./brokers.js").Painting} painting
 */
function paintRecords(parent, { log, entries, known_offset }, painting) {
  keep(parent, entries, {
    template: "record", attribute: "data-offset", key: ([offset]) => String(offset),
    fill: (node, entry) => {
      const [offset, size, messages, preview] = entry;
      const flushed = offset < log.flushed_offset;
      const before = painted.get(node);
      if (before?.entry === entry && before.flushed === flushed) return;
      painted.set(node, { entry, flushed });
      if (!before && offset < known_offset) node.removeAttribute("data-fresh");
      setAttribute(node, "data-testid", `record-${log.topic}-${log.partition}@${offset}`);
      setAttribute(node, "data-flushed", flushed);
      setProperty(node, "--offset", offset);
      setProperty(node, "--size", size);
      const { word, rest } = previewInWords(preview);
      setText(part(node, "word"), word);
      setText(part(node, "rest"), rest);
      paintSize(part(node, "size"), size, messages);
      setText(part(node, "offset"), offset);
      const cell = part(node, "cell");
      const query = new URLSearchParams({ topic: log.topic, partition: log.partition, offset: String(offset) });
      setAttribute(cell, "href", `${painting.panels}/log?${query}`);
      setAttribute(cell, "aria-label", recordInWords({ offset, size, messages, preview, flushed }));
    },
  });
  reachNewest(parent);
}

/** @param {HTMLElement} node @param {number} size in bytes @param {number} messages more than one where they are compressed together */
function paintSize(node, size, messages) {
  const words = [`${size} B`, messages > 1 ? ` · ${messages} messages` : ""];
  setText(node, words.join(""));
  if (messages === 1 || node.firstElementChild) return;
  const count = document.createElement("span");
  count.className = "cell-count";
  count.textContent = words[1];
  node.replaceChildren(words[0], count);
}

/** Let Tab reach one message of a tape: the newest, unless another has the focus. @param {HTMLElement} records */
function reachNewest(records) {
  const reachable = records.querySelector('.cell[tabindex="0"]');
  const newest = records.lastElementChild?.querySelector(".cell");
  if (!newest || newest === reachable || (reachable && reachable === document.activeElement)) return;
  reachable?.setAttribute("tabindex", "-1");
  newest.setAttribute("tabindex", "0");
}
