// @ts-check
/**
 * Draws a crowd of marks, in a thread of its own. Each look in each width is drawn once, and put down from then on.
 *
 * It receives, in this order: the canvas; its size; the looks, which replace earlier ones, and each look by its number;
 * and for each frame five numbers a mark: look, width, cells, x and y of its middle, in pixels of the page. It replies
 * when it has the canvas, and when it has drawn a frame.
 */

/** So many are kept ready to be put down again. */
const STAMPS_AT_MOST = 500;
/** Around a box, for its halo and what stands out of it, in pixels of the page. */
const MARGIN = 8;

/**
 * @typedef {import("./mark_looks.js").Look} Look
 * @typedef {{left: number, top: number, width: number, height: number}} Box
 * @typedef {OffscreenCanvasRenderingContext2D} Pen
 * @typedef {{image: ImageBitmap, opacity: number, reach: {x: number, y: number}}} Stamp and so far its edges are from the mark's middle, in pixels of the canvas
 * @typedef {{canvas: OffscreenCanvas} | {width: number, height: number, ratio: number} | {looks: Look[]} | {number: number, look: Look}} PenMessage
 */

/** @type {OffscreenCanvas} */
let canvas;
/** @type {Pen} */
let pen;
let ratio = 1;
/** By number. @type {Look[]} */
let looks = [];
/** @type {Map<string, Stamp>} */
const stamps = new Map();

addEventListener("message", (/** @type {MessageEvent<PenMessage | Float32Array>} */ { data }) => {
  if (data instanceof Float32Array) {
    paint(data);
    postMessage({ is_drawn: true });
  } else {
    hear(data);
  }
});

/** @param {PenMessage} message */
function hear(message) {
  if ("canvas" in message) {
    canvas = message.canvas;
    pen = /** @type {Pen} */ (canvas.getContext("2d"));
    postMessage({ is_ready: true });
  } else if ("ratio" in message) {
    Object.assign(canvas, { width: message.width, height: message.height });
    ratio = message.ratio;
  } else if ("looks" in message) {
    looks = message.looks;
    stamps.clear();
  } else {
    looks[message.number] = message.look;
  }
}

/** @param {Float32Array} places */
function paint(places) {
  pen.clearRect(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < places.length; at += 5) {
    const { image, opacity, reach } = stampFor(places[at], Math.round(places[at + 1] * ratio) / ratio, places[at + 2]);
    pen.globalAlpha = opacity;
    pen.drawImage(image, Math.round(places[at + 3] * ratio) - reach.x, Math.round(places[at + 4] * ratio) - reach.y);
  }
}

/** @param {number} number of its look @param {number} width @param {number} cells @returns {Stamp} */
function stampFor(number, width, cells) {
  const key = `${number} ${cells} ${width}`;
  let stamp = stamps.get(key);
  if (stamp) return stamp;
  if (stamps.size > STAMPS_AT_MOST) stamps.clear();
  stamp = cut(looks[number], width, cells);
  stamps.set(key, stamp);
  return stamp;
}

/** @param {Look} look @param {number} own_width @param {number} cells @returns {Stamp} */
function cut(look, own_width, cells) {
  const { cell, least_width } = look;
  const width = cells && cell.width ? least_width + cells * (cell.width + cell.gap) - cell.gap : Math.max(least_width, own_width || look.width);
  const box = { left: -whole(width / 2), top: -whole(look.height / 2), width: 2 * whole(width / 2), height: 2 * whole(look.height / 2) };
  const spread = look.turn ? 1.5 : 1; // the corners of what is turned stand out
  const reach = { x: Math.ceil((width / 2 + MARGIN) * spread * ratio), y: Math.ceil((look.height / 2 + MARGIN) * spread * ratio) };
  const image = new OffscreenCanvas(2 * reach.x, 2 * reach.y);
  const pen = /** @type {OffscreenCanvasRenderingContext2D} */ (image.getContext("2d"));
  pen.setTransform(ratio, 0, 0, ratio, reach.x, reach.y);
  draw(pen, box, look, cells);
  return { image: image.transferToImageBitmap(), opacity: look.opacity, reach };
}

/** Edges stand on whole pixels, as those of nodes do. @param {number} length */
function whole(length) {
  return Math.round(length * ratio) / ratio;
}

/** @param {Pen} pen at the mark's middle @param {Box} box @param {Look} look @param {number} cells */
function draw(pen, box, look, cells) {
  if (look.turn) pen.rotate(look.turn);
  if (look.halo.width) fillBox(pen, grown(box, look.halo.width), look.radius + look.halo.width, look.halo.colour);
  fillBox(pen, box, look.radius, look.fill);
  if (cells) drawCells(pen, box, look, cells);
  drawSides(pen, box, look);
  if (look.arrow) drawArrow(pen, box, look.arrow);
  if (look.sign) drawSign(pen, look.sign);
}

/** @param {Box} box @param {number} by at each side @returns {Box} */
function grown({ left, top, width, height }, by) {
  return { left: left - by, top: top - by, width: width + 2 * by, height: height + 2 * by };
}

/** @param {Pen} pen @param {Box} box @param {number} radius @param {string} colour */
function fillBox(pen, { left, top, width, height }, radius, colour) {
  pen.fillStyle = colour;
  pen.beginPath();
  pen.roundRect(left, top, width, height, Math.min(radius, width / 2, height / 2));
  pen.fill();
}

/** @param {Pen} pen @param {Box} box @param {Look} look @param {number} count */
function drawCells(pen, box, { sides, padding, cell }, count) {
  const { left, top, width, height } = grown(box, -sides[0].width - padding);
  if (width <= 0) return;
  pen.fillStyle = cell.fill;
  if (cell.width) {
    for (let index = 0; index < count; index += 1) pen.fillRect(left + index * (cell.width + cell.gap), top, cell.width, height);
    return;
  }
  pen.fillRect(left, top, width, height);
  pen.fillStyle = cell.rule.colour;
  for (let index = 1; index < count; index += 1) pen.fillRect(left + whole((index * width) / count) - cell.rule.width, top, cell.rule.width, height);
}

/** @param {Pen} pen @param {Box} box @param {Look} look */
function drawSides(pen, box, { sides, framed, dash, radius }) {
  const [{ width: thickness, colour }] = sides;
  if (!framed) return drawTopSide(pen, box, sides[0]);
  if (!thickness) return;
  const { left, top, width, height } = grown(box, -thickness / 2);
  pen.strokeStyle = colour;
  pen.lineWidth = thickness;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.roundRect(left, top, width, height, Math.max(0, Math.min(radius, box.width / 2, box.height / 2) - thickness / 2));
  pen.stroke();
}

/** The line of what carries no bytes. @param {Pen} pen @param {Box} box @param {import("./mark_looks.js").Side} side */
function drawTopSide(pen, { left, top, width }, side) {
  pen.fillStyle = side.colour;
  pen.fillRect(left, top, width, side.width);
}

/** @param {Pen} pen @param {Box} box @param {import("./mark_looks.js").Arrow} arrow that points to the left */
function drawArrow(pen, box, { left, top, tip, half, colour }) {
  const [x, y] = [box.left + left, box.top + top + half];
  pen.fillStyle = colour;
  pen.beginPath();
  pen.moveTo(x, y);
  pen.lineTo(x + tip, y - half);
  pen.lineTo(x + tip, y + half);
  pen.fill();
}

/** @param {Pen} pen @param {import("./mark_looks.js").Sign} sign in the mark's middle */
function drawSign(pen, { text, font, colour }) {
  pen.fillStyle = colour;
  pen.font = font;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.fillText(text, 0, 0);
}
