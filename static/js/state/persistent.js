// @ts-check
/**
 * Changing plain objects without touching them: every helper returns a new object that shares what did not change,
 * so that each instant of the history can keep its own state for next to nothing.
 */

/**
 * @template T
 * @param {Record<string, T>} record
 * @param {string | number} key
 * @param {T} value
 * @returns {Record<string, T>}
 */
export function withKey(record, key, value) {
  return { ...record, [key]: value };
}

/**
 * @template T
 * @param {Record<string, T>} record
 * @param {string | number} key
 * @returns {Record<string, T>} the same object if it has no such key
 */
export function withoutKey(record, key) {
  if (!Object.hasOwn(record, key)) return record;
  const { [key]: _gone, ...rest } = record;
  return rest;
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
  return { ...record, [key]: { ...record[key], ...change } };
}
