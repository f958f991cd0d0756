// @ts-check
/** The registry's nodes as a tree, with their watchers. */
import { partyInWords } from "./troubles.js";

/**
 * @typedef {object} RegistryNode
 * @property {string} path
 * @property {string} name the last part of the path
 * @property {string} value
 * @property {string} client whose session holds the ephemeral node; "" for a persistent one
 * @property {string[]} watchers the clients that watch its children, as the stage calls them
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

/** @param {RegistryNode} node @returns {string} its tooltip */
export function nodeInWords({ client, watchers }) {
  const held = client ? `held by ${partyInWords(client)}, and removed with its session` : "";
  const watched = watchers.length ? `watched by ${watchers.join(", ")}` : "";
  return [held, watched].filter(Boolean).join("; ");
}
