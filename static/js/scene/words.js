// @ts-check
/** Words for what the state says. The server's first picture uses the same ones (templates/_partials/words.html). */

/** @typedef {Record<string, any>} State */

/** @type {Record<string, string>} */
const STATE_WORDS = {
  joining: "joining",
  rebalancing: "rebalancing",
  backing_off: "waiting to retry",
  running: "running",
  idle: "idle",
  failed: "gave up",
  closing: "leaving",
  closed: "stopped",
  crashed: "crashed",
  gone: "gone",
};

/** @type {Record<string, string>} */
const STEP_WORDS = {
  release: "releases what it owned",
  read: "looks who is there",
  compute: "computes its share",
  claim: "claims its share",
  refused: "was refused a claim",
};

/** @param {number} bytes */
export const bytesInWords = (bytes) => `${bytes.toLocaleString("en-US")} B`;

/** @param {number} at_us @returns {string} seconds with one decimal */
export const secondsInWords = (at_us) => `${(Math.max(0, at_us) / 1_000_000).toFixed(1)} s`;

/**
 * A preview as a cell shows it: its first word stands alone, the rest is a smaller line below it.
 * @param {string} preview
 */
export function previewInWords(preview) {
  const [, word, rest] = /** @type {RegExpMatchArray} */ (preview.match(/^ *([^ ]*) *([^]*)$/));
  return { word, rest };
}

/** @param {State} consumer @param {number} now_us @returns {boolean} whether its process stands still, and does not know it */
export const isFrozen = (consumer, now_us) => consumer.frozen_until_us > now_us && !["crashed", "gone", "closed"].includes(consumer.state);

/** @param {State} consumer @param {number} now_us */
export function stateInWords(consumer, now_us) {
  if (isFrozen(consumer, now_us)) return "stands still";
  if (consumer.paused && ["running", "idle"].includes(consumer.state)) return "paused";
  return STATE_WORDS[consumer.state] ?? consumer.state;
}

/**
 * One line under a consumer's name: what it is doing, or why it does nothing.
 * @param {State} consumer
 * @param {number} now_us
 */
export function doingInWords(consumer, now_us) {
  if (isFrozen(consumer, now_us)) return "a long pause of its process; it does not know";
  const { rebalance, settings } = consumer;
  switch (consumer.state) {
    case "joining":
      return "opens a session with the registry";
    case "rebalancing":
      return shareInWords(rebalance) || (STEP_WORDS[rebalance.step] ?? "");
    case "backing_off":
      return `attempt ${rebalance.attempt} was refused: waits, then tries again`;
    case "idle":
      return "no partition left for it";
    case "failed":
      return "no attempt succeeded; waits for the registry to change";
    case "closing":
      return "commits, then closes its session";
    case "closed":
      return "left in good order";
    case "crashed":
      return "nobody knows until its session runs out";
    case "gone":
      return "its session ran out";
    default:
      return `${settings.messages_per_second} messages/s · at most ${bytesInWords(settings.fetch_bytes)} a pull`;
  }
}

/** @param {State} rebalance */
function shareInWords(rebalance) {
  if (rebalance.step !== "claim") return "";
  if (!rebalance.share.length) return "its share: nothing";
  return `claims ${rebalance.share.map(shortPartition).join(", ")}`;
}

/** @param {string} name `<topic>-<number>` or `<broker>-<number>` @returns {string} as the stage calls it: p0 */
export const shortPartition = (name) => `p${name.slice(name.lastIndexOf("-") + 1)}`;

/** @param {State[]} logs */
export const partitionsInWords = (logs) => (logs.length ? `owns ${logs.map((log) => `p${log.partition}`).join(" ")}` : "owns nothing");

/** @param {State} producer */
export function producerInWords(producer) {
  return {
    rate: producer.rate_per_second ? `${producer.rate_per_second} messages/s` : "only when told",
    batch: `${producer.batch_messages} messages`,
    linger: `${producer.linger_ms} ms`,
    partitioner: producer.partitioner.replaceAll("_", " "),
    compression: producer.compression,
  };
}
