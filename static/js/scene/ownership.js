// @ts-check
/** Who owns what and where the bookmarks are: read from the registry's nodes, as the consumers themselves do. */

/** @typedef {Record<string, any>} State */

/** @param {State} log */
const partitionNode = (log) => `${log.topic}/${log.broker}-${log.partition}`;

/** @param {State} state @param {string} group @param {State} log @returns {string} the owner's name, "" if nobody owns it */
export function ownerOf(state, group, log) {
  const node = state.registry[`/consumers/${group}/owners/${partitionNode(log)}`];
  return node ? node[0].slice(0, node[0].lastIndexOf("-")) : "";
}

/** @param {State} state @param {string} group @param {State} log @returns {number} the committed offset; the first one if none was ever committed */
export function committedOf(state, group, log) {
  const node = state.registry[`/consumers/${group}/offsets/${partitionNode(log)}`];
  return node ? Number(node[0]) : log.first_offset;
}

/** @param {State} state @param {string} group @param {State} log @returns {{fetch_offset: number, consumed_offset: number, error: string, pulled: boolean}} */
export function positionOf(state, group, log) {
  const position = state.positions[`${group}/${log.topic}-${log.partition}`];
  if (position) return { ...position, pulled: true };
  const committed = committedOf(state, group, log);
  return { fetch_offset: committed, consumed_offset: committed, error: "", pulled: false };
}

/** @param {State} state @param {string} group @param {string} consumer @returns {State[]} the partitions it owns */
export function ownedBy(state, group, consumer) {
  return Object.values(state.partitions).filter((log) => ownerOf(state, group, log) === consumer);
}

/** @param {State} state @param {string} group @param {State[]} logs @returns {number} bytes not yet committed by the group */
export function bytesBehind(state, group, logs) {
  return logs.reduce((sum, log) => sum + Math.max(0, log.next_offset - committedOf(state, group, log)), 0);
}
