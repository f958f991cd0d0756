"""The registry's data."""

import pytest

from engine.errors import NodeExists, NoNode
from engine.registry.tree import PERSISTENT, Tree


def test_missing_parents_are_created_persistent_and_reported_first() -> None:
    tree = Tree()
    assert tree.create("/a/b/c", "v", 7) == ["/a", "/a/b", "/a/b/c"]
    assert [(path, node.session) for path, node in tree] == [("/a", PERSISTENT), ("/a/b", PERSISTENT), ("/a/b/c", 7)]


def test_a_node_is_created_once_and_the_refusal_gives_its_value() -> None:
    tree = Tree()
    tree.create("/a", "first", 1)
    with pytest.raises(NodeExists) as refusal:
        tree.create("/a", "second", 2)
    assert refusal.value.fields == {"path": "/a", "value": "first"}


def test_a_missing_node_cannot_be_read_set_or_deleted() -> None:
    tree = Tree()
    for ask in (lambda: tree.get("/a"), lambda: tree.set("/a", "v"), lambda: tree.delete("/a")):
        with pytest.raises(NoNode):
            ask()
    assert tree.children("/a") == ()


def test_the_ephemeral_nodes_of_a_session_are_only_its_own() -> None:
    tree = Tree()
    tree.create("/a", "", 1)
    tree.create("/b", "", 2)
    tree.create("/c", "", 1)
    assert tree.ephemerals(1) == ["/a", "/c"]


def test_a_watch_fires_once_and_ends_with_its_session() -> None:
    tree = Tree()
    tree.watch_children("/a", 1)
    tree.watch_children("/a", 2)
    tree.watch_children("/a", 2)
    tree.drop_watches(1)
    assert tree.watchers("/a") == (2,)
    assert tree.take_watchers("/a") == [2]
    assert tree.take_watchers("/a") == []
