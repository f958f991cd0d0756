// @ts-check
/** The parts outside the live datacenter: other datacenters, loaders, the warehouse, auditors and their counts. */
import { auditInWords, auditTable, bytesToLoad, lastCountInWords, latencyOf, loaderInWords } from "../scene/audit.js";
import { datacenterOfTopic, LIVE } from "../scene/ownership.js";
import { linksInWords } from "../scene/troubles.js";
import { paintBrokers } from "./brokers.js";
import { paintGroups } from "./groups.js";
import { keep, part, setAttribute, setShown, setText } from "./nodes.js";

const LOADER_NOTE = "a simple consumer; its bookmarks are in the warehouse";
const AUDITOR_NOTE = "a simple consumer; counts every message";

/** @typedef {Record<string, any>} State @typedef {import("./brokers.js").Painting} Painting */

/** @param {HTMLElement} stage @param {Painting} painting */
export function paintDeployment(stage, painting) {
  const { state } = painting;
  keep(part(stage, "datacenters"), Object.entries(state.deployment.datacenters), {
    template: "datacenter", attribute: "data-datacenter", key: ([name]) => name,
    fill: (node, [name, { registry }]) => {
      const title = `${name.slice(0, 1).toUpperCase()}${name.slice(1)} datacenter`;
      setAttribute(node, "data-testid", `datacenter-${name}`);
      setAttribute(node, "aria-label", title);
      setText(part(node, "datacenter-name"), title);
      setAttribute(part(node, "registry-mark"), "data-address", registry);
      paintBrokers(part(node, "brokers"), painting, name);
      paintGroups(part(node, "groups"), painting, name);
    },
  });
  if (painting.bite !== undefined && painting.bite !== 1) return; // that bite has all of it
  paintLoaders(part(stage, "loaders"), painting);
  const auditors = Object.entries(state.deployment.auditors);
  const isLive = (/** @type {[string, State]} */ [, { topics }]) => datacenterOfTopic(state, topics[0]) === LIVE;
  paintAuditors(part(stage, "live-auditors"), state, auditors.filter(isLive));
  paintAuditors(part(stage, "auditors"), state, auditors.filter((one) => !isLive(one)));
  paintWarehouse(part(stage, "warehouse"), state);
  paintAudit(stage, state);
}

/** @param {HTMLElement} parent @param {Painting} painting */
function paintLoaders(parent, { state, panels }) {
  keep(parent, Object.entries(state.deployment.loaders), {
    template: "loader", attribute: "data-loader", key: ([name]) => name,
    fill: (card, [name, loader]) => {
      const address = `loader:${name}`;
      setAttribute(card, "data-testid", `loader-${name}`);
      setAttribute(card, "data-address", address);
      setAttribute(card, "data-state", loader.state);
      setText(part(card, "loader-name"), name);
      setText(part(card, "loader-state"), loaderInWords(state, name));
      setText(part(card, "loader-behind"), bytesToLoad(state, name).toLocaleString("en-US"));
      setAttribute(part(card, "loader-form"), "aria-label", `controls of ${name}`);
      setAttribute(part(card, "loader-field"), "value", name);
      setAttribute(part(card, "break"), "href", `${panels}/trouble?${new URLSearchParams({ address })}`);
      paintNote(part(card, "loader-note"), state, { address, note: LOADER_NOTE });
    },
  });
}

/** @param {HTMLElement} parent @param {State} state @param {Array<[string, State]>} auditors */
function paintAuditors(parent, state, auditors) {
  keep(parent, auditors, {
    template: "auditor", attribute: "data-tier", key: ([tier]) => tier,
    fill: (card, [tier]) => {
      const address = `auditor:${tier}`;
      setAttribute(card, "data-testid", `auditor-${tier}`);
      setAttribute(card, "data-address", address);
      setText(part(card, "auditor-name"), `Auditor ${tier}`);
      setText(part(card, "auditor-count"), lastCountInWords(state, tier));
      paintNote(part(card, "auditor-note"), state, { address, note: AUDITOR_NOTE });
    },
  });
}

/** Write the faults of its links, or else its note. @param {HTMLElement} node @param {State} state @param {{address: string, note: string}} of */
function paintNote(node, state, { address, note }) {
  const links = linksInWords(state, address);
  setText(node, links.text || note);
  setAttribute(node, "data-link", links.kind);
}

/** @param {HTMLElement} node @param {State} state */
function paintWarehouse(node, state) {
  const loaders = Object.values(state.deployment.loaders);
  setText(part(node, "warehouse-rows"), loaders.reduce((sum, { rows }) => sum + rows, 0).toLocaleString("en-US"));
  const { average, percentile, period } = latencyOf(state);
  setShown(part(node, "latency-box"), { hidden: average === "" });
  setText(part(node, "latency-average"), average);
  setText(part(node, "latency-percentile"), percentile);
  setText(part(node, "latency-window"), period);
}

/** @param {HTMLElement} stage @param {State} state */
function paintAudit(stage, state) {
  setText(part(stage, "audit-words"), auditInWords(state));
  keep(part(stage, "audit-rows"), auditTable(state), {
    template: "audit-row", attribute: "data-window", key: ({ key }) => key,
    fill: (row, { figures, produced, counts }) => {
      setText(row.children[0], figures);
      setText(row.children[1], produced);
      counts.forEach(({ text, difference, kind }, index) => {
        const cell = /** @type {HTMLElement} */ (row.children[index + 2]);
        setAttribute(cell, "data-kind", kind);
        setText(cell.children[0], text);
        setText(cell.children[1], difference);
      });
    },
  });
}
