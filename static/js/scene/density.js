// @ts-check
/**
 * How much there is to draw in the tallest column of brokers. The style sheet shares the height of the window out among
 * that many tapes, so that few tapes are tall and many still fit. (First picture: templates/_partials/density.html.)
 */
import { datacenterOf, readersOf } from "./ownership.js";

/** @typedef {Record<string, any>} State @typedef {{brokers: number, tapes: number, rows: number}} Density */

/** @param {State} state @param {State} log @returns {string[]} the loaders that read its topic */
export function loadersOf(state, log) {
  const loaders = Object.entries(state.deployment?.loaders ?? {});
  return loaders.filter(([, { topics }]) => topics.includes(log.topic)).map(([name]) => name);
}

/** @param {State} state @returns {Density} of the datacenter with the most tapes; rows are those of bookmarks */
export function densityOf(state) {
  const places = new Set(Object.keys(state.brokers).map((id) => datacenterOf(state, Number(id))));
  const columns = [...places].map((place) => {
    const logs = Object.values(state.partitions).filter((log) => datacenterOf(state, log.broker) === place);
    return {
      brokers: Object.keys(state.brokers).filter((id) => datacenterOf(state, Number(id)) === place).length,
      tapes: logs.length,
      rows: logs.reduce((sum, log) => sum + readersOf(state, log).length + loadersOf(state, log).length, 0),
    };
  });
  return columns.reduce((most, one) => (one.tapes + one.rows > most.tapes + most.rows ? one : most), { brokers: 1, tapes: 1, rows: 0 });
}
