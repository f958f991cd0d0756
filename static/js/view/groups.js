// @ts-check
/** Consumer groups and their members' cards. */
import { datacenterOfTopic, ownedBy } from "../scene/ownership.js";
import { partitionsInWords } from "../scene/words.js";
import { isNews, keep, part, setAttribute, setShown, setText } from "./nodes.js";

/** @typedef {Record<string, any>} State @typedef {import("../scene/looks.js").Looks} Looks */

/** @param {HTMLElement} parent @param {{state: State, panels: string, looks: Looks}} painting @param {string} datacenter where they read, "" for the live one */
export function paintGroups(parent, { state, panels, looks }, datacenter) {
  const { groups, consumers: members, registry, deployment, partitions } = state;
  if (!isNews(parent, [groups, members, registry, deployment, looks, Object.keys(partitions).length])) return;
  keep(parent, Object.entries(state.groups).filter(([, { topics }]) => datacenterOfTopic(state, topics[0]) === datacenter), {
    template: "group", attribute: "data-group", key: ([group]) => group,
    fill: (node, [group, { consumers }]) => {
      setAttribute(node, "data-testid", `group-${group}`);
      setAttribute(node, "data-group-index", Object.keys(state.groups).indexOf(group));
      const mirror = state.deployment?.mirrors[group];
      setAttribute(node, "data-mirror", Boolean(mirror));
      setText(part(node, "name"), group);
      setText(part(node, "note"), mirror ? `${mirror.messages.toLocaleString("en-US")} mirrored` : "own offset, same topic");
      setAttribute(part(node, "group-field"), "value", group);
      setAttribute(part(node, "mirror-settings"), "href", `${panels}/mirror?${new URLSearchParams({ group })}`);
      setText(part(node, "mirror-of"), ` of ${group}`);
      setAttribute(part(node, "settings-of"), "href", `${panels}/group?${new URLSearchParams({ group })}`);
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
  setAttribute(card, "data-address", `consumer:${group}/${name}`);
  setAttribute(card, "data-state", consumer.state);
  setAttribute(card, "data-step", consumer.rebalance.step);
  setAttribute(card, "data-paused", consumer.paused);
  setAttribute(card, "data-owns", owned.length);
  setAttribute(card, "data-consumer-index", look);
  setText(part(card, "name"), name);
  setText(part(card, "owns"), partitionsInWords(state, owned));
  setShown(part(card, "behind-box"), { hidden: owned.length === 0 });
  setAttribute(part(card, "form"), "aria-label", `controls of ${name}`);
  setAttribute(part(card, "group-field"), "value", group);
  setAttribute(part(card, "consumer-field"), "value", name);
  setAttribute(part(card, "break"), "href", `${panels}/trouble?${new URLSearchParams({ address: `consumer:${group}/${name}` })}`);
  setAttribute(part(card, "settings"), "href", `${panels}/consumer?${new URLSearchParams({ group, consumer: name })}`);
}
