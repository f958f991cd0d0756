// @ts-check
/**
 * The one reducer: state and event in, next state out. What each event changes is written in docs/journal.md.
 *
 * It is pure: the old state stays as it was, and unchanged parts are shared. A test folds a real journal
 * up to each checkpoint the engine wrote and compares.
 *
 * @typedef {Record<string, any>} State
 * @typedef {{event: string, at_us: number, [field: string]: any}} JournalEvent
 * @typedef {(state: State, event: JournalEvent) => State} Handler
 */
import { consumeHandlers } from "./reduce_consume.js";
import { deploymentHandlers } from "./reduce_deployment.js";
import { lagHandlers } from "./reduce_lag.js";
import { groupHandlers } from "./reduce_group.js";
import { logHandlers } from "./reduce_log.js";
import { registryHandlers } from "./reduce_registry.js";
import { wireHandlers } from "./reduce_wire.js";

/** @type {Map<string, Handler>} */
const HANDLERS = new Map(
  Object.entries({
    ...logHandlers, ...groupHandlers, ...consumeHandlers, ...registryHandlers, ...wireHandlers, ...deploymentHandlers,
    ...lagHandlers,
  }),
);

/**
 * @param {State} state
 * @param {JournalEvent} event
 * @returns {State} an event without a handler (such as one of a newer engine) changes only the time
 */
export function reduce(state, event) {
  if (event.event === "checkpoint") return event.state;
  const handler = HANDLERS.get(event.event);
  const next = handler ? handler(state, event) : state;
  return { ...next, at_us: event.at_us };
}
