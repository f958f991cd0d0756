// @ts-check
/**
 * Events from outside the live datacenter: another registry, mirrors, loaders, the audit. The state has a
 * `deployment` only where there is such a thing.
 */
import { withChange, withKey, withoutKey } from "./persistent.js";

/** @typedef {import("./reduce.js").Handler} Handler */
/** @typedef {import("./reduce.js").State} State */

/** How many counts of windows and how many latencies the state remembers: the newest. */
export const COUNTS_KEPT = 48;
export const LATENCIES_KEPT = 12;

const NOTHING = { datacenters: {}, mirrors: {}, loaders: {}, auditors: {}, audit: [], latency: [] };

/** @param {(deployment: State, event: any) => object} change @returns {Handler} */
const changesDeployment = (change) => (state, event) => {
  const deployment = state.deployment ?? NOTHING;
  return { ...state, deployment: { ...deployment, ...change(deployment, event) } };
};

/** @param {(loader: State, event: any) => object} change @returns {Handler} */
const changesLoader = (change) => changesDeployment(({ loaders }, event) => ({
  loaders: withChange(loaders, event.loader, change(loaders[event.loader] ?? {}, event)),
}));

/**
 * A list of rows with a new one at its end, instead of an older one of the same window.
 *
 * @param {any[][]} rows @param {any[]} row @param {number} names how many of its first fields say which window
 * @param {number} kept
 */
function retold(rows, row, names, kept) {
  const others = rows.filter((one) => one.slice(0, names).some((value, index) => value !== row[index]));
  return [...others, row].slice(-kept);
}

/** @type {Handler} */
const batchMirrored = (state, event) => changesDeployment(({ mirrors }) => ({
  mirrors: withChange(mirrors, event.group, { messages: (mirrors[event.group]?.messages ?? 0) + event.messages }),
}))({ ...state, flights: withKey(state.flights, `batch:${event.batch}`, event) }, event);

/** @param {State} flights @param {Record<string, any>} of */
const ended = (flights, { multi_fetch }) => withoutKey(withoutKey(flights, `multi_fetch:${multi_fetch}`), `multi_fetch_answer:${multi_fetch}`);

/** The open transaction of a crashed loader is rolled back. @type {Handler} */
const rolledBack = (state, { loader }) => {
  const open = Object.keys(state.flights).filter((key) => key.startsWith("load:") && state.flights[key].loader === loader);
  return { ...state, flights: open.reduce(withoutKey, state.flights) };
};

/** @type {Record<string, Handler>} */
export const deploymentHandlers = {
  datacenter_added: changesDeployment(({ datacenters }, event) => ({
    datacenters: withKey(datacenters, event.datacenter, { registry: event.registry, chroot: event.chroot, brokers: [] }),
  })),
  broker_placed: changesDeployment(({ datacenters }, event) => ({
    datacenters: withChange(datacenters, event.datacenter, {
      brokers: [...(datacenters[event.datacenter]?.brokers ?? []), event.broker],
    }),
  })),
  mirror_added: changesDeployment(({ mirrors }, event) => ({
    mirrors: withKey(mirrors, event.group, { routes: event.routes, acknowledgement: event.acknowledgement, messages: 0 }),
  })),
  mirror_changed: changesDeployment(({ mirrors }, event) => ({
    mirrors: withChange(mirrors, event.group, { acknowledgement: event.acknowledgement }),
  })),
  batch_mirrored: batchMirrored,
  loader_added: changesDeployment(({ loaders }, event) => ({
    loaders: withKey(loaders, event.loader, { state: "stopped", topics: event.topics, rows: 0, next_offsets: {} }),
  })),
  loader_started: changesLoader((_loader, event) => ({
    state: "waiting", rows: event.rows, next_offsets: Object.fromEntries(event.next_offsets),
  })),
  load_begun: (state, event) => changesLoader(() => ({ state: "writing" }))(
    { ...state, flights: withKey(state.flights, `load:${event.load}`, event) }, event,
  ),
  load_committed: (state, event) => changesLoader((loader) => ({
    state: "waiting", rows: loader.rows + event.rows,
    next_offsets: { ...loader.next_offsets, ...Object.fromEntries(event.next_offsets) },
  }))({ ...state, flights: withoutKey(state.flights, `load:${event.load}`) }, event),
  loader_crashed: (state, event) => changesLoader(() => ({ state: "crashed" }))(rolledBack(state, event), event),
  auditor_added: changesDeployment(({ auditors }, event) => ({
    auditors: withKey(auditors, event.tier, { topics: event.topics }),
  })),
  audit_counted: changesDeployment(({ audit }, event) => ({
    audit: retold(audit, [
      event.tier, event.topic, event.window_start_us, event.window_end_us, event.produced, event.received,
    ], 3, COUNTS_KEPT),
  })),
  latency_measured: changesDeployment(({ latency }, event) => ({
    latency: retold(latency, [
      event.topic, event.window_start_us, event.window_end_us,
      event.messages, event.average_us, event.percentile_95_us,
    ], 2, LATENCIES_KEPT),
  })),
  multi_fetch_sent: (state, event) => ({ ...state, flights: withKey(state.flights, `multi_fetch:${event.multi_fetch}`, event) }),
  multi_fetch_answered: (state, event) => ({
    ...state, flights: withKey(ended(state.flights, event), `multi_fetch_answer:${event.multi_fetch}`, event),
  }),
  multi_fetch_received: (state, event) => ({ ...state, flights: ended(state.flights, event) }),
  /** After a timeout the message may still be on its way, and has an end of its own. */
  multi_fetch_failed: (state, event) => (event.reason === "timeout" ? state : { ...state, flights: ended(state.flights, event) }),
};
