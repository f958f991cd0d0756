// @ts-check
/** The picture as rows of text: partitions, consumers and flights. The rows hold all facts of the picture, not a summary. */
import { lagIn } from "../state/samples.js";
import { lagInAllWords } from "./lag.js";
import { committedOf, ownedBy, ownerOf, positionOf, readersOf } from "./ownership.js";
import { partyInWords } from "./troubles.js";
import { bytesInWords, doingInWords, partitionInWords, secondsInWords, segmentsInWords, stateInWords } from "./words.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {{key: string, cells: string[]}} Row
 */

/** At most so many flights are listed; nobody reads a longer list. */
const FLIGHTS_LISTED = 40;

/** @param {State} state @param {number} now_us @returns {Row[]} every partition, once for each group that reads it */
export function partitionRows(state, now_us) {
  return Object.entries(state.partitions).flatMap(([key, log]) =>
    readersOf(state, log).map((group) => ({
      key: `${group}/${key}`,
      cells: [
        partitionInWords(state, log), `Broker ${log.broker}`, log.entries.map((/** @type {number[]} */ [offset]) => offset).join(", "),
        String(log.flushed_offset), String(log.next_offset), segmentsInWords(log), group, String(committedOf(state, group, log)),
        String(positionOf(state, group, log).fetch_offset), ownerOf(state, group, log) || "no owner", lagInAllWords(lagIn(state, group, key), now_us),
      ],
    })),
  );
}

/** @param {State} state @param {number} now_us @returns {Row[]} every consumer of every group */
export function consumerRows(state, now_us) {
  return Object.entries(state.groups).flatMap(([group, { consumers }]) => {
    if (!consumers.length) return [{ key: `${group}/`, cells: [group, "nobody yet", "", "", ""] }];
    return consumers.map((/** @type {string} */ name) => {
      const consumer = state.consumers[`${group}/${name}`];
      const owned = ownedBy(state, group, name).map(({ topic, partition }) => `${topic}-${partition}`);
      return {
        key: `${group}/${name}`,
        cells: [group, name, stateInWords(consumer, now_us), doingInWords(consumer, now_us, state), owned.join(", ") || "nothing"],
      };
    });
  });
}

/** @param {State} state @returns {Row[]} what is on its way, the next to arrive first */
export function flightRows({ flights }) {
  const all = Object.entries(flights).sort(([, one], [, other]) => one.due_us - other.due_us);
  const rows = all.slice(0, FLIGHTS_LISTED).map(([key, flight]) => {
    const { what, from, to, carries } = FLIGHT_WORDS[flight.event]?.(flight) ?? { what: flight.event.replaceAll("_", " "), from: "", to: "", carries: "" };
    return { key, cells: [what, from, to, carries, secondsInWords(flight.due_us)] };
  });
  if (all.length > rows.length) rows.push({ key: "more", cells: [`and ${(all.length - rows.length).toLocaleString("en-US")} more`, "", "", "", ""] });
  return rows.length ? rows : [{ key: "none", cells: ["nothing", "", "", "", ""] }];
}

/** @param {State} flight */
const place = ({ topic, partition, broker }) => `${topic}-${partition} on broker ${broker}`;
/** @param {State} flight */
const load = ({ messages, bytes }) => `${messages} ${messages === 1 ? "message" : "messages"}, ${bytesInWords(bytes)}`;

/** @type {Record<string, (flight: any) => {what: string, from: string, to: string, carries: string}>} */
const FLIGHT_WORDS = {
  batch_sent: (one) => ({ what: one.key ? `batch with key ${one.key}` : "batch", from: "the producer", to: place(one), carries: load(one) }),
  batch_queued: (one) => ({ what: "batch that waits for the disk", from: `broker ${one.broker}`, to: place(one), carries: "" }),
  batch_mirrored: (one) => ({ what: "mirrored batch", from: one.consumer, to: place(one), carries: load(one) }),
  batch_acknowledged: (one) => ({
    what: "acknowledgement", from: `broker ${one.broker}`, to: partyInWords(one.client),
    carries: one.error ? one.error.replaceAll("_", " ") : `at ${one.offset} of ${one.topic}-${one.partition}`,
  }),
  fetch_sent: (one) => ({
    what: "pull", from: one.consumer, to: place(one), carries: `from offset ${one.offset}, at most ${bytesInWords(one.max_bytes)}`,
  }),
  fetch_answered: (one) => ({
    what: "answer", from: place(one), to: one.consumer, carries: one.error ? one.error.replaceAll("_", " ") : `${bytesInWords(one.bytes)} from ${one.offset}`,
  }),
  commit_sent: (one) => ({ what: "commit", from: one.consumer, to: "the registry", carries: `${one.topic}-${one.partition} at ${one.offset}` }),
  watch_fired: (one) => ({ what: "watch", from: "the registry", to: partyInWords(one.client), carries: one.path }),
  multi_fetch_sent: (one) => ({
    what: "pull", from: partyInWords(one.client), to: `broker ${one.broker}`,
    carries: one.fetches.map((/** @type {[string, number]} */ [log, offset]) => `${log} from ${offset}`).join(", "),
  }),
  load_begun: (one) => ({ what: "transaction", from: one.loader, to: "the warehouse", carries: `${one.rows} ${one.rows === 1 ? "row" : "rows"}` }),
  multi_fetch_answered: (one) => ({ what: "answer", from: `broker ${one.broker}`, to: partyInWords(one.client), carries: bytesInWords(one.bytes) }),
};
