"""The registry as nested nodes, for people who inspect it."""

from collections.abc import Sequence
from typing import Any

from engine.registry.server import RegistryServer


def registry_tree(registries: Sequence[RegistryServer]) -> dict[str, Any]:
    """Each node's path, value, the client that holds it, the clients that watch its children, and its children.

    The first registry is the root; those of other datacenters are below it, under their chroots.
    """
    root, *others = [_node(registry, "") for registry in registries]
    root["children"] += others
    return root


def _node(registry: RegistryServer, path: str) -> dict[str, Any]:
    tree = registry.tree
    node = tree.get(path) if path else None
    return {
        "path": registry.chroot + path or "/",
        "value": node.value if node else "",
        "client": registry.client_of(node.session) if node else "",
        "watchers": [registry.client_of(session) for session in tree.watchers(path)],
        "children": [_node(registry, f"{path}/{name}") for name in tree.children(path)],
    }
