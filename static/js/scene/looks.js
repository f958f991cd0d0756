// @ts-check
/**
 * Which colour and pattern a consumer has. They depend on its name and on which consumers were there first, never on
 * its place in the list, so that no consumer changes colour because another one left.
 *
 * The server renders the first picture with the same rule (templates/_partials/looks.html).
 *
 * @typedef {Record<string, any>} State
 * @typedef {ReadonlyMap<string, number>} Looks by "<group>/<consumer>", of all that were ever seen
 */

/** A group has so many shades; the style sheet gives each a pattern, and once more with another pattern. */
const SHADES = 4;
const LOOKS = 2 * SHADES;

/** @param {string} name @returns {number} what it would have if it were alone: Metrics A the first, Metrics B the second */
function wantedLook(name) {
  const letter = / ([A-Z])$/.exec(name);
  if (letter) return (letter[1].charCodeAt(0) - "A".charCodeAt(0)) % SHADES;
  return new TextEncoder().encode(name).reduce((sum, byte) => sum + byte, 0) % SHADES;
}

/** No shade is used twice while another one is free. @param {number} wanted @param {Set<number | undefined>} taken @returns {number | undefined} */
function freeLook(wanted, taken) {
  const looks = Array.from({ length: LOOKS }, (_, step) => ((wanted + step) % SHADES) + (step < SHADES ? 0 : SHADES));
  return looks.find((look) => !taken.has(look));
}

/** @param {State} state @param {Looks} before @returns {Looks} with those of consumers not seen before; the same if there are none */
export function looksOf(state, before) {
  const looks = new Map(before);
  for (const [group, { consumers }] of Object.entries(state.groups)) {
    for (const name of consumers) {
      const key = `${group}/${name}`;
      if (looks.has(key)) continue;
      const seen = [...looks].filter(([other]) => other.startsWith(`${group}/`)).map(([, look]) => look);
      const present = consumers.map((/** @type {string} */ one) => looks.get(`${group}/${one}`));
      const wanted = wantedLook(name);
      looks.set(key, freeLook(wanted, new Set(seen)) ?? freeLook(wanted, new Set(present)) ?? wanted);
    }
  }
  return looks.size === before.size ? before : looks;
}
