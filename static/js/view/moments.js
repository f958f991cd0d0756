// @ts-check
/** What changes with time alone: seconds left of a session, a wait or a suspension, and the words for them. */
import { linksInWords } from "../scene/troubles.js";
import { rateInWords } from "../scene/scale.js";
import { doingInWords, isFrozen, stateInWords } from "../scene/words.js";
import { part, setAttribute, setProperty, setShown, setText } from "./nodes.js";

/** @typedef {Record<string, any>} State */

/** A session lasts six seconds: the dial of a crash is full then. */
const DIAL_US = 6_000_000;

/**
 * @param {HTMLElement} stage
 * @param {State} state
 * @param {number} now_us
 * @param {import("../scene/rates.js").Rates} [rates] at flow alone
 */
export function paintMoments(stage, state, now_us, rates) {
  for (const card of part(stage, "board").querySelectorAll(".consumer")) {
    const { group, consumer: name } = /** @type {HTMLElement} */ (card).dataset;
    const consumer = state.consumers[`${group}/${name}`];
    if (consumer) paintConsumer(/** @type {HTMLElement} */ (card), consumer, { state, now_us, rates });
  }
  for (const node of part(stage, "board").querySelectorAll("[data-broker]")) {
    const broker = state.brokers[/** @type {HTMLElement} */ (node).dataset.broker ?? ""];
    if (broker) paintDial(/** @type {HTMLElement} */ (node), broker.session_expires_at_us, now_us);
  }
}

/** @param {HTMLElement} card @param {State} consumer @param {{state: State, now_us: number, rates?: import("../scene/rates.js").Rates}} at */
function paintConsumer(card, consumer, { state, now_us, rates }) {
  const frozen = isFrozen(consumer, now_us);
  const links = linksInWords(state, `consumer:${consumer.group}/${consumer.consumer}`);
  const doing = part(card, "doing");
  setAttribute(card, "data-frozen", frozen);
  setText(part(card, "state"), stateInWords(consumer, now_us));
  setText(doing, (!frozen && links.text) || (rates && pullingInWords(consumer, state, rates)) || doingInWords(consumer, now_us, state));
  setAttribute(doing, "title", doing.textContent ?? "");
  setAttribute(doing, "data-link", frozen ? "" : links.kind);
  paintDial(card, consumer.session_expires_at_us || (frozen && consumer.frozen_until_us) || consumer.rebalance.until_us, now_us);
}

/** @param {State} consumer @param {State} state @param {import("../scene/rates.js").Rates} rates @returns {string} "" if it does not pull */
function pullingInWords({ group, consumer: name, state: doing }, state, { pulled }) {
  if (doing !== "running") return "";
  let bytes = 0;
  for (const [key, { consumer }] of Object.entries(state.positions)) {
    if (consumer === name && key.startsWith(`${group}/`)) bytes += pulled.get(key) ?? 0;
  }
  return `pulls ${rateInWords(bytes)}`;
}

/** @param {HTMLElement} node @param {number} end_us 0: nothing runs out @param {number} now_us */
function paintDial(node, end_us, now_us) {
  const dial = part(node, "countdown");
  setShown(dial, { hidden: end_us === 0 });
  if (end_us === 0) return;
  const left_us = Math.max(0, end_us - now_us);
  setProperty(dial, "--left", Math.min(1, left_us / DIAL_US).toFixed(3));
  setText(part(node, "seconds"), (left_us / 1_000_000).toFixed(1));
}
