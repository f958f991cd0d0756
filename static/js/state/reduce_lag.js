// @ts-check
/** Events that change the facts behind a lag: each group's bookmark, and since when its next message waits. */
import { withChange, withKey } from "./persistent.js";

/** @typedef {import("./reduce.js").Handler} Handler */

/**
 * For a group that had committed everything, the first message of the batch is the one that waits from now on.
 *
 * @param {Record<string, any>} bookmarks @param {Record<string, any>} batch that was appended
 * @returns {Record<string, any>} the same object where no bookmark was at the end
 */
export function waitingFrom(bookmarks, { topic, partition, offset, at_us }) {
  const log = `/${topic}-${partition}`;
  let waiting = bookmarks;
  for (const [place, bookmark] of Object.entries(bookmarks)) {
    if (bookmark.offset === offset && place.endsWith(log)) waiting = withChange(waiting, place, { waiting_since_us: at_us });
  }
  return waiting;
}

/** @param {(event: any) => Record<string, number>} work of an event, to be added to what its group did so far @returns {Handler} */
export const addsToDone = (work) => (state, event) => {
  const group = state.groups[event.group];
  const sums = Object.entries(work(event)).map(([name, more]) => [name, group[name] + more]);
  return { ...state, groups: withChange(state.groups, event.group, Object.fromEntries(sums)) };
};

/** @type {Record<string, Handler>} */
export const lagHandlers = {
  committed_offset_placed: (state, { group, topic, partition, offset, messages_before, waiting_since_us }) => ({
    ...state,
    bookmarks: withKey(state.bookmarks, `${group}/${topic}-${partition}`, { offset, messages_before, waiting_since_us }),
  }),
};
