"""The registry's data: nodes with values, some of them tied to a session, and the watches on them.

State and its rules only: :mod:`engine.registry.server` decides when things happen and notifies clients.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from engine.errors import NodeExists, NoNode

PERSISTENT = 0


@dataclass(slots=True)
class Node:
    """One node of the tree; ``session`` is ``PERSISTENT`` or the session that it is deleted with."""

    value: str
    session: int


class Tree:
    """The nodes by path, and for every path the sessions with a one-time watch on its children."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._children: dict[str, dict[str, None]] = {"": {}}
        self._child_watches: dict[str, dict[int, None]] = {}

    def __contains__(self, path: str) -> bool:
        return path in self._nodes

    def __iter__(self) -> Iterator[tuple[str, Node]]:
        return iter(sorted(self._nodes.items()))

    def get(self, path: str) -> Node:
        """The node at ``path``; :class:`NoNode` if there is none."""
        if path not in self._nodes:
            raise NoNode(f"the registry has no node {path}", "read its parent's children first", path=path)
        return self._nodes[path]

    def children(self, path: str) -> tuple[str, ...]:
        """The names of the nodes below ``path``, sorted as text; none if ``path`` does not exist."""
        return tuple(sorted(self._children.get(path, ())))

    def create(self, path: str, value: str, session: int) -> list[str]:
        """Add a node, and persistent empty parents where they are missing; return the paths created, parents first.

        Raises :class:`NodeExists`, with the value of the existing node.
        """
        if path in self._nodes:
            raise NodeExists(
                f"the registry node {path} exists",
                "wait until its holder is gone",
                path=path,
                value=self._nodes[path].value,
            )
        created = []
        parent, _, name = path.rpartition("/")
        if parent and parent not in self._nodes:
            created += self.create(parent, "", PERSISTENT)
        self._nodes[path] = Node(value, session)
        self._children[path] = {}
        self._children[parent][name] = None
        return [*created, path]

    def set(self, path: str, value: str) -> None:
        """Give an existing node a new value."""
        self.get(path).value = value

    def delete(self, path: str) -> None:
        """Remove a node without children."""
        self.get(path)
        assert not self._children[path], f"{path} has children"
        parent, _, name = path.rpartition("/")
        del self._nodes[path], self._children[path], self._children[parent][name]

    def ephemerals(self, session: int) -> list[str]:
        """The paths of a session's ephemeral nodes, in order of creation."""
        return [path for path, node in self._nodes.items() if node.session == session]

    def watch_children(self, path: str, session: int) -> bool:
        """Set a session's one-time watch on the children of ``path``; return whether it is new."""
        watchers = self._child_watches.setdefault(path, {})
        is_new = session not in watchers
        watchers[session] = None
        return is_new

    def take_watchers(self, path: str) -> list[int]:
        """Remove and return the sessions that watch the children of ``path``, since a watch fires once."""
        return list(self._child_watches.pop(path, {}))

    def drop_watches(self, session: int) -> None:
        """Remove a session's watches."""
        for watchers in self._child_watches.values():
            watchers.pop(session, None)

    def watches(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """Every path whose children are watched, and the sessions that watch them."""
        return ((path, tuple(watchers)) for path, watchers in self._child_watches.items() if watchers)

    def watchers(self, path: str) -> tuple[int, ...]:
        """The sessions that watch the children of ``path``."""
        return tuple(self._child_watches.get(path, ()))
