"""The one reducer against the engine: folded up to each checkpoint, a real journal gives the checkpoint's state."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Page

from engine.config import TINY
from engine.errors import OffsetscopeError
from tests.browser.conftest import ServerProcess
from tests.support.clusters import Stage as Cluster

ACTS = 150
NAMES = "abcde"
PARTITIONS = 4

FOLD = """async ({address, events}) => {
    const { reduce } = await import(address);
    const differences = (one, other, path) => {
        if (Object.is(one, other)) return [];
        const plain = [one, other].some((value) => typeof value !== "object" || !value);
        if (plain) return [`${path}: ${one} is not ${other}`];
        const keys = new Set([...Object.keys(one), ...Object.keys(other)]);
        return [...keys].flatMap((key) => Object.hasOwn(one, key) && Object.hasOwn(other, key)
            ? differences(one[key], other[key], `${path}/${key}`) : [`${path}/${key} is on one side only`]);
    };
    let [state, compared, first] = [undefined, 0, []];
    for (const event of events) {
        if (event.event !== "checkpoint") { state = reduce(state, event); continue; }
        if (state) {
            compared += 1;
            if (!first.length) first = differences(state, event.state, "");
        }
        state = event.state;
    }
    return {compared, first};
}"""


def some_act(cluster: Cluster, chance: Random, number: int) -> None:
    """One of everything that a person can do, at random."""
    name, partition = chance.choice(NAMES), chance.randrange(PARTITIONS)
    member: dict[str, Any] = {"group": "readers", "consumer": name}
    acts: list[tuple[str, dict[str, Any]]] = [
        ("produce", {"count": chance.randint(1, 9)}),
        ("produce", {"records": [{"key": f"key {number % 7}", "value": "\u00e9 <b>&amp;"}]}),
        ("set_producer", {"compression": chance.choice(["none", "gzip"])}),
        ("add_consumer", member),
        ("stop_consumer", member),
        ("crash_consumer", member),
        ("remove_consumer", member),
        ("pause_consumer", member),
        ("resume_consumer", member),
        ("set_consumer", {**member, "messages_per_second": chance.choice([5, 1000])}),
        ("seek", {"group": "readers", "partition": partition, "offset": chance.choice(["earliest", "latest"])}),
        ("commit", {"group": "readers"}),
        ("crash_broker", {"broker": chance.randint(1, 3)}),
        ("stop_broker", {"broker": chance.randint(1, 3)}),
        ("start_broker", {"broker": 1}),
        ("start_broker", {"broker": 2}),
        ("start_broker", {"broker": 3}),
        ("add_group", {"group": f"group {number}"}),
        ("add_topic", {"topic": f"topic-{number}", "partitions": 2}),
    ]
    command, fields = chance.choice(acts)
    cluster.do(command, **fields)


def journal_of_random_acts(directory: Path, seed: int) -> Iterator[dict[str, Any]]:
    config = replace(TINY, checkpoint_every_bytes=6_000)
    cluster = Cluster(directory, config, seed=seed).with_topic(PARTITIONS).with_group("a", "b", "c")
    cluster.do("set_producer", rate_per_second=150)
    chance = Random(seed)
    for number in range(ACTS):
        try:
            some_act(cluster, chance, number)
        except OffsetscopeError:
            continue  # not possible just now
        finally:
            cluster.run_ms(chance.choice([1, 3, 20, 80]))
            cluster.cluster.publish()
    offset = 0
    while offset < cluster.journal.end_offset:
        chunk = cluster.journal.read(offset, 1 << 20)
        yield from (json.loads(payload) for payload in chunk.payloads)
        offset = chunk.next_offset


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_folded_journal_equals_every_checkpoint_of_the_engine(
    page: Page, server: ServerProcess, tmp_path: Path, seed: int
) -> None:
    events = list(journal_of_random_acts(tmp_path, seed))
    page.goto(f"{server.base_url}/healthz")
    address = f"{server.base_url}/static/js/state/reduce.js"
    result = page.evaluate(FOLD, {"address": address, "events": events})
    assert result["first"] == []
    assert result["compared"] > 20


def test_the_old_state_stays_as_it_was(page: Page, server: ServerProcess, tmp_path: Path) -> None:
    """The history keeps a state for each instant; none may change behind its back."""
    events = list(journal_of_random_acts(tmp_path, 4))[:1_500]
    page.goto(f"{server.base_url}/healthz")
    changed = page.evaluate(
        """async ({address, events}) => {
            const { reduce } = await import(address);
            const freeze = (value) => {
                if (!value || typeof value !== "object" || Object.isFrozen(value)) return value;
                Object.values(Object.freeze(value)).forEach(freeze);
                return value;
            };
            let state = freeze(events[0].state);
            // modules are strict: to change what is frozen throws
            for (const event of events.slice(1)) state = freeze(reduce(state, freeze(event)));
            return state.at_us;
        }""",
        {"address": f"{server.base_url}/static/js/state/reduce.js", "events": events},
    )
    assert changed == events[-1]["at_us"]
