// @ts-check
/**
 * A consumer of the room's journal: pulls from its own offset, pulls again before its credit is spent, and resumes
 * from the same offset after a break. Nothing else in the browser uses the socket.
 */

/** Bytes asked for in one pull; a new pull goes out when half of them have come. Digests count with their own bytes. */
const CREDIT_BYTES = 262_144;
const BACK_OFF_FIRST_MS = 400;
const BACK_OFF_LONGEST_MS = 8_000;
/** A feed that sends nothing for this long (its heartbeat is one second) counts as broken. */
const SILENCE_MS = 6_000;

/**
 * @typedef {{now_us: number, speed: number, paused: boolean, standing: boolean, full?: boolean, damage?: string}} ClockFrame
 * @typedef {{state?: Record<string, any>, patch?: Record<string, any>, exact?: boolean}} Digest what a frame carries instead of events
 * @typedef {{offset: number, next: number, end: number, events: any[], clock: ClockFrame, digest?: Digest}} Frame
 * @typedef {"connecting" | "live" | "reconnecting"} Connection
 * @typedef {{code: string, message: string, remedy: string, needed_bytes?: number}} WireError
 * @typedef {object} Reader
 * @property {(frame: Frame, fresh: boolean) => void} onFrame `fresh`: the first frame after a pull from a checkpoint; it holds a state
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
    this.spentBytes = 0;
    /** Whether what was read last is a summary: then events can not be folded onto it. */
    this.summary = false;
    this.backOffMs = BACK_OFF_FIRST_MS;
    this.fresh = true;
    this.silence = 0;
  }

  open() {
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.addEventListener("open", () => (this.summary ? this.#pullFresh() : this.#pull(this.next)));
    socket.addEventListener("message", (message) => this.#take(JSON.parse(message.data), message.data.length));
    socket.addEventListener("close", () => this.#reopen(socket));
    this.#listen();
  }

  /** @param {number | "checkpoint"} offset */
  #pull(offset) {
    if (this.socket?.readyState !== WebSocket.OPEN) return;
    this.fresh = offset === "checkpoint";
    this.spentBytes = 0;
    this.socket.send(JSON.stringify({ pull: offset, max_bytes: this.creditBytes, digest: true }));
  }

  /** Start again from a checkpoint, when events cannot be folded onto the known state. */
  #pullFresh() {
    this.next = "checkpoint";
    this.#pull("checkpoint");
  }

  /** @param {any} answer @param {number} bytes about as many as came */
  #take(answer, bytes) {
    this.#listen();
    if (answer.error) {
      this.#refused(answer.error);
      return;
    }
    /** @type {Frame} */
    const frame = answer;
    const fresh = this.fresh;
    if (!this.#follows(frame)) return;
    if (this.summary && frame.events.length && !fresh) {
      this.#pullFresh();
      return;
    }
    if (frame.digest || frame.events.length) this.summary = Boolean(frame.digest && !frame.digest.exact);
    this.fresh = false;
    this.next = frame.next;
    this.spentBytes += frame.digest ? bytes : frame.next - frame.offset;
    this.backOffMs = BACK_OFF_FIRST_MS;
    this.reader.onFrame(frame, fresh);
    this.reader.onConnection("live");
    const nextIsTooLarge = !frame.digest && !frame.events.length && frame.next < frame.end;
    if (nextIsTooLarge || this.spentBytes > this.creditBytes / 2) this.#pull(frame.next);
  }

  /**
   * Frames of an earlier pull may still arrive after a new one has gone out.
   * @param {Frame} frame @returns {boolean} whether it continues at our offset; after a gap the feed pulls again
   */
  #follows(frame) {
    if (this.fresh) return frame.events[0]?.event === "checkpoint" || Boolean(frame.digest?.state);
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
      this.#pullFresh();
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
