// @ts-check
/** Words for faults: of links, disks, brokers and full queues. (First picture: templates/_partials/troubles.html.) */
import { bytesInWords, secondsInWords } from "./words.js";

/** @typedef {Record<string, any>} State */

/** @param {string} address @returns {string} as the stage calls it */
export function partyInWords(address) {
  if (address.startsWith("consumer:")) return address.slice(address.lastIndexOf("/") + 1);
  return ["registry", "producer"].includes(address) ? `the ${address}` : address.replace(":", " ");
}

/** @param {string} other @param {State} link */
export function linkInWords(other, { cut, loss_permille, delay_us }) {
  if (cut) return `no link to ${other}`;
  const loss = loss_permille ? `loses ${loss_permille / 10} % to and from ${other}` : "";
  const delay = delay_us ? `${secondsInWords(delay_us)} slower to ${other}` : "";
  return [loss, delay].filter(Boolean).join(", ");
}

/** @param {State} state @param {string} address @returns {{text: string, kind: string}} `kind`: cut, bad, or "" when all is well */
export function linksInWords(state, address) {
  const mine = Object.entries(state.links).flatMap(([name, link]) => {
    const ends = name.split(" | ");
    return ends.includes(address) ? [{ link, other: ends[ends[0] === address ? 1 : 0] }] : [];
  });
  const text = mine.map(({ link, other }) => linkInWords(partyInWords(other), link)).join("; ");
  return { text, kind: mine.length ? (mine.some(({ link }) => link.cut) ? "cut" : "bad") : "" };
}

/** @param {State} state @param {string} one @param {string} other @returns {string} cut, bad, or "" */
export function linkBetween(state, one, other) {
  const link = state.links[`${one} | ${other}`] ?? state.links[`${other} | ${one}`];
  return link ? (link.cut ? "cut" : "bad") : "";
}

/** @param {State} state @param {string} address @returns {boolean} whether its link to a registry is cut */
export const isCutOff = (state, address) => Object.entries(state.links).some(([name, link]) => {
  const ends = name.split(" | ");
  return link.cut && ends.includes(address) && ends.some((end) => end.startsWith("registry"));
});

/** What happens when an operation of a disk fails, by operation. */
export const DISK_FAULTS = {
  append: "halts in the middle of its next append",
  flush: "halts at its next flush",
  read: "nothing can be read from it",
};

/** @param {State} broker @returns {string} "" when all is well */
export function brokerInWords(broker) {
  if (!broker.alive) return broker.session_expires_at_us ? "crashed: the registry does not know yet" : "down";
  if (broker.disk.fails) return `disk failing: ${DISK_FAULTS[/** @type {keyof typeof DISK_FAULTS} */ (broker.disk.fails)]}`;
  if (broker.disk.full) return "disk full: halts at the next append";
  return broker.disk.delay_us ? `disk slow: ${secondsInWords(broker.disk.delay_us)} a batch` : "";
}

/** @param {State} state @returns {string} what waits in the producer, and what it lost */
export function queueInWords({ producer_queue: { queued, blocked, dropped } }) {
  const words = [[queued, "queued"], [blocked, "wait for a place"], [dropped, "dropped"]];
  return words.filter(([count]) => count).map(([count, what]) => `${count.toLocaleString("en-US")} ${what}`).join(", ");
}

/** @type {WeakMap<State, Map<string, number>>} */
const queuesKnown = new WeakMap();

/** @param {State} flights @returns {Map<string, number>} by "<topic>-<partition>": batches that wait for the disk */
function queuesIn(flights) {
  const known = queuesKnown.get(flights);
  if (known) return known;
  const queues = new Map();
  for (const { event, topic, partition } of Object.values(flights)) {
    if (event === "batch_queued") queues.set(`${topic}-${partition}`, (queues.get(`${topic}-${partition}`) ?? 0) + 1);
  }
  queuesKnown.set(flights, queues);
  return queues;
}

/** @param {State} state @param {State} log @returns {string} how many batches wait for the disk */
export function waitingInWords(state, log) {
  const waiting = queuesIn(state.flights).get(`${log.topic}-${log.partition}`) ?? 0;
  return waiting ? `${waiting} ${waiting === 1 ? "batch waits" : "batches wait"} for the disk` : "";
}

/** @type {Record<string, (offset: number, pull: string) => string>} */
const ERROR_WORDS = {
  invalid_message: (offset) => `damaged message at ${offset}: reads no further`,
  invalid_message_size: (offset, pull) => `the message at ${offset} is larger than a pull${pull && ` (${pull})`}: reads no further`,
  offset_out_of_range: (offset) => `offset ${offset} is not in the log: reads no further`,
  unsupported_codec: (offset) => `the message set at ${offset} has a codec that is not supported: reads no further`,
  unknown_server_fault: (offset) => `the broker cannot read its log at ${offset}: keeps asking`,
};

/** @param {State} state @param {State} log @param {{error: string, fetch_offset: number, consumer?: string}} position @param {string} group @returns {string} why nothing more is read */
export function errorInWords(state, log, { error, fetch_offset, consumer = "" }, group) {
  if (!error) return "";
  const words = ERROR_WORDS[error]?.(fetch_offset, pullTooSmall(state, log, fetch_offset, `${group}/${consumer}`));
  return words ?? `${error.replaceAll("_", " ")} at ${fetch_offset}`;
}

/**
 * The most bytes that a pull of a consumer brings, if the message at that offset is known to be larger: the settings
 * may have changed since it was met.
 * @param {State} state @param {State} log @param {number} offset @param {string} consumer @returns {string}
 */
export function pullTooSmall(state, log, offset, consumer) {
  const fetch_bytes = state.consumers[consumer]?.settings.fetch_bytes ?? Infinity;
  const [, size] = log.entries.find((/** @type {number[]} */ [at]) => at === offset) ?? [offset, 0];
  return size > fetch_bytes ? bytesInWords(fetch_bytes) : "";
}
