// @ts-check
/** The sentence at flow, where single events are not narrated: how much is appended, and which groups keep up. */
import { messagesInWords } from "./scale.js";

/** Less than this part of what is appended is no falling behind. */
const KEEPS_UP = 0.05;

/** @type {Array<[string, string, (growth: number, least: number) => boolean]>} one, several, when */
const VERDICTS = [
  ["falls behind", "fall behind", (growth, least) => growth > least],
  ["catches up", "catch up", (growth, least) => growth < -least],
  ["keeps up", "keep up", (growth, least) => Math.abs(growth) <= least],
];

/** @param {string[]} names @returns {string} A, B and C */
const listed = (names) => [names.slice(0, -1).join(", "), ...names.slice(-1)].filter(Boolean).join(" and ");

/** @param {import("./rates.js").Rates} rates @returns {string} */
export function flowInWords({ messages, bytes, behind }) {
  const parts = VERDICTS.flatMap(([one, several, applies]) => {
    const groups = [...behind].filter(([, growth]) => applies(growth, KEEPS_UP * bytes)).map(([group]) => group);
    return groups.length ? [`${listed(groups)} ${groups.length === 1 ? one : several}`] : [];
  });
  return `${[`${messagesInWords(messages).replace("/s", " a second")} are appended`, ...parts].join("; ")}.`;
}
