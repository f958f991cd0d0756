// @ts-check
/**
 * Acting while the past is looked at. What has happened cannot be changed, so an act goes to the room as it is now, and
 * the page goes there with it: otherwise somebody would see nothing happen. (To go on from the past there is the fork.)
 * Where it is refused, the reason stands there too: a broker that is down is down now.
 */

const SENTENCE = "You acted in the present, and the page is back there; to go on from an earlier moment, fork it.";
/** Leads elsewhere by itself. */
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
  // The picture may have changed meanwhile: of a form that is gone only the document is told.
  document.addEventListener("htmx:finally:request", (event) => {
    const { ctx } = /** @type {Exchange} */ (/** @type {unknown} */ (event)).detail;
    if (!from_the_past.has(ctx) || !ctx.response || !player.past.place) return;
    player.lookLive();
    narrator.announce(SENTENCE);
  });
}
