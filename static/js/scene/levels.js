// @ts-check
/**
 * The level of detail: what one mark on the stage stands for. Pure, with hysteresis, so that nothing flickers while
 * the load varies around a limit.
 *
 * @typedef {Record<string, any>} State
 * @typedef {"messages" | "batches" | "flow"} Level
 * @typedef {{messages: number, flights: number}} Load what is in flight
 */

/** So many marks at once are the most that a person can follow, and that any machine draws smoothly. */
const MARKS_AT_MOST = 200;
/** With fewer than this, more detail comes back. */
const MARKS_AGAIN = 120;

/** @type {Record<Level, string>} */
export const LEVEL_WORDS = { messages: "every message", batches: "batches", flow: "flow" };

/** @type {Record<Level, string>} */
export const LEVEL_TITLES = {
  messages: "Every message on its way is drawn by itself, with its size.",
  batches: `More than ${MARKS_AT_MOST} messages are on their way: a block is a batch, the number on it how many messages it carries.`,
  flow: "Too much is on its way to be followed one by one: the wider a band, the more bytes a second, on a scale that never changes.",
};

/** @type {Record<Level, string>} */
export const LEVEL_SENTENCES = {
  messages: "Few enough messages are on their way again: each is drawn by itself.",
  batches: "So many messages are on their way that whole batches are drawn, with a count on each.",
  flow: "Too much is on its way to be followed: bands show how many bytes a second go where.",
};

/** @param {State} state @returns {Load} */
export function loadOf(state) {
  let [messages, flights] = [0, 0];
  for (const flight of Object.values(state.flights)) {
    flights += 1;
    messages += flight.messages ?? 1;
  }
  return { messages, flights };
}

/**
 * @param {Level} before the level drawn last
 * @param {Load} load
 * @param {boolean} summary the state leaves out the flights: there were too many
 * @returns {Level}
 */
export function levelOf(before, { messages, flights }, summary) {
  if (summary || flights > (before === "flow" ? MARKS_AGAIN : MARKS_AT_MOST)) return "flow";
  return messages > (before === "messages" ? MARKS_AT_MOST : MARKS_AGAIN) ? "batches" : "messages";
}
