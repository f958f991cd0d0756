// @ts-check
/** The picture that is drawn, to take away: as an SVG, or as a PNG of it with twice the pixels. */
import { secondsInWords } from "../scene/words.js";
import { part, setText } from "../view/nodes.js";
import { pictureOf } from "../view/picture.js";

/** Pixels of a PNG for each of the page. */
const FINE = 2;

export class TakeAway {
  /** @param {HTMLElement} stage @param {import("./player.js").Player} player */
  constructor(stage, player) {
    this.stage = stage;
    this.player = player;
  }

  /** @param {"svg" | "png"} kind */
  async save(kind) {
    const state = part(this.stage, "take-away-state");
    try {
      const { name, svg, width, height } = this.#picture();
      const blob = kind === "svg" ? new Blob([svg], { type: "image/svg+xml" }) : await pngOf(svg, { width, height });
      save(blob, `${name}.${kind}`);
      setText(state, `${name}.${kind}: ${blob.size.toLocaleString("en-US")} bytes`);
    } catch (error) {
      setText(state, `the picture could not be made: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** What is drawn now, under a name that says of which moment it is. */
  #picture() {
    const { stage, player } = this;
    const { room } = stage.dataset;
    stage.setAttribute("data-being-drawn", "");
    try {
      player.paintNow(); // with each mark as a node, which can be drawn again
      const offset = player.drawnOffset;
      const at_s = (player.drawn_us / 1_000_000).toFixed(3);
      const title = `Offsetscope, room ${room}, at ${secondsInWords(player.drawn_us)}, journal offset ${offset}`;
      const root = pictureOf(/** @type {HTMLElement} */ (stage.querySelector(".screen")), { title });
      const svg = `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(root)}\n`;
      return { name: `offsetscope-${room}-${at_s}s-${offset}`, svg, width: Number(root.getAttribute("width")), height: Number(root.getAttribute("height")) };
    } finally {
      stage.removeAttribute("data-being-drawn");
    }
  }
}

/** @param {string} svg @param {{width: number, height: number}} size @returns {Promise<Blob>} */
async function pngOf(svg, { width, height }) {
  const image = new Image(width, height);
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await image.decode();
  const canvas = Object.assign(document.createElement("canvas"), { width: width * FINE, height: height * FINE });
  /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d")).drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser gave no PNG"))), "image/png"));
}

/** @param {Blob} blob @param {string} name */
function save(blob, name) {
  const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: name });
  link.click();
  window.setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
