// @ts-check
/** Consumer groups and their members' cards. */
import { bytesBehind, ownedBy } from "../scene/ownership.js";
import { partitionsInWords } from "../scene/words.js";
import { keep, part, setAttribute, setShown, setText } from "./nodes.js";

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
  setText(part(card, "owns"), partitionsInWords(owned));
  setText(part(card, "behind"), bytesBehind(state, group, owned).toLocaleString("en-US"));
  setShown(part(card, "behind-box"), { hidden: owned.length === 0 });
  setAttribute(part(card, "form"), "aria-label", `controls of ${name}`);
  setAttribute(part(card, "group-field"), "value", group);
  setAttribute(part(card, "consumer-field"), "value", name);
  setAttribute(part(card, "settings"), "href", `${panels}/consumer?${new URLSearchParams({ group, consumer: name })}`);
}
