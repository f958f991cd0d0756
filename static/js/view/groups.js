// @ts-check
/** Consumer groups and their members' cards. */
import { bytesBehind, ownedBy } from "../scene/ownership.js";
import { doingInWords, partitionsInWords, stateInWords } from "../scene/words.js";
import { keep, part, setAttribute, setProperty, setShown, setText } from "./nodes.js";

/** A session lasts six seconds: the dial of a crash is full then. */
const DIAL_US = 6_000_000;

/** @typedef {Record<string, any>} State @typedef {import("../scene/looks.js").Looks} Looks */

/** @param {HTMLElement} parent @param {{state: State, panels: string, looks: Looks}} painting */
export function paintGroups(parent, { state, panels, looks }) {
  keep(parent, Object.entries(state.groups), {
    template: "group", attribute: "data-group", key: ([group]) => group,
    fill: (node, [group, { consumers }]) => {
      setAttribute(node, "data-testid", `group-${group}`);
      setAttribute(node, "data-group-index", Object.keys(state.groups).indexOf(group));
      setText(part(node, "name"), group);
      setText(part(node, "behind"), bytesBehind(state, group, Object.values(state.partitions)).toLocaleString("en-US"));
      setAttribute(part(node, "group-field"), "value", group);
      keep(part(node, "consumers"), /** @type {string[]} */ (consumers), {
        template: "consumer", attribute: "data-consumer", key: (name) => name,
        fill: (card, name) => paintConsumer(card, state.consumers[`${group}/${name}`], { state, panels, look: looks.get(`${group}/${name}`) ?? 0 }),
      });
    },
  });
}

/** @param {HTMLElement} card @param {State} consumer @param {{state: State, panels: string, look: number}} painting */
function paintConsumer(card, consumer, { state, panels, look }) {
  const { group, consumer: name } = consumer;
  const owned = ownedBy(state, group, name);
  setAttribute(card, "data-testid", `consumer-${group}-${name}`);
  setAttribute(card, "data-group", group);
  setAttribute(card, "data-state", consumer.state);
  setAttribute(card, "data-step", consumer.rebalance.step);
  setAttribute(card, "data-paused", consumer.paused);
  setAttribute(card, "data-owns", owned.length);
  setAttribute(card, "data-consumer-index", look);
  setText(part(card, "name"), name);
  setText(part(card, "state"), stateInWords(consumer));
  setText(part(card, "owns"), partitionsInWords(owned));
  setText(part(card, "behind"), bytesBehind(state, group, owned).toLocaleString("en-US"));
  setShown(part(card, "behind-box"), { hidden: owned.length === 0 });
  setText(part(card, "doing"), doingInWords(consumer));
  setAttribute(part(card, "form"), "aria-label", `controls of ${name}`);
  setAttribute(part(card, "group-field"), "value", group);
  setAttribute(part(card, "consumer-field"), "value", name);
  setAttribute(part(card, "settings"), "href", `${panels}/consumer?${new URLSearchParams({ group, consumer: name })}`);
}

/**
 * The arcs of crashed and waiting consumers: seconds left until the session runs out, or until the next attempt.
 * @param {HTMLElement} parent
 * @param {State} state
 * @param {number} now_us
 */
export function paintCountdowns(parent, state, now_us) {
  for (const card of parent.querySelectorAll("[data-state]")) {
    const node = /** @type {HTMLElement} */ (card);
    const consumer = state.consumers[`${node.dataset.group}/${node.dataset.consumer}`];
    const end_us = consumer ? consumer.session_expires_at_us || consumer.rebalance.until_us : 0;
    const dial = part(node, "countdown");
    setShown(dial, { hidden: end_us === 0 });
    if (end_us === 0) continue;
    const left_us = Math.max(0, end_us - now_us);
    setProperty(dial, "--left", Math.min(1, left_us / DIAL_US).toFixed(3));
    setText(part(node, "seconds"), (left_us / 1_000_000).toFixed(1));
  }
}
