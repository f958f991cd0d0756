// @ts-check
/** Colours as any program that opens an SVG knows them: six digits, and how much shows through beside them. */

/** @typedef {{colour: string, opacity: number}} Paint */

/** @type {Map<string, Paint>} */
const known = new Map();
/** @type {CanvasRenderingContext2D | undefined} */
let pixel;

/** @param {string} text a computed colour, in whatever notation the browser has it @returns {Paint} */
export function paintOf(text) {
  const paint = known.get(text) ?? measured(text);
  known.set(text, paint);
  return paint;
}

/** @param {string} text @returns {Paint} */
function measured(text) {
  pixel ??= /** @type {CanvasRenderingContext2D} */ (
    Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d", { willReadFrequently: true })
  );
  pixel.clearRect(0, 0, 1, 1);
  pixel.fillStyle = text;
  pixel.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = pixel.getImageData(0, 0, 1, 1).data;
  return { colour: `#${[red, green, blue].map((value) => value.toString(16).padStart(2, "0")).join("")}`, opacity: alpha / 255 };
}

/** @param {Element} node @param {"fill" | "stroke"} property @param {string} text */
export function setPaint(node, property, text) {
  const { colour, opacity } = text === "none" ? { colour: "none", opacity: 1 } : paintOf(text);
  node.setAttribute(property, opacity ? colour : "none");
  if (opacity > 0 && opacity < 0.995) node.setAttribute(`${property}-opacity`, opacity.toFixed(3));
}
