// @ts-check
/** A JSON merge patch (RFC 7396) on a state: what a digest of the feed says has changed. */

/** @typedef {import("./reduce.js").State} State */

/**
 * @param {State} state
 * @param {Record<string, any>} patch null takes a key away; objects are patched inside, all else replaces what was there
 * @returns {State} what did not change is the same object as before
 */
export function patched(state, patch) {
  const next = { ...state };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete next[key];
    else next[key] = isPlain(value) ? patched(isPlain(next[key]) ? next[key] : {}, value) : value;
  }
  return next;
}

/** @param {any} value */
const isPlain = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
