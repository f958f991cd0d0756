// @ts-check
/** The strip of facts, and the producer's settings. */
import { linksInWords, queueInWords } from "../scene/troubles.js";
import { producerInWords } from "../scene/words.js";
import { part, setAttribute, setText } from "./nodes.js";

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
  const troubles = [queueInWords(state), links.text].filter(Boolean).join("; ");
  setText(part(stage, "producer-state"), troubles);
  setAttribute(part(stage, "producer-state"), "title", troubles);
  setAttribute(part(stage, "producer-state"), "data-link", links.kind);
}
