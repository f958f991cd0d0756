// @ts-check
/** Whether anything is in motion: then the animation runs, and scripts wait. */
import { isIdle } from "./narration.js";
import { isCutOff } from "./troubles.js";
import { isFrozen } from "./words.js";

/** @typedef {Record<string, any>} State */

const UNSETTLED = new Set(["joining", "rebalancing", "backing_off", "closing", "crashed"]);

/** @param {State} state @param {number} now_us @returns {boolean} whether a picture of it changes with time alone */
export function movesWithTime(state, now_us) {
  return Object.keys(state.flights).length > 0 || countsDown(state, now_us);
}

/** @param {State} state @param {number} now_us */
function countsDown(state, now_us) {
  return (
    Object.values(state.consumers).some((consumer) => consumer.session_expires_at_us || consumer.rebalance.until_us || isFrozen(consumer, now_us)) ||
    Object.values(state.brokers).some((broker) => broker.session_expires_at_us)
  );
}

/** @param {State} state @param {State} consumer without a link to the registry it cannot get a session */
function isUnsettled(state, consumer) {
  if (consumer.state === "expired") return !isCutOff(state, `consumer:${consumer.group}/${consumer.consumer}`);
  return UNSETTLED.has(consumer.state);
}

/**
 * Nothing is in flight that changes what is shown: no batch, no answer with bytes, no pull that will bring bytes, no
 * rebalance, no countdown of a crash. Pulls that find nothing new never stop and do not count.
 * @param {State} state
 * @param {number} now_us
 * @returns {boolean}
 */
export function atRest(state, now_us) {
  if (countsDown(state, now_us)) return false;
  if (Object.values(state.consumers).some((consumer) => isUnsettled(state, consumer))) return false;
  return Object.values(state.flights).every((flight) => {
    if (["fetch_sent", "multi_fetch_sent"].includes(flight.event)) return isIdle(flight, state);
    if (["fetch_answered", "multi_fetch_answered"].includes(flight.event)) return flight.bytes === 0;
    return false;
  });
}
