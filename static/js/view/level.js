// @ts-check
/** The level of detail, named beside the narration; at flow with the throughput and the scale of the bands. */
import { LEVEL_TITLES, LEVEL_WORDS } from "../scene/levels.js";
import { bandWidth, messagesInWords, rateInWords, SCALE_MARKS } from "../scene/scale.js";
import { part, setAttribute, setProperty, setShown, setText } from "./nodes.js";

/** @param {HTMLElement} stage @param {import("../scene/levels.js").Level} level @param {import("../scene/rates.js").Rates} [rates] */
export function paintLevel(stage, level, rates) {
  const place = part(stage, "level");
  setAttribute(stage, "data-level", level);
  setAttribute(place, "title", LEVEL_TITLES[level]);
  setText(part(stage, "level-name"), LEVEL_WORDS[level]);
  setText(part(stage, "level-rate"), rates ? `${messagesInWords(rates.messages)} · ${rateInWords(rates.bytes)}` : "");
  setShown(part(stage, "scale"), { hidden: level !== "flow" });
  if (level === "flow") paintScale(part(stage, "scale"));
}

/** @param {HTMLElement} scale its marks stand in the markup */
function paintScale(scale) {
  SCALE_MARKS.forEach((rate, index) => {
    const mark = /** @type {HTMLElement} */ (scale.children[index]);
    setProperty(mark, "--band", `${bandWidth(rate).toFixed(1)}px`);
    setText(mark, rateInWords(rate).replace(/\.0+ /, " "));
  });
}
