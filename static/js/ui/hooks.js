// @ts-check
/**
 * What scripts may rely on: `window.offsetscope`. Walkthroughs, recordings and tests wait on these promises instead of
 * on time.
 */

/** @param {import("./player.js").Player} player */
export function offerHooks(player) {
  const hooks = {
    /**
     * Resolves when everything known by now is drawn and nothing that matters is in flight on screen: no command of
     * this page is unanswered, no batch, no commit, no watch, no answer that carries bytes and no pull that will bring
     * bytes is on its way, no part of the page that was asked for is still to come, no rebalance and no countdown of a
     * crash is under way, and the drawn time has caught up. Pulls that find nothing new never stop and do not count;
     * while time is paused, frozen marks do not count.
     * @returns {Promise<void>}
     */
    settled: () => player.settled(),

    /**
     * Resolves when all events below a journal offset are folded and painted (an answer to a command names one).
     * @param {number} journalOffset
     * @returns {Promise<void>}
     */
    drawn: (journalOffset) => player.until(() => player.drawnOffset >= journalOffset),
  };
  Object.assign(window, { offsetscope: Object.freeze(hooks) });
}
