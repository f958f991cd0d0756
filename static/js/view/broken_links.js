// @ts-check
/** Links with faults as lines between their two ends, each with its words and the button that repairs it. */
import { linkMarks } from "../scene/link_marks.js";
import { keep, part, setAttribute, setText } from "./nodes.js";

const SVG = "http://www.w3.org/2000/svg";

/** @typedef {Record<string, any>} State */

/** @param {HTMLElement} stage @param {State} state @param {import("../scene/ribbons.js").Anchors} anchors */
export function paintBrokenLinks(stage, state, anchors) {
  const marks = linkMarks(state, anchors);
  keep(part(stage, "broken-links"), marks, {
    template: "broken-link", attribute: "data-broken", key: ({ key }) => key,
    fill: (form, { one, other, kind, words, middle }) => {
      setAttribute(form, "data-link-kind", kind);
      form.style.transform = `translate(${middle.x.toFixed(1)}px, ${middle.y.toFixed(1)}px)`;
      setAttribute(part(form, "from-field"), "value", one);
      setAttribute(part(form, "to-field"), "value", other);
      setText(part(form, "link-words"), words);
    },
  });
  const lines = part(stage, "broken-lines");
  while (lines.childElementCount > marks.length) lines.lastElementChild?.remove();
  while (lines.childElementCount < marks.length) lines.append(document.createElementNS(SVG, "path"));
  marks.forEach(({ kind, from, to }, index) => {
    setAttribute(lines.children[index], "data-link-kind", kind);
    setAttribute(lines.children[index], "d", `M${from.x} ${from.y}L${to.x} ${to.y}`);
  });
}
