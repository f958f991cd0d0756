"""The reducer against the engine, with two datacenters, a warehouse and an audit in the room."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from playwright.sync_api import Page

from engine.errors import OffsetscopeError
from tests.browser.conftest import ServerProcess
from tests.browser.test_reducer import FOLD
from tests.support.clusters import payloads
from tests.support.deployments import SMALL, Deployed

ACTS = 120


def some_act(deployed: Deployed, chance: Random) -> None:
    """One of everything that can be done to the pattern, at random."""
    acts: list[tuple[str, dict[str, Any]]] = [
        ("produce", {"topic": "pageviews", "count": chance.randint(1, 9)}),
        ("produce", {"topic": "pageviews", "count": chance.randint(1, 9)}),
        ("crash_loader", {}),
        ("start_loader", {}),
        ("crash_consumer", {"group": "Mirror", "consumer": "A"}),
        ("stop_consumer", {"group": "Mirror", "consumer": "B"}),
        ("add_consumer", {"group": "Mirror", "consumer": "A"}),
        ("add_consumer", {"group": "Mirror", "consumer": "B"}),
        ("crash_broker", {"broker": chance.choice([2, 11, 12])}),
        ("start_broker", {"broker": chance.choice([2, 11, 12])}),
        ("add_group", {"group": f"group {chance.randrange(9)}", "topic": "live.pageviews"}),
        ("set_link", {"from": "loader:Loader", "to": "broker:12", "loss_percent": 50}),
        ("set_link", {"from": "auditor:live", "to": "broker:1", "delay_ms": 50}),
        ("set_link", {"from": "mirror:Mirror/A", "to": "broker:13", "cut": True}),
        ("heal_links", {}),
        ("expire_session", {"client": "mirror:Mirror/A"}),
        ("expire_session", {"client": "broker:12"}),
    ]
    command, fields = chance.choice(acts)
    deployed.do(command, **fields)


def journal_of_random_acts(directory: Path, seed: int) -> Iterator[dict[str, Any]]:
    deployed = Deployed(directory, replace(SMALL, checkpoint_every_bytes=6_000), seed, mirrors=("A", "B"))
    chance = Random(seed)
    for _ in range(ACTS):
        try:
            some_act(deployed, chance)
        except OffsetscopeError:
            continue  # not possible just now
        finally:
            deployed.run_ms(chance.choice([1, 3, 20, 60]))
            deployed.cluster.publish()
    yield from (json.loads(payload) for payload in payloads(deployed.journal))
    deployed.cluster.close()
    deployed.journal.close()


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_folded_journal_of_the_pattern_equals_every_checkpoint_of_the_engine(
    page: Page, server: ServerProcess, tmp_path: Path, seed: int
) -> None:
    events = list(journal_of_random_acts(tmp_path, seed))
    told = {event["event"] for event in events}
    assert told >= {
        "load_committed",
        "loader_crashed",
        "audit_counted",
        "latency_measured",
        "batch_mirrored",
        "pull_failed",
    }
    page.goto(f"{server.base_url}/healthz")
    address = f"{server.base_url}/static/js/state/reduce.js"
    result = page.evaluate(FOLD, {"address": address, "events": events})
    assert result["first"] == []
    assert result["compared"] > 20
