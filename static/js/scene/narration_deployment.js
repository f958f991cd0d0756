// @ts-check
/** Sentences for what mirrors, loaders, auditors and simple consumers do. */
import { differenceInWords, windowInWords } from "./audit.js";
import { bytesInWords, partitionInWords, secondsInWords } from "./words.js";

/** @typedef {Record<string, any>} State @typedef {import("./narration.js").Sentence} Sentence */

const SILENT = { text: "", weight: 0 };

/** @param {string} client an address @returns {string} */
function clientInWords(client) {
  const [kind, name] = [client.slice(0, client.indexOf(":")), client.slice(client.indexOf(":") + 1)];
  return kind === "auditor" ? `The auditor of the ${name} tier` : `The loader ${name}`;
}

/** @param {number} rows */
const rowsInWords = (rows) => `${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"}`;

/** @param {string} client @returns {boolean} an auditor only counts, so its sentences weigh less */
const isLoader = (client) => client.startsWith("loader:");

/** @type {import("./narration.js").Sentences} */
export const DEPLOYMENT_SENTENCES = {
  batch_mirrored: (e, state) => ({
    text: `${e.consumer} sends ${bytesInWords(e.bytes)} of ${e.source_topic} p${e.source_partition} to ${partitionInWords(state, e)} on broker ${e.broker}.`,
    weight: 5,
  }),
  multi_fetch_sent: (e) => ({
    text: `${clientInWords(e.client)} asks broker ${e.broker} for ${e.fetches.length === 1 ? "a log" : `${e.fetches.length} logs`} in one pull, from offsets of its own.`,
    weight: isLoader(e.client) ? 2 : 1,
  }),
  multi_fetch_answered: (e) => (e.bytes ? {
    text: `Broker ${e.broker} sends ${bytesInWords(e.bytes)} of its files to ${clientInWords(e.client).replace("The", "the")}.`, weight: isLoader(e.client) ? 3 : 1,
  } : SILENT),
  multi_fetch_failed: (e) => (e.reason === "broker_down" ? { text: `${clientInWords(e.client)} asked, but the broker does not answer.`, weight: 5 } : SILENT),
  multi_fetch_offset_reset: (e) => ({
    text: `${clientInWords(e.client)} looked for offset ${e.out_of_range_offset} of ${e.topic} p${e.partition}, which is gone, and continues at ${e.offset}.`, weight: 8,
  }),
  load_begun: (e) => ({ text: `${e.loader} opens a transaction: ${rowsInWords(e.rows)} and the bookmarks behind them.`, weight: 5 }),
  load_committed: (e) => ({
    text: `The warehouse has ${rowsInWords(e.rows)} more and new bookmarks, in one commit${e.average_latency_us ? `, ${secondsInWords(e.average_latency_us)} after the messages were made` : ""}.`,
    weight: 6,
  }),
  load_stuck: (e) => ({ text: `${e.loader} cannot read ${e.topic} p${e.partition} any further: ${e.error.replaceAll("_", " ")}.`, weight: 8 }),
  loader_crashed: (e) => ({
    text: `${e.loader} crashed${e.step === "writing" ? "; its open transaction is rolled back, rows and bookmarks alike" : ""}.`, weight: 9,
  }),
  loader_started: (e) => ({ text: `${e.loader} is back, and starts at the bookmarks in the warehouse.`, weight: 9 }),
  audit_counted: (e) => ({
    text: e.produced === e.received
      ? `Audit: the ${e.tier} tier holds all ${e.produced.toLocaleString("en-US")} messages of ${windowInWords(e.window_start_us, e.window_end_us)}.`
      : `Audit: of ${e.produced.toLocaleString("en-US")} messages of ${windowInWords(e.window_start_us, e.window_end_us)}, the ${e.tier} tier has ${differenceInWords(e.produced, e.received)}.`,
    weight: e.produced === e.received ? 5 : 8,
  }),
  latency_measured: (e) => ({
    text: `From end to end ${secondsInWords(e.average_us)} on average, 95 % within ${secondsInWords(e.percentile_95_us)}.`, weight: 5,
  }),
};
