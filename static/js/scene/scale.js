// @ts-check
/** The scale of flow: so many bytes a second are so wide, always and everywhere. Ten times as much is one step more. */

/** A band of this rate is the narrowest; what is less is drawn as narrow. */
const LEAST_RATE = 100;
const LEAST_WIDTH = 2;
const WIDTH_PER_DECADE = 2.4;
const MOST_WIDTH = 16;

/** The rates that the legend shows, in bytes a second. */
export const SCALE_MARKS = [1_000, 100_000, 10_000_000];

/** @param {number} bytes_per_second @returns {number} pixels; 0 where nothing flows */
export function bandWidth(bytes_per_second) {
  if (bytes_per_second <= 0) return 0;
  const decades = Math.log10(Math.max(bytes_per_second, LEAST_RATE) / LEAST_RATE);
  return Math.min(MOST_WIDTH, LEAST_WIDTH + WIDTH_PER_DECADE * decades);
}

/** @param {number} bytes_per_second @returns {string} three digits and a unit */
export function rateInWords(bytes_per_second) {
  for (const [unit, bytes] of /** @type {Array<[string, number]>} */ ([["GB/s", 1e9], ["MB/s", 1e6], ["kB/s", 1e3]])) {
    if (bytes_per_second >= bytes * 0.9995) {
      const value = bytes_per_second / bytes;
      return `${value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)} ${unit}`;
    }
  }
  return `${Math.round(bytes_per_second)} B/s`;
}

/** @param {number} messages_per_second */
export function messagesInWords(messages_per_second) {
  const digits = messages_per_second >= 10 ? 0 : 1;
  return `${messages_per_second.toLocaleString("en-US", { maximumFractionDigits: digits })} messages/s`;
}
