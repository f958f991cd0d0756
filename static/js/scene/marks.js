// @ts-check
/** The words of a mark on the time bar, and its family, which gives it its look. */

import { partyInWords } from "./troubles.js";
import { namesInWords } from "./words.js";

/**
 * @typedef {import("../state/marks.js").Mark} Mark
 * @typedef {"beginning" | "trouble" | "recovery" | "sharing" | "retention" | "change"} Family
 */

/** @type {Record<string, {family: Family, words: (name: string) => string}>} */
const KINDS = {
  start: { family: "beginning", words: () => "the room begins" },
  reset: { family: "beginning", words: () => "reset to the first state" },
  fork: { family: "beginning", words: () => "the fork begins" },
  broker_crashed: { family: "trouble", words: (name) => `broker ${name} crashed` },
  broker_stopped: { family: "trouble", words: (name) => `broker ${name} stopped` },
  consumer_crashed: { family: "trouble", words: (name) => `${name} crashed` },
  consumer_frozen: { family: "trouble", words: (name) => `${name} stood still` },
  session_expired: { family: "trouble", words: (name) => `the session of ${name} ran out` },
  rebalance_failed: { family: "trouble", words: (name) => `${name} gave up rebalancing` },
  /** Damaged, too large, or gone: the mark does not say which; the sentence of that moment does. */
  message_rejected: { family: "trouble", words: (name) => `${name} could not read any further` },
  log_cut: { family: "trouble", words: (name) => `the end of ${name} was cut off` },
  batch_lost: { family: "trouble", words: (name) => `a batch for ${name} was lost` },
  byte_flipped: { family: "trouble", words: (name) => `a byte of ${name} flipped on disk` },
  link_changed: { family: "trouble", words: (name) => `the link of ${name} changed` },
  disk_changed: { family: "trouble", words: (name) => `the disk of broker ${name} changed` },
  load_stuck: { family: "trouble", words: (name) => `${name} could not load any further` },
  loader_crashed: { family: "trouble", words: (name) => `${name} crashed` },
  offset_reset: { family: "trouble", words: (name) => `${name} found its offset gone` },
  broker_started: { family: "recovery", words: (name) => `broker ${name} came back` },
  rebalance_started: { family: "sharing", words: (name) => `${name} rebalanced` },
  segment_deleted: { family: "retention", words: (name) => `the oldest segment of ${name} was deleted` },
  broker_added: { family: "change", words: (name) => `broker ${name} joined` },
  topic_added: { family: "change", words: (name) => `the topic ${name} was added` },
  group_added: { family: "change", words: (name) => `the group ${name} was added` },
  consumer_added: { family: "change", words: (name) => `${name} joined` },
  consumer_closed: { family: "change", words: (name) => `${name} left` },
  offset_sought: { family: "change", words: (name) => `${name} moved a bookmark` },
};

/** @type {Record<Family, number>} */
const WEIGHTS = { beginning: 6, trouble: 5, recovery: 4, sharing: 3, change: 2, retention: 1 };

/** @param {Mark} mark @returns {Family} */
export const familyOf = ({ kind }) => KINDS[kind]?.family ?? "change";

/** @param {Mark} mark @returns {number} the mark of the greatest weight is shown where there is room for one only */
export const weightOf = (mark) => WEIGHTS[familyOf(mark)];

/** @param {Mark} mark @param {Record<string, any>} state of the room @returns {string} what happened, without when */
export function markInWords(mark, state) {
  const subject = subjectInWords(mark.subject, state);
  const words = KINDS[mark.kind]?.words(subject) ?? `${mark.kind.replaceAll("_", " ")} ${subject}`;
  return mark.count > 1 ? `${words}, ${mark.count} times` : words;
}

/** @param {string} subject @param {Record<string, any>} state @returns {string} as the stage calls it */
function subjectInWords(subject, state) {
  if (subject.includes(" | ")) return subject.split(" | ").map(partyInWords).join(" to ");
  const [, kind, name] = subject.match(/^([a-z]+):([^]*)$/) ?? ["", "", subject];
  if (kind === "partition") return namesInWords(state, [name]);
  return ["consumer", "mirror"].includes(kind) ? partyInWords(`consumer:${name}`) : name;
}
