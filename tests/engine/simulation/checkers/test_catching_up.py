"""A lag at the end of a run is an anomaly, and the excuses are exactly those that the checker lists."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.simulation.checkers.catching_up import everything_catches_up
from engine.simulation.history import History
from engine.simulation.run import simulate

SEED = 7
Json = dict[str, Any]
Change = Callable[[Json, Json], None]
"""Changes the facts and the state at the end of a run."""


@pytest.fixture(scope="module")
def caught_up(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Make a run in which a group owns and has read everything."""
    history = simulate(SEED, Path(tmp_path_factory.mktemp("run")) / "seed")
    assert list(everything_catches_up(history)) == []
    return history


def names_after(history: History, *changes: Change) -> set[str]:
    facts, state = deepcopy(dict(history.facts)), deepcopy(dict(history.state))
    for change in changes:
        change(facts, state)
    return {anomaly.name for anomaly in everything_catches_up(replace(history, facts=facts, state=state))}


def read_position(facts: Json, state: Json) -> tuple[Json, Json, Json]:
    """Return the facts of a partition whose owner has read everything, its position, and the owner in the state."""
    for group in facts["groups"]:
        for place in group["partitions"]:
            partition = f"{place['topic']}-{place['partition']}"
            position = state["positions"].get(f"{group['group']}/{partition}", {"consumed_offset": -1})
            if position["consumed_offset"] == state["partitions"][partition]["next_offset"]:
                return place, position, state["consumers"][f"{group['group']}/{place['owner']}"]
    raise AssertionError("no group has read anything")


def fetches_nothing(facts: Json, state: Json) -> None:
    _, position, _ = read_position(facts, state)
    position["fetch_offset"] -= 1
    position["consumed_offset"] -= 1


def consumes_nothing(facts: Json, state: Json) -> None:
    _, position, consumer = read_position(facts, state)
    position["consumed_offset"] -= 1
    consumer["settings"]["commit_interval_ms"] = 0


def every_consumer_is_paused(facts: Json, state: Json) -> None:
    for consumer in state["consumers"].values():
        consumer["paused"] = True
        consumer["settings"]["commit_interval_ms"] = 0


def commits_behind(facts: Json, state: Json) -> None:
    place, position, consumer = read_position(facts, state)
    path = f"/consumers/{consumer['group']}/offsets/{place['topic']}/"
    where = state["partitions"][f"{place['topic']}-{place['partition']}"]
    state["registry"][f"{path}{where['broker']}-{where['partition']}"] = [str(position["consumed_offset"] - 1), ""]
    consumer["settings"]["commit_interval_ms"] = 10


def commits_by_hand(facts: Json, state: Json) -> None:
    for consumer in state["consumers"].values():
        consumer["settings"]["commit_interval_ms"] = 0


def rejects_without_a_reason(facts: Json, state: Json) -> None:
    _, position, _ = read_position(facts, state)
    position["error"] = "invalid_message"


def a_partition_has_no_owner(facts: Json, state: Json) -> None:
    place, _, _ = read_position(facts, state)
    place["owner"] = ""


def every_consumer_is(state_name: str, *, alive: bool = True) -> Change:
    def change(facts: Json, state: Json) -> None:
        for group in facts["groups"]:
            for consumer in group["consumers"]:
                consumer["state"], consumer["alive"] = state_name, alive

    return change


def a_broker_is_down(facts: Json, state: Json) -> None:
    facts["brokers"][0]["alive"] = False


def nothing_is_flushed(facts: Json, state: Json) -> None:
    for partition in state["partitions"].values():
        partition["flushed_offset"] = 0


def test_a_consumer_that_does_not_fetch_is_stranded_unless_it_is_paused(caught_up: History) -> None:
    assert names_after(caught_up, fetches_nothing) == {"stranded"}
    assert names_after(caught_up, fetches_nothing, every_consumer_is_paused) == set()


def test_a_consumer_that_does_not_consume_is_stranded_unless_it_is_paused(caught_up: History) -> None:
    assert names_after(caught_up, consumes_nothing) == {"stranded"}
    assert names_after(caught_up, consumes_nothing, every_consumer_is_paused) == set()


def test_a_consumer_that_does_not_commit_is_stranded_unless_it_commits_by_hand(caught_up: History) -> None:
    assert names_after(caught_up, commits_behind) == {"stranded"}
    assert names_after(caught_up, commits_behind, commits_by_hand) == set()


def test_a_consumer_that_rejects_what_it_never_received_is_stranded(caught_up: History) -> None:
    assert names_after(caught_up, rejects_without_a_reason) == {"stranded"}


def test_a_partition_without_an_owner_is_excused_by_a_failed_rebalance_of_its_group(caught_up: History) -> None:
    assert names_after(caught_up, a_partition_has_no_owner) == {"not-caught-up"}
    assert names_after(caught_up, a_partition_has_no_owner, every_consumer_is("failed")) == set()


def test_a_failed_rebalance_does_not_excuse_an_owner(caught_up: History) -> None:
    assert names_after(caught_up, fetches_nothing, every_consumer_is("failed")) == {"stranded"}


def test_a_group_without_a_running_consumer_is_excused(caught_up: History) -> None:
    gone = every_consumer_is("gone", alive=False)
    assert names_after(caught_up, fetches_nothing, a_partition_has_no_owner, gone) == set()


@pytest.mark.parametrize("state_name", ["joining", "rebalancing", "backing_off", "expired", "closing"])
def test_a_consumer_that_does_not_settle_is_stranded(caught_up: History, state_name: str) -> None:
    assert names_after(caught_up, every_consumer_is(state_name)) == {"stranded"}


@pytest.mark.parametrize("change", [a_broker_is_down, nothing_is_flushed])
def test_storage_that_is_behind_is_never_excused(caught_up: History, change: Change) -> None:
    assert names_after(caught_up, change, every_consumer_is("gone", alive=False)) == {"not-caught-up"}
