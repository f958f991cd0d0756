"""States are folded on demand, many events in one go: the same as event by event, and much cheaper."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from engine.commands import apply, parse_command
from engine.journal.journal import Journal
from engine.scenarios import build
from tests.browser.conftest import ServerProcess

MODULES = """
const { Folding } = await import("/static/js/state/folding.js");
const { inOneGo, withKey, withoutKey, withChange } = await import("/static/js/state/persistent.js");
const { reduce } = await import("/static/js/state/reduce.js");
const folded = (state, steps) => {
    const folding = new Folding(state);
    steps.forEach((events) => folding.add(events));
    return folding;
};
"""


@pytest.fixture
def run(page: Page, server: ServerProcess) -> Any:
    """A function that runs a piece of JavaScript beside the modules and returns its result."""
    page.goto(f"{server.base_url}/healthz")
    return lambda script, given=None: page.evaluate(f"async (given) => {{ {MODULES} {script} }}", given)


def flood(directory: Path, *, messages_a_second: int, seconds: float) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the first state of a room, and the events of a flood in it."""
    journal = Journal.open(directory / "journal")
    cluster = build("pageviews", directory=directory / "cluster", seed=1, journal=journal, start_us=0, cause="start")
    command = {"command": "set_producer", "rate_per_second": messages_a_second, "batch_messages": 3}
    apply(cluster, parse_command({**command, "queue_messages": 4_000}))
    cluster.run_until(int(seconds * 1_000_000))
    chunk = journal.read(0, cluster.publish())
    cluster.close()
    journal.close()
    events = [json.loads(payload) for payload in chunk.payloads]
    return events[0]["state"], [event for event in events if event["event"] != "checkpoint"]


def test_a_folded_state_of_a_flood_equals_the_state_reduced_event_by_event(run: Any, tmp_path: Path) -> None:
    state, events = flood(tmp_path, messages_a_second=2_000, seconds=1.5)
    assert len(events) > 1_500
    differing, shared = run(
        """const one_by_one = [given.state];
        for (const event of given.events) one_by_one.push(reduce(one_by_one[one_by_one.length - 1], event));
        const encoded = one_by_one.map((state) => JSON.stringify(state));
        const folding = folded(given.state, given.events.map((event) => [event]));
        const numbers = [700, 3, 699, 1500, 0, 256, 257, 255, 701, 1500];
        const differing = numbers.filter((number) => JSON.stringify(folding.at(number)) !== encoded[number + 1]);
        const once_more = one_by_one.filter((state, index) => JSON.stringify(state) !== encoded[index]).length;
        return [[...differing, once_more], folding.at(700) === folding.at(700)];""",
        {"state": state, "events": events},
    )
    assert differing == [0]
    assert shared, "a state that is asked for again is the same object"


def test_in_one_go_each_object_is_copied_once_and_earlier_objects_are_unchanged(run: Any) -> None:
    assert run("""const before = { a: { n: 1 }, b: { n: 2 } };
        const [first, last] = inOneGo(() => {
            const first = withKey(before, "c", { n: 3 });
            return [first, withoutKey(withChange(first, "a", { n: 9 }), "b")];
        });
        const after = withKey(last, "d", { n: 4 });
        return [before, first === last, last, after === last, after]""") == [
        {"a": {"n": 1}, "b": {"n": 2}},
        True,
        {"a": {"n": 9}, "c": {"n": 3}},
        False,
        {"a": {"n": 9}, "c": {"n": 3}, "d": {"n": 4}},
    ]


def test_few_states_of_a_flood_are_kept(run: Any, tmp_path: Path) -> None:
    """Each state has thousands of messages in flight."""
    state, events = flood(tmp_path, messages_a_second=2_000, seconds=1.5)
    kept, recent = run(
        """const folding = folded(given.state, given.events.map((event) => [event]));
        given.events.forEach((_event, number) => folding.at(number));
        return [folding.kept.size, folding.recent.size];""",
        {"state": state, "events": events},
    )
    assert kept <= 2 + len(events) / 256
    assert recent <= 32
