// @ts-check
/** The room's journal over plain HTTP: a chapter that shows a moment of the past, and the marks for the time bar. */

/**
 * @typedef {import("../state/chapters.js").ChapterAnswer} ChapterAnswer
 * @typedef {import("../state/marks.js").Mark} Mark
 * @typedef {{at_us: number} | {journal_offset: number}} Moment
 */

/** An error of the server or of the connection: a message, and a remedy. */
export class Refusal extends Error {
  /** @param {{code: string, message: string, remedy: string}} error */
  constructor({ code, message, remedy }) {
    super(message);
    this.code = code;
    this.remedy = remedy;
  }
}

const UNREACHABLE = { code: "unreachable", message: "the past cannot be read just now", remedy: "the connection will be tried again" };

export class JournalReader {
  /** @param {string} address of the room in the API */
  constructor(address) {
    this.address = `${address}/journal`;
  }

  /** A whole chapter: that of a flood comes in several answers. @param {Moment} moment @returns {Promise<ChapterAnswer>} */
  async chapter(moment) {
    const first = await this.#part(moment, 0);
    const parts = [first];
    let last = first;
    // The newest chapter grows meanwhile: events added since the first answer are not waited for.
    for (let at = -1; last.next_offset > at && last.next_offset < (last.is_last ? first : last).end_offset; ) {
      at = last.next_offset;
      last = await this.#part({ journal_offset: first.end_offset }, at);
      parts.push(last);
    }
    const { next_offset, complete_until_us, is_last } = last;
    const end_offset = is_last ? next_offset : last.end_offset;
    const [events, sizes] = [parts.flatMap((part) => part.events), parts.flatMap((part) => part.sizes)];
    return { ...first, next_offset, end_offset, complete_until_us, is_last, events, sizes };
  }

  /** @param {Moment} moment @param {number} from_offset @returns {Promise<ChapterAnswer>} */
  #part(moment, from_offset) {
    const fields = Object.entries(from_offset ? { ...moment, from_offset } : moment);
    return this.#get(`${this.address}?${new URLSearchParams(fields.map(([name, value]) => [name, String(value)]))}`);
  }

  /** @param {number} from_offset @returns {Promise<{kinds: string[], moments: Mark[], end_offset: number}>} */
  notable(from_offset) {
    return this.#get(`${this.address}/notable?from_offset=${from_offset}`);
  }

  /** @param {string} address @returns {Promise<any>} */
  async #get(address) {
    let answer;
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      answer = await response.json();
      if (response.ok) return answer;
    } catch {
      throw new Refusal(UNREACHABLE);
    }
    throw new Refusal(answer);
  }
}
