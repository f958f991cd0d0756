// @ts-check
/**
 * Every key of the stage and what it does, by where the focus is. The handlers and the list of keys both use
 * this table, so they always agree.
 */

/**
 * @typedef {"page" | "message" | "bookmark" | "consumer" | "time" | "chart"} Place
 * @typedef {{keys: string[], act: string, words: string}} Meaning `keys` as KeyboardEvent.key names them
 */

/** @type {Record<Place, {title: string, meanings: Meaning[]}>} */
export const KEY_MAP = {
  page: {
    title: "Everywhere",
    meanings: [
      { keys: [" "], act: "toggle", words: "play or pause" },
      { keys: [".", "ArrowRight"], act: "step", words: "one step" },
      { keys: [",", "ArrowLeft"], act: "stepBack", words: "one step back" },
      { keys: ["p"], act: "previousMark", words: "to what happened before: a crash, a rebalance, a reset" },
      { keys: ["n"], act: "nextMark", words: "to what happened next" },
      { keys: ["End"], act: "live", words: "jump to live" },
      { keys: ["<"], act: "slower", words: "slower" },
      { keys: [">"], act: "faster", words: "faster" },
      { keys: ["f"], act: "fork", words: "fork here: a new room that begins at this moment" },
      { keys: ["l"], act: "copyLink", words: "copy a link to this moment" },
      { keys: ["F6"], act: "nextRegion", words: "to the next part: producer, brokers, groups, time; with Shift to the one before" },
      { keys: ["Escape"], act: "close", words: "close what is open" },
      { keys: ["?"], act: "help", words: "this list" },
    ],
  },
  message: {
    title: "On a message",
    meanings: [
      { keys: ["ArrowLeft"], act: "before", words: "the message before" },
      { keys: ["ArrowRight"], act: "after", words: "the message after" },
      { keys: ["ArrowUp"], act: "above", words: "the partition above" },
      { keys: ["ArrowDown"], act: "below", words: "the partition below" },
      { keys: ["Home"], act: "first", words: "the oldest shown" },
      { keys: ["End"], act: "last", words: "the newest" },
      { keys: ["Enter"], act: "open", words: "its bytes, in the inspector" },
    ],
  },
  bookmark: {
    title: "On a bookmark",
    meanings: [
      { keys: ["ArrowLeft", "ArrowDown"], act: "back", words: "one message back" },
      { keys: ["ArrowRight", "ArrowUp"], act: "forward", words: "one message forward" },
      { keys: ["Home"], act: "earliest", words: "to the start of the log" },
      { keys: ["End"], act: "latest", words: "to its end" },
      { keys: ["Enter"], act: "seek", words: "put it there: a real seek" },
      { keys: ["Escape"], act: "putBack", words: "put it back" },
    ],
  },
  consumer: {
    title: "On a consumer's controls",
    meanings: [
      { keys: ["ArrowLeft"], act: "before", words: "the one before" },
      { keys: ["ArrowRight"], act: "after", words: "the one after" },
      { keys: ["ArrowUp"], act: "above", words: "the consumer above" },
      { keys: ["ArrowDown"], act: "below", words: "the consumer below" },
      { keys: ["Home"], act: "first", words: "the first" },
      { keys: ["End"], act: "last", words: "the last" },
      { keys: ["Enter", " "], act: "open", words: "do it" },
    ],
  },
  time: {
    title: "On the time slider",
    meanings: [
      { keys: ["ArrowLeft", "ArrowDown"], act: "earlier", words: "a little earlier" },
      { keys: ["ArrowRight", "ArrowUp"], act: "later", words: "a little later" },
    ],
  },
  chart: {
    title: "On a chart",
    meanings: [
      { keys: ["ArrowLeft", "ArrowDown"], act: "earlier", words: "look at what was a little earlier" },
      { keys: ["ArrowRight", "ArrowUp"], act: "later", words: "a little later" },
      { keys: ["Home"], act: "first", words: "the start of the chart" },
      { keys: ["End"], act: "last", words: "now" },
    ],
  },
};

/** @type {Record<string, string>} */
const KEY_WORDS = { " ": "Space", ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };

/** @param {string} key @returns {string} as it is printed on a keyboard */
export const keyInWords = (key) => KEY_WORDS[key] ?? key;

/** @param {Place} place @param {string} key @returns {string} the act, "" if the key means nothing there */
export function actOf(place, key) {
  return KEY_MAP[place].meanings.find(({ keys }) => keys.includes(key))?.act ?? "";
}
