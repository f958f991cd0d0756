// @ts-check
/** Brokers, their partitions, and the bookmarks under the tapes. */
import { loadersOf } from "../scene/density.js";
import { committedOf, datacenterOf, ownerOf, positionOf, readersOf } from "../scene/ownership.js";
import { messagesInWords, rateInWords } from "../scene/scale.js";
import { cellsReadable, earlierOf, originOf, runsOn } from "../scene/tape.js";
import { brokerInWords, errorInWords, linksInWords, waitingInWords } from "../scene/troubles.js";
import { isNews, keep, part, setAttribute, setProperty, setShown, setText, stretch } from "./nodes.js";
import { paintTape } from "./tape.js";

/** From this part of the tape on, a flag would cover the name of its row. */
const CROWDED = 0.7;
const NOTHING_YET = "nothing written yet";
/** Where much moves, a state is painted in so many bites, one a picture; every other one is a share of the tapes (stage_view.js has the rest). */
const SHARES = 3;
export const BITES = 1 + 2 * SHARES;

/** @param {number} bite @returns {boolean} */
export const isForTapes = (bite) => bite % 2 === 1;

/**
 * @typedef {Record<string, any>} State
 * @typedef {{state: State, window_bytes: number, panels: string, looks: import("../scene/looks.js").Looks, rates: import("../scene/rates.js").Rates, bite?: number}} Painting without a bite it is all painted at once
 */

