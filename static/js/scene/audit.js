// @ts-check
/** The counts of the audit, in words and as a table. (First picture: templates/_partials/audit.html, ends.html.) */
import { secondsInWords } from "./words.js";

/**
 * @typedef {Record<string, any>} State
 * @typedef {{text: string, difference: string, kind: string}} Count `kind`: whole, lost, twice, or "" while nothing is counted
 * @typedef {{key: string, period: string, figures: string, produced: string, counts: Count[]}} WindowRow
 */

/** The tiers in the order in which a message passes them. */
export const TIERS = ["live", "analysis", "warehouse"];
/** So many windows are in the table, the newest. */
const WINDOWS_SHOWN = 4;
const NOT_COUNTED = { text: "", difference: "", kind: "" };

/** @param {number} count */
const numbered = (count) => count.toLocaleString("en-US");

/** @param {number} at_us */
const wholeSeconds = (at_us) => Math.round(at_us / 1_000_000);

/** @param {number} start_us @param {number} end_us */
export const windowInWords = (start_us, end_us) => `${wholeSeconds(start_us)} to ${wholeSeconds(end_us)} s`;

/** @param {number} at_us */
const figure = (at_us) => String(wholeSeconds(at_us)).replace("-", "−");

/** @param {number} start_us @param {number} end_us */
const windowInFigures = (start_us, end_us) => `${figure(start_us)} – ${figure(end_us)}`;

/** @param {number} produced @param {number} received @returns {string} */
export function differenceInWords(produced, received) {
  if (received < produced) return `${numbered(produced - received)} lost`;
  return received > produced ? `${numbered(received - produced)} twice` : "all";
}

/** @param {any[] | undefined} row of the state's audit @returns {Count} */
function countOf(row) {
  if (!row) return NOT_COUNTED;
  const [produced, received] = [row[4], row[5]];
  const kind = received < produced ? "lost" : received > produced ? "twice" : "whole";
  return { text: numbered(received), difference: kind === "whole" ? "" : differenceInWords(produced, received), kind };
}

/** @param {State} state @returns {WindowRow[]} newest first: what producers reported for a window, and what each tier holds of it */
export function auditTable(state) {
  const { audit } = state.deployment;
  const names = [...new Set(audit.map((/** @type {any[]} */ row) => `${row[2]} ${row[3]} ${row[1]}`))];
  const newest = names.sort((one, other) => Number.parseInt(other) - Number.parseInt(one)).slice(0, WINDOWS_SHOWN);
  return newest.map((name) => {
    const mine = audit.filter((/** @type {any[]} */ row) => `${row[2]} ${row[3]} ${row[1]}` === name);
    const produced = Math.max(...mine.map((/** @type {any[]} */ row) => row[4]));
    return {
      key: name, period: windowInWords(mine[0][2], mine[0][3]), figures: windowInFigures(mine[0][2], mine[0][3]), produced: numbered(produced),
      counts: TIERS.map((tier) => countOf(mine.find((/** @type {any[]} */ row) => row[0] === tier))),
    };
  });
}

/** @param {State} state @returns {string} the result in a sentence */
export function auditInWords(state) {
  const rows = auditTable(state);
  const wrong = rows.flatMap(({ period, counts }) => counts.flatMap(({ kind, difference }, index) =>
    (["lost", "twice"].includes(kind) ? [`${TIERS[index]}: ${difference} of ${period}`] : [])));
  if (wrong.length) return wrong[0];
  return rows.length ? "every tier holds what was produced" : "no window has been counted yet";
}

/** @param {State} state @param {string} tier @returns {string} its auditor's last count */
export function lastCountInWords(state, tier) {
  const last = state.deployment.audit.filter((/** @type {any[]} */ row) => row[0] === tier).at(-1);
  if (!last) return "has counted nothing yet";
  return `${numbered(last[5])} of ${numbered(last[4])} of ${windowInWords(last[2], last[3])}`;
}

/** @param {State} state @returns {{average: string, percentile: string, period: string}} "" while nothing was measured */
export function latencyOf(state) {
  const last = state.deployment.latency.at(-1);
  if (!last) return { average: "", percentile: "", period: "" };
  return { average: secondsInWords(last[4]), percentile: secondsInWords(last[5]), period: windowInWords(last[1], last[2]) };
}

/** @param {State} state @param {string} name of a loader @returns {string} */
export function loaderInWords(state, name) {
  const { state: now } = state.deployment.loaders[name];
  const open = Object.values(state.flights).find((flight) => flight.event === "load_begun" && flight.loader === name);
  if (now === "writing" && open) return `writes ${open.rows} ${open.rows === 1 ? "row" : "rows"}`;
  return now === "waiting" ? "running" : now;
}

/** @param {State} state @param {string} name of a loader @returns {number} bytes of its topics that are not in the warehouse yet */
export function bytesToLoad(state, name) {
  const { topics, next_offsets } = state.deployment.loaders[name];
  return Object.entries(state.partitions)
    .filter(([, log]) => topics.includes(log.topic))
    .reduce((sum, [key, log]) => sum + Math.max(0, log.next_offset - (next_offsets[key] ?? 0)), 0);
}
