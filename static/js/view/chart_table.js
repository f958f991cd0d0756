// @ts-check
/** The numbers of the charts, for people who do not see the lines: a row for each point, the newest first. */
import { part } from "./nodes.js";

/**
 * @param {HTMLElement} place
 * @param {import("../scene/series.js").Chart} chart
 * @param {{lags: (value: number) => string, rates: (value: number) => string}} inWords
 */
export function paintChartTable(place, { times_s, lags, rates }, inWords) {
  const columns = [
    ...lags.map(({ name, values }) => ({ name: `lag of ${name}`, values, words: inWords.lags })),
    ...rates.map(({ name, values }) => ({ name, values, words: inWords.rates })),
  ];
  part(place, "chart-head").replaceChildren(...["time", ...columns.map(({ name }) => name)].map((name) => cell("th", name, "col")));
  const rows = times_s.map((time_s, index) => {
    const row = document.createElement("tr");
    row.append(cell("th", `${time_s.toFixed(2)} s`, "row"));
    for (const { values, words } of columns) {
      const value = values[index];
      row.append(cell("td", value === null ? "–" : words(value), ""));
    }
    return row;
  });
  part(place, "chart-rows").replaceChildren(...rows.reverse());
}

/** @param {"th" | "td"} tag @param {string} text @param {string} scope "" for none */
function cell(tag, text, scope) {
  const node = document.createElement(tag);
  node.textContent = text;
  if (scope) node.setAttribute("scope", scope);
  return node;
}
