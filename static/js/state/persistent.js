// @ts-check
/**
 * Changes to plain objects that leave the originals as they are: every helper returns a new object that shares what did
 * not change, so that each instant of the history can keep its own state at little cost.
 *
 * A copy costs as much as the object has keys, and thousands of messages can be in flight. Where many events are folded
 * and only the last state is kept, `inOneGo` copies each object once and changes the copy from then on.
 */

/** The objects made since the work in one go began: nothing else refers to them yet. @type {WeakSet<object> | undefined} */
let fresh;

/**
 * @template T
 * @param {() => T} work of which only the result is kept, and no state on the way
 * @returns {T}
 */
export function inOneGo(work) {
  const outer = fresh;
  fresh = outer ?? new WeakSet();
  try {
    return work();
  } finally {
    fresh = outer;
  }
}

/** @template {object} T @param {T} record @returns {T} one that may be changed */
function own(record) {
  if (fresh?.has(record)) return record;
  const copy = { ...record };
  fresh?.add(copy);
  return copy;
}

/**
 * @template T
 * @param {Record<string, T>} record
 * @param {string | number} key
 * @param {T} value
 * @returns {Record<string, T>}
 */
export function withKey(record, key, value) {
  const next = own(record);
  next[key] = value;
  return next;
}

/**
 * @template T
 * @param {Record<string, T>} record
 * @param {string | number} key
 * @returns {Record<string, T>} the same object if it has no such key
 */
export function withoutKey(record, key) {
  if (!Object.hasOwn(record, key)) return record;
  const next = own(record);
  delete next[key];
  return next;
}

/**
 * @template {object} T
 * @param {Record<string, T>} record
 * @param {string | number} key
 * @param {Partial<T>} change
 * @returns {Record<string, T>} the same object if it has no such key: a fact about something that is gone changes nothing
 */
export function withChange(record, key, change) {
  if (!Object.hasOwn(record, key)) return record;
  return withKey(record, key, { ...record[key], ...change });
}