/** @param {HTMLElement} parent @param {Painting} painting @param {string} datacenter whose brokers these are, "" for the live one */
export function paintBrokers(parent, painting, datacenter) {
  const { state } = painting;
  keep(parent, Object.entries(state.brokers).filter(([id]) => datacenterOf(state, Number(id)) === datacenter), {
    template: "broker", attribute: "data-broker", key: ([id]) => id,
    fill: (node, [id, broker]) => {
      setAttribute(node, "data-testid", `broker-${id}`);
      setAttribute(node, "data-address", `broker:${id}`);
      setAttribute(node, "data-alive", broker.alive);
      setText(part(node, "id"), id);
      setAttribute(part(node, "break"), "href", `${painting.panels}/trouble?${new URLSearchParams({ address: `broker:${id}` })}`);
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

/** @param {State} state @param {string} key of a partition @param {number} bite */
const isInBite = (state, key, bite) => 2 * (Object.keys(state.partitions).indexOf(key) % SHARES) + 1 === bite;

/** @param {HTMLElement} node @param {State} log @param {Painting} painting */
function paintPartition(node, log, painting) {
  const { state, window_bytes, looks, bite } = painting;
  const key = `${log.topic}-${log.partition}`;
  if (bite !== undefined && !isInBite(state, key, bite)) return;
  const rate = painting.rates.appended.get(key) ?? { bytes: 0, messages: 0 };
  const readable = cellsReadable(log, window_bytes);
  const rate_in_words = readable ? "" : `${messagesInWords(rate.messages)}\n${rateInWords(rate.bytes)}`;
  const waiting = waitingInWords(state, log);
  const { groups, registry, positions, consumers, deployment } = state;
  if (!isNews(node, [log, window_bytes, looks, groups, registry, positions, consumers, deployment, waiting, rate_in_words, runsOn(window_bytes, rate.bytes)])) return;
  setProperty(node, "--window", window_bytes);
  const origin = originOf(log, window_bytes);
  const earlier = earlierOf(log, origin);
  setAttribute(node, "data-testid", `partition-${log.topic}-${log.partition}`);
  setAttribute(node, "data-waiting", waiting);
  setAttribute(node, "aria-label", `partition p${log.partition} of ${log.topic}${waiting && `, ${waiting}`}`);
  setText(part(node, "first"), log.first_offset);
  setShown(part(node, "deleted"), { hidden: log.first_offset === 0 });
  setShown(part(node, "stub"), { hidden: log.first_offset === 0 || origin > log.first_offset });
  setText(part(node, "name"), `p${log.partition}`);
  setText(part(node, "topic"), log.topic.replaceAll(".", ".\u200b"));
  setAttribute(part(node, "topic"), "title", log.topic);
  setText(part(node, "earlier"), earlier);
  setShown(part(node, "earlier-box"), { hidden: earlier === "" });
  setAttribute(node, "data-cells", readable);
  setAttribute(node, "data-digits", String(log.next_offset).length);
  const empty = log.next_offset === 0;
  setAttribute(node, "data-empty", empty);
  setShown(part(node, "rate"), { hidden: readable && !empty });
  setText(part(node, "rate"), empty ? NOTHING_YET : rate_in_words);
  paintTape(node, { log, origin, bytes_per_second: rate.bytes }, painting);
  paintRows(node, { log, origin }, painting);
}

/**
 * One row for each group that reads the topic, and one for each loader.
 * @param {HTMLElement} node @param {{log: State, origin: number}} of @param {Painting} painting
 */
function paintRows(node, { log, origin }, painting) {
  const readers = readersOf(painting.state, log);
  const loaders = loadersOf(painting.state, log);
  setProperty(node, "--rows", readers.length);
  setProperty(node, "--loads", loaders.length);
  keep(part(node, "rows"), readers, {
    template: "bookmark-row", attribute: "data-group", key: (group) => group,
    fill: (row, group) => paintRow(row, { log, group, origin, index: readers.indexOf(group) }, painting),
  });
  keep(part(node, "loads"), loaders, {
    template: "load-row", attribute: "data-loader", key: (name) => name,
    fill: (row, name) => {
      const next_offset = painting.state.deployment.loaders[name].next_offsets[`${log.topic}-${log.partition}`] ?? 0;
      const bookmark = part(row, "load-bookmark");
      setProperty(row, "--row", readers.length + loaders.indexOf(name));
      setText(part(row, "loader"), name);
      setAttribute(part(row, "loader"), "title", name);
      setText(part(row, "loader-words"), name);
      setAttribute(bookmark, "data-testid", `bookmark-${name}-${log.topic}-${log.partition}`);
      setAttribute(bookmark, "data-offset", next_offset);
      setAttribute(bookmark, "data-pinned", next_offset < origin);
      setProperty(bookmark, "--origin", origin);
      setProperty(bookmark, "--offset", next_offset);
      setText(part(row, "load-offset"), next_offset);
    },
  });
}

/**
 * @param {HTMLElement} row
 * @param {{log: State, group: string, origin: number, index: number}} of the row's number among those of the tape
 * @param {Painting} painting
 */
function paintRow(row, { log, group, origin, index: number }, { state, window_bytes, looks }) {
  const committed = committedOf(state, group, log);
  const position = positionOf(state, group, log);
  const { fetch_offset, consumed_offset } = position;
  const trouble = errorInWords(state, log, position, group);
  const owner = ownerOf(state, group, log);
  const index = Object.keys(state.groups).indexOf(group);
  setAttribute(row, "data-group-index", index);
  setProperty(row, "--row", number);
  setText(part(row, "group"), trouble || group);
  setAttribute(part(row, "group"), "title", trouble || group);
  setAttribute(row, "data-error", position.error);
  setAttribute(row, "data-crowded", (Math.max(committed, fetch_offset) - origin) / window_bytes > CROWDED);
  for (const flag of ["again", "consumed", "fetch", "bookmark"]) setProperty(part(row, flag), "--origin", origin);
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
  setAttribute(tab, "title", owner);
}

/** @param {HTMLElement} bookmark @param {number} offset where it is shown @param {number} end @param {string} [trouble] */
export function paintBookmark(bookmark, offset, end, trouble = "") {
  setProperty(bookmark, "--offset", offset);
  setText(part(bookmark, "offset"), offset);
  setAttribute(bookmark, "aria-valuenow", offset);
  setAttribute(bookmark, "aria-valuetext", `offset ${offset} of ${end}${trouble && `; ${trouble}`}`);
}
