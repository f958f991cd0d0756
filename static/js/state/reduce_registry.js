// @ts-check
/** Events of the registry: its nodes, and watches on their way to those who watch. */
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
  watch_fired: (state, event) => ({ ...state, flights: withKey(state.flights, `watch:${event.watch}`, event) }),
  watch_delivered: (state, event) => ({ ...state, flights: withoutKey(state.flights, `watch:${event.watch}`) }),
};
