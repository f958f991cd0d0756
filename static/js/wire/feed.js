// @ts-check
/**
 * A consumer of the room's journal: pulls from its own offset, pulls again before its credit is spent, and resumes
 * from the same offset after a break. Nothing else in the browser knows the socket.
 */

/** Bytes asked for in one pull; a new pull goes out when half of them have come. */
const CREDIT_BYTES = 262_144;
const BACK_OFF_FIRST_MS = 400;
const BACK_OFF_LONGEST_MS = 8_000;
/** A feed that says nothing for this long (its heartbeat is one second) is taken for broken. */
const SILENCE_MS = 6_000;

/**
 * @typedef {{now_us: number, speed: number, paused: boolean, standing: boolean}} ClockFrame
 * @typedef {{offset: number, next: number, end: number, events: any[], clock: ClockFrame}} Frame
 * @typedef {"connecting" | "live" | "reconnecting"} Connection
 * @typedef {{code: string, message: string, remedy: string, needed_bytes?: number}} WireError
 * @typedef {object} Reader
 * @property {(frame: Frame, anew: boolean) => void} onFrame `anew`: the first frame after reading from a checkpoint
 * @property {(connection: Connection) => void} onConnection
 * @property {(error: WireError) => void} onError
 */

export class Feed {
  /** @param {string} address of the feed, absolute or not @param {Reader} reader */
  constructor(address, reader) {
    const url = new URL(address, window.location.href);
    url.protocol = url.protocol.replace("http", "ws");
    this.url = url.href;
    this.reader = reader;
    /** @type {number | "checkpoint"} */
    this.next = "checkpoint";
    this.creditBytes = CREDIT_BYTES;
    this.creditEnd = 0;
    this.backOffMs = BACK_OFF_FIRST_MS;
    this.anew = true;
    this.silence = 0;
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.addEventListener("open", () => this.#pull(this.next));
    socket.addEventListener("message", (message) => this.#take(JSON.parse(message.data)));
    socket.addEventListener("close", () => this.#reopen(socket));
    this.#listen();
  }

  /** @param {number | "checkpoint"} offset */
  #pull(offset) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.anew = offset === "checkpoint";
    this.creditEnd = offset === "checkpoint" ? Infinity : offset + this.creditBytes;
    this.socket.send(JSON.stringify({ pull: offset, max_bytes: this.creditBytes }));
  }

  /** @param {any} answer */
  #take(answer) {
    this.#listen();
    if (answer.error) {
      this.#refused(answer.error);
      return;
    }
    /** @type {Frame} */
    const frame = answer;
    const anew = this.anew;
    if (!this.#follows(frame)) return;
    if (anew) this.creditEnd = frame.offset + this.creditBytes;
    this.anew = false;
    this.next = frame.next;
    this.backOffMs = BACK_OFF_FIRST_MS;
    this.reader.onConnection("live");
    this.reader.onFrame(frame, anew);
    const nextIsTooLarge = !frame.events.length && frame.next < frame.end;
    if (nextIsTooLarge || frame.next > this.creditEnd - this.creditBytes / 2) this.#pull(frame.next);
  }

  /**
   * Frames of an earlier pull may still arrive after a new one has gone out.
   * @param {Frame} frame @returns {boolean} whether it goes on where we are; if it leaves something out, we ask again
   */
  #follows(frame) {
    if (this.anew) return frame.events[0]?.event === "checkpoint";
    if (frame.offset === this.next) return true;
    if (this.next !== "checkpoint" && frame.next > this.next) this.#pull(this.next);
    return false;
  }

  /** @param {WireError} error */
  #refused(error) {
    if (error.code === "credit_too_small" && error.needed_bytes) {
      this.creditBytes = 2 * error.needed_bytes;
      this.#pull(this.next);
      return;
    }
    if (/offset/.test(error.code) && this.next !== "checkpoint") {
      this.next = "checkpoint";
      this.#pull("checkpoint");
      return;
    }
    this.reader.onError(error);
  }

  #listen() {
    window.clearTimeout(this.silence);
    this.silence = window.setTimeout(() => this.socket?.close(), SILENCE_MS);
  }

  /** @param {WebSocket} socket */
  #reopen(socket) {
    if (socket !== this.socket) return;
    window.clearTimeout(this.silence);
    this.reader.onConnection("reconnecting");
    window.setTimeout(() => this.open(), this.backOffMs);
    this.backOffMs = Math.min(this.backOffMs * 2, BACK_OFF_LONGEST_MS);
  }
}
