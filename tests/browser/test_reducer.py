"""The reducer against the engine: a journal folded up to a checkpoint gives the checkpoint's state."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from playwright.sync_api import Page

from engine.events.catalog import EVENT_CLASSES
from tests.browser.conftest import ServerProcess
from tests.support.folding import (
    Event,
    event_names_before_the_last_checkpoint,
    journal_of_a_cluster,
    journal_of_a_deployment,
)

SEEDS = (1, 2, 3)
JOURNALS: dict[str, Callable[[Path], list[Event]]] = {
    **{f"cluster {seed}": partial(journal_of_a_cluster, seed=seed) for seed in SEEDS},
    **{f"deployment {seed}": partial(journal_of_a_deployment, seed=seed) for seed in SEEDS},
}

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


@pytest.mark.slow
@pytest.mark.parametrize("name", JOURNALS)
def test_a_folded_journal_equals_every_checkpoint_of_the_engine(
    page: Page, server: ServerProcess, tmp_path: Path, name: str
) -> None:
    page.goto(f"{server.base_url}/healthz")
    address = f"{server.base_url}/static/js/state/reduce.js"
    result = page.evaluate(FOLD, {"address": address, "events": JOURNALS[name](tmp_path)})
    assert result["first"] == []
    assert result["compared"] > 8


@pytest.mark.slow
def test_the_folded_journals_contain_every_kind_of_event(tmp_path: Path) -> None:
    names = {
        name
        for number, make in enumerate(JOURNALS.values())
        for name in event_names_before_the_last_checkpoint(make(tmp_path / str(number)))
    }
    assert sorted(EVENT_CLASSES.keys() - names) == []


def test_the_reducer_does_not_change_earlier_states(page: Page, server: ServerProcess, tmp_path: Path) -> None:
    """The history keeps a state for each instant, and a later event may not change it."""
    events = journal_of_a_cluster(tmp_path, 4)[:1_500]
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
