// @ts-check
/** Panels that are drawn from a state: the settings and the files of a log at the moment shown. */
import { segmentFile } from "../scene/tape.js";
import { bytesInWords } from "../scene/words.js";
import { clone, keep, part, setAttribute, setText } from "./nodes.js";

/** @typedef {Record<string, any>} State */

/**
 * What a panel needs to be drawn, or a sentence why it cannot be.
 * @typedef {{template: string, fill: (panel: HTMLElement) => void} | {sentence: string}} Drawing
 */

/** @param {State} state @returns {Drawing} */
export const producerSettings = (state) => ({ template: "panel-producer", fill: (panel) => fillSettings(panel, state.producer) });

/** @param {State} state @param {URLSearchParams} query @returns {Drawing} */
export function consumerSettings(state, query) {
  const [group, name] = [query.get("group"), query.get("consumer")];
  const consumer = state.consumers[`${group}/${name}`];
  if (!consumer) return { sentence: `There was no ${name} in ${group} at this moment.` };
  return {
    template: "panel-consumer",
    fill: (panel) => {
      setText(part(panel, "consumer"), consumer.consumer);
      setText(part(panel, "group"), `of ${consumer.group}${consumer.paused ? ", paused" : ""}`);
      fillSettings(panel, consumer.settings);
    },
  };
}

/** @param {State} state @param {URLSearchParams} query @returns {Drawing} */
export function mirrorSettings(state, query) {
  const group = query.get("group") ?? "";
  const mirror = state.deployment?.mirrors[group];
  if (!mirror) return { sentence: `There were no mirrors ${group} at this moment.` };
  return {
    template: "panel-mirror",
    fill: (panel) => {
      setText(part(panel, "group"), group);
      setText(part(panel, "copies"), `copies ${mirror.routes.map((/** @type {string[]} */ [from, to]) => `${from} to ${to}`).join(", ")}`);
      fillSettings(panel, mirror);
    },
  };
}

/** @param {State} state @param {URLSearchParams} query @param {string} panels address of the room's panels @returns {Drawing} */
export function filesOf(state, query, panels) {
  const log = state.partitions[`${query.get("topic")}-${query.get("partition")}`];
  if (!log) return { sentence: "There was no such partition at this moment." };
  return {
    template: "panel-files",
    fill: (panel) => {
      setText(part(panel, "title"), `Files of p${log.partition}`);
      setText(part(panel, "where"), `of ${log.topic}, on broker ${log.broker}`);
      setText(part(panel, "ends"), `Readers see up to ${log.flushed_offset}; the next append goes to ${log.next_offset}.`);
      setAttribute(part(panel, "api"), "href", `${panels}/api?${new URLSearchParams({ about: "partition", topic: log.topic, partition: log.partition })}`);
      keep(part(panel, "files"), /** @type {number[][]} */ (log.segments), {
        template: "file-row", attribute: "data-base-offset", key: ([base]) => String(base),
        fill: (row, [base, bytes]) => {
          setText(part(row, "file"), segmentFile(base));
          setText(part(row, "base"), base);
          setText(part(row, "bytes"), bytesInWords(bytes));
        },
      });
    },
  };
}

/** @param {HTMLElement} content of the inspector @param {Drawing} drawing */
export function drawPanel(content, drawing) {
  if ("sentence" in drawing) {
    content.dataset.drawn = "sentence";
    const note = document.createElement("p");
    note.className = "panel-fate";
    note.textContent = drawing.sentence;
    content.replaceChildren(note);
    return;
  }
  let panel = /** @type {HTMLElement | null} */ (content.querySelector(":scope > .panel"));
  if (!panel || content.dataset.drawn !== drawing.template) {
    panel = clone(drawing.template);
    content.dataset.drawn = drawing.template;
    content.replaceChildren(panel);
  }
  drawing.fill(panel);
}

/** Show settings of the past: every field as it was, and nothing to change. @param {HTMLElement} panel @param {State} settings */
function fillSettings(panel, settings) {
  for (const field of panel.querySelectorAll("input:not([type=hidden]), select, button")) {
    const control = /** @type {HTMLInputElement} */ (field);
    control.disabled = true;
    if (!Object.hasOwn(settings, control.name)) continue;
    if (control.value !== String(settings[control.name])) control.value = String(settings[control.name]);
  }
  panel.querySelectorAll("button").forEach((button) => (button.hidden = true));
}
