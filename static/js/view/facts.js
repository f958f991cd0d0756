// @ts-check
/** The strip of facts, the producer's settings, and the table for those who do not see the picture. */
import { committedOf, ownerOf, positionOf } from "../scene/ownership.js";
import { linksInWords, queueInWords } from "../scene/troubles.js";
import { bytesInWords, producerInWords } from "../scene/words.js";
import { keep, part, setAttribute, setText } from "./nodes.js";

/** @typedef {Record<string, any>} State */

/** @param {HTMLElement} stage @param {State} state */
export function paintFacts(stage, state) {
  const [name, topic] = Object.entries(state.topics)[0] ?? ["", { brokers: [], events_appended: 0, next_append_partition: 0 }];
  const facts = {
    "fact-topic": name,
    "fact-parallelism": `${topic.brokers.length} partitions`,
    "fact-events-appended": topic.events_appended,
    "fact-next-append": `p${topic.next_append_partition}`,
  };
  for (const [testid, text] of Object.entries(facts)) {
    setText(/** @type {Element} */ (stage.querySelector(`[data-testid="${testid}"]`)), text);
  }
  setAttribute(part(stage, "batch-count"), "value", state.producer.batch_messages);
  const settings = part(stage, "producer-facts");
  for (const [of, text] of Object.entries(producerInWords(state.producer))) {
    setText(/** @type {Element} */ (settings.querySelector(`[data-of="${of}"]`)), text);
  }
  const links = linksInWords(state, "producer");
  setText(part(stage, "producer-state"), [queueInWords(state), links.text].filter(Boolean).join("; "));
  setAttribute(part(stage, "producer-state"), "data-link", links.kind);
  paintTable(part(stage, "facts-rows"), state);
}

/** @param {HTMLElement} body @param {State} state */
function paintTable(body, state) {
  const rows = Object.entries(state.partitions).flatMap(([key, log]) =>
    Object.keys(state.groups).map((group) => ({ key: `${group}/${key}`, log, group })),
  );
  keep(body, rows, {
    template: "fact-row", attribute: "data-row", key: (row) => row.key,
    fill: (node, { log, group }) => {
      const committed = committedOf(state, group, log);
      const words = [
        `p${log.partition}`, `Broker ${log.broker}`, log.entries.map((/** @type {number[]} */ [offset]) => offset).join(", "),
        log.flushed_offset, log.next_offset, group, committed, positionOf(state, group, log).fetch_offset,
        ownerOf(state, group, log) || "no owner", bytesInWords(Math.max(0, log.next_offset - committed)),
      ];
      words.forEach((text, index) => setText(node.children[index], text));
    },
  });
}
