// @ts-check
/** Events of the registry: its nodes, and watch notifications in flight. */
import { withKey, withoutKey } from "./persistent.js";

/** @typedef {import("./reduce.js").Handler} Handler */

/** @type {Record<string, Handler>} */
export const registryHandlers = {
  node_created: (state, event) => ({
    ...state, registry: withKey(state.registry, event.path, [event.value, event.client]),
  }),
  node_changed: (state, event) => ({
    ...state, registry: withKey(state.registry, event.path, [event.value, state.registry[event.path]?.[1] ?? ""]),
  }),
  node_deleted: (state, event) => ({ ...state, registry: withoutKey(state.registry, event.path) }),
  watch_set: (state, { path, session, client }) => ({
    ...state, watches: withKey(state.watches, path, withKey(state.watches[path] ?? {}, session, client)),
  }),
  watch_fired: (state, event) => ({
    ...state,
    flights: withKey(state.flights, `watch:${event.watch}`, event),
    watches: withoutKey(state.watches, event.path), // a change fires all watches of a path, each of them once
  }),
  watch_delivered: (state, event) => ({ ...state, flights: withoutKey(state.flights, `watch:${event.watch}`) }),
};

/**
 * A session that ended watches nothing any more.
 * @param {import("./reduce.js").State} state
 * @param {number} session
 * @returns {import("./reduce.js").State}
 */
export function withoutWatchesOf(state, session) {
  const kept = Object.entries(state.watches).flatMap(([path, watchers]) => {
    const others = withoutKey(watchers, session);
    return Object.keys(others).length ? [[path, others]] : [];
  });
  return { ...state, watches: Object.fromEntries(kept) };
}
