// @ts-check
/** Events of pulling, consuming and committing. */
import { addsToDone } from "./reduce_lag.js";
import { withChange, withKey, withoutKey } from "./persistent.js";

/** @typedef {import("./reduce.js").Handler} Handler */

/** @param {Record<string, any>} of an event of one group and partition */
const positionOf = (of) => `${of.group}/${of.topic}-${of.partition}`;

/** @param {(event: any) => object} change @returns {Handler} */
const changesPosition = (change) => (state, event) => ({
  ...state, positions: withChange(state.positions, positionOf(event), change(event)),
});

const jump = changesPosition((event) => ({ fetch_offset: event.offset, consumed_offset: event.offset, error: "" }));

const pulled = addsToDone((event) => ({ pulled_bytes: event.next_offset - event.offset, pulled_messages: event.messages }));
const consumed = addsToDone((event) => ({ consumed_bytes: event.next_offset - event.offset, consumed_messages: event.messages }));

/** @type {Record<string, Handler>} */
export const consumeHandlers = {
  fetching_started: (state, event) => ({
    ...state,
    positions: withKey(state.positions, positionOf(event), {
      consumer: event.consumer, fetch_offset: event.offset, consumed_offset: event.offset, error: "",
    }),
  }),
  /** A consumer that was suspended stops pulling a partition that another one may have pulled since. */
  fetching_stopped: (state, event) => (state.positions[positionOf(event)]?.consumer === event.consumer
    ? { ...state, positions: withoutKey(state.positions, positionOf(event)) } : state),
  fetch_sent: (state, event) => ({ ...state, flights: withKey(state.flights, `fetch:${event.fetch}`, event) }),
  fetch_answered: (state, event) => ({
    ...state,
    flights: withKey(withoutKey(state.flights, `fetch:${event.fetch}`), `answer:${event.fetch}`, event),
  }),
  fetch_received: (state, event) => changesPosition(() => ({ fetch_offset: event.next_offset }))(
    { ...pulled(state, event), flights: withoutKey(state.flights, `answer:${event.fetch}`) }, event,
  ),
  /** After a timeout the request or its answer may still be on its way, and has an end of its own. */
  fetch_failed: (state, event) => (event.reason === "timeout" ? state : {
    ...state,
    flights: withoutKey(withoutKey(state.flights, `fetch:${event.fetch}`), `answer:${event.fetch}`),
  }),
  messages_taken: changesPosition((event) => ({ consumed_offset: event.next_offset })),
  messages_consumed: (state, event) => changesPosition(() => ({ consumed_offset: event.next_offset }))(
    consumed(state, event), event,
  ),
  message_rejected: changesPosition((event) => ({ error: event.error })),
  reading_resumed: changesPosition(() => ({ error: "" })),
  offset_sought: (state, event) => (event.consumer ? jump(state, event) : state),
  offset_reset: jump,
  commit_sent: (state, event) => ({ ...state, flights: withKey(state.flights, `commit:${event.commit}`, event) }),
  commit_landed: (state, event) => ({ ...state, flights: withoutKey(state.flights, `commit:${event.commit}`) }),
};
