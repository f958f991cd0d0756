// @ts-check
/** Events of the network: link faults and dropped messages. */
import { withKey, withoutKey } from "./persistent.js";

/** @typedef {import("./reduce.js").Handler} Handler */

/** @type {Record<string, Handler>} */
export const wireHandlers = {
  link_changed: (state, { one, other, cut, loss_permille, delay_us }) => {
    const name = `${one} | ${other}`;
    const fine = !cut && !loss_permille && !delay_us;
    const links = fine ? withoutKey(state.links, name) : withKey(state.links, name, { cut, loss_permille, delay_us });
    return { ...state, links };
  },
  message_dropped: (state, event) => ({ ...state, flights: withoutKey(state.flights, event.flight) }),
};
