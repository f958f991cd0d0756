// @ts-check
/**
 * Acting while the past is looked at. What has happened cannot be changed, so an act goes to the room as it is now, and
 * the page returns to the present as well: otherwise nothing would seem to happen. (A fork continues from the past.)
 * A refusal too is about the present: a broker that is down is down now.
 */

const SENTENCE = "You acted in the present, and the page is back there; to go on from an earlier moment, fork it.";
/** The form that goes to another page itself. */
const FORK = '[data-part="fork"]';

/**
 * @typedef {{detail: {ctx: {request: {method: string}, response?: object}}}} Exchange of htmx
 *
 * @param {HTMLElement} stage
 * @param {import("./player.js").Player} player
 * @param {import("./narrator.js").Narrator} narrator
 */
export function actInThePresent(stage, player, narrator) {
  /** Requests that were sent from the past. @type {WeakSet<object>} */
  const from_the_past = new WeakSet();
  stage.addEventListener("htmx:before:request", (event) => {
    const { ctx } = /** @type {Exchange} */ (/** @type {unknown} */ (event)).detail;
    const forks = /** @type {Element} */ (event.target).closest(FORK);
    if (player.past.place && ctx.request.method === "POST" && !forks) from_the_past.add(ctx);
  });
  // The picture may have changed meanwhile: events of a removed form reach only the document.
  document.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = /** @type {Exchange} */ (/** @type {unknown} */ (event)).detail;
    if (!from_the_past.has(ctx) || !ctx.response || !player.past.place) return;
    player.lookLive();
    narrator.announce(SENTENCE);
  });
}
