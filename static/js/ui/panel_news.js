// @ts-check
/** The part of the state that a panel of the present shows, so that the panel is read again when that part changes. */

/** @typedef {Record<string, any>} State */

/** @type {Record<string, (state: State, query: URLSearchParams) => unknown>} */
const ABOUT = {
  producer: ({ producer }) => producer,
  consumer({ consumers }, query) {
    const { settings, paused } = consumers[`${query.get("group")}/${query.get("consumer")}`] ?? {};
    return [settings, paused];
  },
  mirror: ({ deployment }, query) => deployment?.mirrors[query.get("group") ?? ""]?.acknowledgement,
  group: ({ groups, partitions }, query) => [groups[query.get("group") ?? ""]?.topics, Object.keys(partitions)],
  trouble: ({ links, brokers, consumers }) => [links, Object.entries(brokers).map(([id, { disk }]) => [id, disk]), Object.keys(consumers)],
  add: ({ topics }) => Object.keys(topics),
};

/** @param {string} name of a panel @param {State} state @param {URLSearchParams} query @returns {string} differs when the panel would */
export function newsOf(name, state, query) {
  return JSON.stringify(ABOUT[name]?.(state, query)) ?? "";
}
