// @ts-check
/** The owners and the bookmarks of partitions: read from the registry's nodes, as the consumers themselves do. */

/** @typedef {Record<string, any>} State */

/** @param {State} log */
const partitionNode = (log) => `${log.topic}/${log.broker}-${log.partition}`;

/** The datacenter in which producers are. */
export const LIVE = "";

/** @param {State} state @param {number} broker @returns {string} the datacenter it stands in */
export function datacenterOf(state, broker) {
  const others = Object.entries(state.deployment?.datacenters ?? {});
  return others.find(([, { brokers }]) => brokers.includes(broker))?.[0] ?? LIVE;
}

/** @param {State} state @param {string} topic @returns {string} the datacenter of its brokers */
export const datacenterOfTopic = (state, topic) => datacenterOf(state, state.topics[topic]?.brokers[0]);

/** @param {State} state @param {State} log @returns {string} where the registry of its datacenter begins: "", or its chroot */
function chrootOf(state, log) {
  return state.deployment?.datacenters[datacenterOf(state, log.broker)]?.chroot ?? "";
}

/** @param {State} state @param {State} log @returns {string[]} the groups that read its topic */
export function readersOf(state, log) {
  return Object.keys(state.groups).filter((group) => state.groups[group].topics.includes(log.topic));
}

/** @param {State} state @param {string} group @param {State} log @returns {string} the owner's name, "" if nobody owns it */
export function ownerOf(state, group, log) {
  const node = state.registry[`${chrootOf(state, log)}/consumers/${group}/owners/${partitionNode(log)}`];
  return node ? node[0].slice(0, node[0].lastIndexOf("-")) : "";
}

/** @param {State} state @param {string} group @param {State} log @returns {number} the committed offset; the first one if none was ever committed */
export function committedOf(state, group, log) {
  const node = state.registry[`${chrootOf(state, log)}/consumers/${group}/offsets/${partitionNode(log)}`];
  return node ? Number(node[0]) : log.first_offset;
}

/** @param {State} state @param {string} group @param {State} log @returns {{fetch_offset: number, consumed_offset: number, error: string, pulled: boolean, consumer?: string}} */
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
