// @ts-check
/** Messages that were dropped a moment ago: drawn fading at their last place, so that a loss is visible. */

/** So long is a lost message seen to fade, in virtual time. */
export const FADE_US = 700_000;

/**
 * @typedef {import("../state/history.js").Instant} Instant
 * @typedef {{key: string, flight: Record<string, any>, at_us: number, faded: number}} Loss `faded`: 0 just lost to 1 gone
 */

/** @param {Instant[]} instants @param {number} index of the one drawn @param {number} now_us @returns {Loss[]} */
export function lossesAt(instants, index, now_us) {
  /** @type {Loss[]} */
  const losses = [];
  for (let at = index; at > 0 && instants[at].at_us > now_us - FADE_US; at -= 1) {
    const { events, at_us } = instants[at];
    for (const event of events) {
      const flight = event.event === "message_dropped" ? instants[at - 1].state.flights[event.flight] : undefined;
      if (flight) losses.push({ key: event.flight, flight, at_us, faded: Math.max(0, (now_us - at_us) / FADE_US) });
    }
  }
  return losses;
}
