// @ts-check
/** The registry's flat nodes as the tree they are, with those who watch it. */
import { partyInWords } from "./troubles.js";

/**
 * @typedef {object} RegistryNode
 * @property {string} path
 * @property {string} name the last part of the path
 * @property {string} value
 * @property {string} client whose end makes the node vanish; "" for a persistent one
 * @property {string[]} watchers who wants to hear of a change in its children, as the stage calls them
 * @property {RegistryNode[]} children
 */

/**
 * @param {Record<string, any>} state
 * @returns {RegistryNode[]} the nodes at the top, each with those below it, in the order of their names
 */
export function registryTree({ registry, watches }) {
  /** @type {Map<string, RegistryNode>} */
  const nodes = new Map();
  /** @type {RegistryNode[]} */
  const top = [];
  /** @param {string} path @returns {RegistryNode} */
  const nodeAt = (path) => {
    const slash = path.lastIndexOf("/");
    // What a datacenter's nodes stand below (its chroot) is no node of its own.
    const [value, client] = registry[path] ?? ["", ""];
    const watchers = Object.values(watches[path] ?? {}).map((one) => partyInWords(/** @type {string} */ (one)));
    const node = { path, name: path.slice(slash + 1), value, client, watchers: [...new Set(watchers)].sort(), children: [] };
    nodes.set(path, node);
    const parent = path.slice(0, slash);
    (parent ? nodes.get(parent) ?? nodeAt(parent) : { children: top }).children.push(node);
    return node;
  };
  Object.keys(registry).sort().forEach(nodeAt);
  return top;
}

/** @param {RegistryNode} node @returns {string} what the pointer is told about it */
export function nodeInWords({ client, watchers }) {
  const held = client ? `held by ${partyInWords(client)}, and gone with it` : "";
  const watched = watchers.length ? `watched by ${watchers.join(", ")}` : "";
  return [held, watched].filter(Boolean).join("; ");
}
