// @ts-check
/** The registry's tree: a node of the page for each node of the registry, and a mark where its children are watched. */
import { nodeInWords, registryTree } from "../scene/registry.js";
import { isNews, keep, part, setAttribute, setShown, setText } from "./nodes.js";

/** @typedef {import("../scene/registry.js").RegistryNode} RegistryNode */

/** @param {HTMLElement} tree @param {Record<string, any>} state */
export function paintRegistry(tree, state) {
  if (isNews(tree, [state.registry, state.watches])) paintBranch(tree, registryTree(state));
}

/** @param {HTMLElement} list @param {RegistryNode[]} nodes */
function paintBranch(list, nodes) {
  keep(list, nodes, {
    template: "node", attribute: "data-path", key: ({ path }) => path,
    fill: (item, node) => {
      item.classList.toggle("ephemeral", node.client !== "");
      setAttribute(item, "title", nodeInWords(node));
      setText(part(item, "name"), node.name);
      paintValue(item, node.value);
      setShown(part(item, "watch"), { hidden: node.watchers.length === 0 });
      setText(part(item, "watchers"), node.watchers.length);
      paintBranch(part(item, "children"), node.children);
    },
  });
}

/** A new value is marked as a new node is. @param {HTMLElement} item @param {string} value */
function paintValue(item, value) {
  const shown = part(item, "value");
  if (shown.textContent === value) return;
  const was = item.hasAttribute("data-value-fresh");
  shown.textContent = value;
  item.toggleAttribute("data-value-fresh", !was);
  item.toggleAttribute("data-value-fresh-again", was);
}
