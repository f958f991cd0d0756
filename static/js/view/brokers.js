// @ts-check
/** Brokers, their partitions' tapes, and the bookmarks under them. */
import { committedOf, ownerOf, positionOf } from "../scene/ownership.js";
import { earlierOf, originOf, segmentFile } from "../scene/tape.js";
import { brokerInWords, errorInWords, linksInWords, waitingInWords } from "../scene/troubles.js";
import { bytesInWords, previewInWords } from "../scene/words.js";
import { keep, part, setAttribute, setProperty, setShown, setText } from "./nodes.js";

/** From this part of the tape on, a flag would stand on the name of its row. */
const CROWDED = 0.7;

/**
 * @typedef {Record<string, any>} State
 * @typedef {{state: State, window_bytes: number, panels: string, looks: import("../scene/looks.js").Looks}} Painting
 */

/** @param {HTMLElement} parent @param {Painting} painting */
export function paintBrokers(parent, painting) {
  const { state } = painting;
  keep(parent, Object.entries(state.brokers), {
    template: "broker", attribute: "data-broker", key: ([id]) => id,
    fill: (node, [id, broker]) => {
      setAttribute(node, "data-testid", `broker-${id}`);
      setAttribute(node, "data-alive", broker.alive);
      setText(part(node, "id"), id);
      const links = linksInWords(state, `broker:${id}`);
      const troubles = [brokerInWords(broker), links.text].filter(Boolean).join("; ");
      setText(part(node, "state"), troubles);
      setAttribute(part(node, "state"), "title", troubles);
      setAttribute(part(node, "state"), "data-link", links.kind);
      setAttribute(part(node, "form"), "aria-label", `controls of broker ${id}`);
      setAttribute(part(node, "broker-field"), "value", id);
      const logs = Object.values(state.partitions).filter((log) => String(log.broker) === id);
      keep(part(node, "partitions"), logs, {
        template: "partition", attribute: "data-log", key: (log) => `${log.topic}-${log.partition}`,
        fill: (partition, log) => paintPartition(partition, log, painting),
      });
    },
  });
}

/** @param {HTMLElement} node @param {State} log @param {Painting} painting */
function paintPartition(node, log, painting) {
  const origin = originOf(log, painting.window_bytes);
  const earlier = earlierOf(log, origin);
  setAttribute(node, "data-testid", `partition-${log.topic}-${log.partition}`);
  const waiting = waitingInWords(painting.state, log);
  setAttribute(node, "data-waiting", waiting);
  setAttribute(node, "aria-label", `partition p${log.partition} of ${log.topic}${waiting && `, ${waiting}`}`);
  setText(part(node, "first"), log.first_offset);
  setShown(part(node, "deleted"), { hidden: log.first_offset === 0 });
  setShown(part(node, "stub"), { hidden: log.first_offset === 0 || origin > log.first_offset });
  const moved = Math.abs(origin - Number(node.style.getPropertyValue("--origin")));
  setAttribute(node, "data-leaps", moved > painting.window_bytes / 2);
  setProperty(node, "--origin", origin);
  setProperty(node, "--next", log.next_offset);
  setProperty(node, "--flushed", log.flushed_offset);
  setProperty(node, "--first", log.first_offset);
  setText(part(node, "name"), `p${log.partition}`);
  setText(part(node, "earlier"), earlier);
  setShown(part(node, "earlier-box"), { hidden: earlier === "" });
  setShown(part(node, "unflushed"), { hidden: log.flushed_offset === log.next_offset });
  setText(part(node, "next"), log.next_offset);
  setAttribute(part(node, "records"), "aria-label", `messages of p${log.partition}`);
  paintSegments(part(node, "segments"), log);
  paintRecords(part(node, "records"), log, painting);
  keep(part(node, "rows"), Object.keys(painting.state.groups), {
    template: "bookmark-row", attribute: "data-group", key: (group) => group,
    fill: (row, group) => paintRow(row, { log, group, origin }, painting),
  });
}

/** @param {HTMLElement} parent @param {State} log */
function paintSegments(parent, log) {
  keep(parent, /** @type {number[][]} */ (log.segments), {
    template: "segment", attribute: "data-base-offset", key: ([base]) => String(base),
    fill: (node, [base, bytes]) => {
      setProperty(node, "--offset", base);
      setProperty(node, "--size", bytes);
      setText(part(node, "file"), segmentFile(base));
      setText(part(node, "bytes"), bytesInWords(bytes));
    },
  });
}

/** @param {HTMLElement} parent @param {State} log @param {Painting} painting */
function paintRecords(parent, log, painting) {
  keep(parent, /** @type {Array<[number, number, number, string]>} */ (log.entries), {
    template: "record", attribute: "data-offset", key: ([offset]) => String(offset),
    fill: (node, [offset, size, messages, preview]) => {
      setAttribute(node, "data-testid", `record-${log.topic}-${log.partition}@${offset}`);
      setAttribute(node, "data-flushed", offset < log.flushed_offset);
      setProperty(node, "--offset", offset);
      setProperty(node, "--size", size);
      const { word, rest } = previewInWords(preview);
      setText(part(node, "word"), word);
      setText(part(node, "rest"), rest);
      setText(part(node, "size"), size);
      setText(part(node, "count"), messages > 1 ? ` · ${messages} messages` : "");
      setText(part(node, "offset"), offset);
      const cell = part(node, "cell");
      const query = new URLSearchParams({ topic: log.topic, partition: log.partition, offset: String(offset) });
      setAttribute(cell, "href", `${painting.panels}/log?${query}`);
      setAttribute(cell, "aria-label", `offset ${offset}, ${size} bytes: ${preview}`);
    },
  });
  reachNewest(parent);
}

/** Tab reaches one message of a tape: the newest, unless another has the focus. @param {HTMLElement} records */
function reachNewest(records) {
  const reachable = records.querySelector('.cell[tabindex="0"]');
  const newest = records.lastElementChild?.querySelector(".cell");
  if (!newest || newest === reachable || (reachable && reachable === document.activeElement)) return;
  reachable?.setAttribute("tabindex", "-1");
  newest.setAttribute("tabindex", "0");
}

/**
 * @param {HTMLElement} row
 * @param {{log: State, group: string, origin: number}} of
 * @param {Painting} painting
 */
function paintRow(row, { log, group, origin }, { state, window_bytes, looks }) {
  const committed = committedOf(state, group, log);
  const position = positionOf(state, group, log);
  const { fetch_offset, consumed_offset } = position;
  const trouble = errorInWords(position);
  const owner = ownerOf(state, group, log);
  const index = Object.keys(state.groups).indexOf(group);
  setAttribute(row, "data-group-index", index);
  setProperty(row, "--row", index);
  setText(part(row, "group"), trouble || group);
  setAttribute(row, "data-error", position.error);
  setAttribute(row, "data-crowded", (Math.max(committed, fetch_offset) - origin) / window_bytes > CROWDED);
  stretch(part(row, "again"), committed, fetch_offset);
  stretch(part(row, "consumed"), committed, consumed_offset);
  const fetch = part(row, "fetch");
  setShown(fetch, { hidden: fetch_offset === committed });
  setAttribute(fetch, "data-offset", fetch_offset);
  setProperty(fetch, "--offset", fetch_offset);
  setText(part(row, "fetch-offset"), fetch_offset);
  const bookmark = part(row, "bookmark");
  setAttribute(bookmark, "data-testid", `bookmark-${group}-${log.topic}-${log.partition}`);
  setAttribute(bookmark, "data-offset", committed);
  setAttribute(bookmark, "data-pinned", committed < origin);
  setAttribute(bookmark, "aria-label", `consumer bookmark of ${group} on p${log.partition}`);
  setAttribute(bookmark, "aria-valuemin", log.first_offset);
  setAttribute(bookmark, "aria-valuemax", log.flushed_offset);
  if (!bookmark.hasAttribute("data-moving")) paintBookmark(bookmark, committed, log.flushed_offset, trouble);
  const tab = part(row, "owner");
  setAttribute(tab, "data-testid", `owner-${group}-${log.topic}-${log.partition}`);
  setAttribute(tab, "data-consumer", owner);
  setAttribute(tab, "data-consumer-index", looks.get(`${group}/${owner}`) ?? -1);
  setText(part(row, "owner-name"), owner || "no owner");
}

/** @param {HTMLElement} bookmark @param {number} offset where it is shown @param {number} end @param {string} [trouble] */
export function paintBookmark(bookmark, offset, end, trouble = "") {
  setProperty(bookmark, "--offset", offset);
  setText(part(bookmark, "offset"), offset);
  setAttribute(bookmark, "aria-valuenow", offset);
  setAttribute(bookmark, "aria-valuetext", `offset ${offset} of ${end}${trouble && `; ${trouble}`}`);
}

/** @param {HTMLElement} node @param {number} from @param {number} to */
function stretch(node, from, to) {
  setProperty(node, "--offset", from);
  setProperty(node, "--size", Math.max(0, to - from));
}
