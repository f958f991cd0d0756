"""Which events may follow each other for one flight, by the journal's contract."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.simulation.checkers.flights import each_flight_ends_once
from engine.simulation.history import History
from engine.simulation.run import simulate

Event = dict[str, Any]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> History:
    """Make a run without its events and flights."""
    history = simulate(1, Path(tmp_path_factory.mktemp("run")) / "seed")
    return replace(history, events=[], state={**history.state, "flights": {}})


def event(name: str, number: int = 1, **fields: Any) -> Event:
    numbers = dict.fromkeys(("batch", "fetch", "multi_fetch", "commit", "watch"), number)
    return {"event": name, "due_us": 0, "error": "", **numbers, **fields}


def failed(reason: str) -> Event:
    return event("fetch_failed", reason=reason)


def lost(reason: str) -> Event:
    return event("batch_lost", reason=reason)


def dropped(flight: str) -> Event:
    return event("message_dropped", flight=flight)


FETCH, ANSWER, BATCH, QUEUED = (event(name) for name in ("fetch_sent", "fetch_answered", "batch_sent", "batch_queued"))
REFUSED = event("batch_acknowledged", error="invalid_message")
HEARD = event("acknowledgement_received", error="invalid_message")
COMMIT, LANDED = event("commit_sent"), event("commit_landed", reason="")
FIRED, DELIVERED = event("watch_fired"), event("watch_delivered")

NO_FAULT = {
    "a fetch is answered": [FETCH, ANSWER, event("fetch_received")],
    "an answer comes after the timeout": [FETCH, failed("timeout"), ANSWER, failed("stopped")],
    "a fetch is dropped, then times out": [FETCH, dropped("fetch:1"), failed("timeout")],
    "an answer is dropped, then the fetch times out": [FETCH, ANSWER, dropped("answer:1"), failed("timeout")],
    "a batch is appended": [BATCH, event("batch_appended")],
    "a batch waits for a disk": [BATCH, QUEUED, event("batch_appended")],
    "a batch is dropped, and lost with it": [BATCH, dropped("batch:1"), lost("not_delivered")],
    "a batch is refused, and lost for its sender": [BATCH, REFUSED, HEARD, lost("invalid_message")],
    "a batch times out, then is appended": [BATCH, lost("not_acknowledged"), event("batch_appended")],
    "a batch times out, then bounces": [BATCH, lost("not_acknowledged"), lost("broker_down")],
    "no broker is known": [lost("no_broker_available")],
    "a commit is sent twice and lands twice": [COMMIT, COMMIT, LANDED, LANDED],
    "a notice is dropped and repeated": [FIRED, dropped("watch:1"), DELIVERED],
}
TWICE = {
    "a fetch fails twice": [FETCH, failed("stopped"), failed("stopped")],
    "a fetch is dropped and fails at once": [FETCH, dropped("fetch:1"), failed("consumer_gone")],
    "a fetch times out twice": [FETCH, failed("timeout"), failed("timeout"), ANSWER, event("fetch_received")],
    "a fetch times out after its failure": [FETCH, failed("broker_down"), failed("timeout")],
    "an answer arrives that was never sent": [event("fetch_received")],
    "a fetch is sent twice": [FETCH, FETCH, ANSWER, event("fetch_received")],
    "a batch is lost twice": [BATCH, QUEUED, lost("broker_down"), lost("not_acknowledged")],
    "a batch is lost after its append": [BATCH, event("batch_appended"), lost("broker_down")],
    "a commit lands twice": [COMMIT, LANDED, LANDED],
    "a notice is delivered twice": [FIRED, DELIVERED, DELIVERED],
    "a message is dropped twice": [BATCH, dropped("batch:1"), dropped("batch:1")],
}


@pytest.mark.parametrize("events", NO_FAULT.values(), ids=NO_FAULT)
def test_each_flight_ends_once(empty: History, events: list[Event]) -> None:
    assert list(each_flight_ends_once(replace(empty, events=events))) == []


@pytest.mark.parametrize("events", TWICE.values(), ids=TWICE)
def test_a_second_end_is_found(empty: History, events: list[Event]) -> None:
    assert {anomaly.name for anomaly in each_flight_ends_once(replace(empty, events=events))} >= {"ended-twice"}


@pytest.mark.parametrize("events", [[FETCH], [FETCH, failed("timeout")], [BATCH, lost("not_acknowledged")]])
def test_a_flight_that_never_ends_is_found(empty: History, events: list[Event]) -> None:
    names = {anomaly.name for anomaly in each_flight_ends_once(replace(empty, events=events))}
    assert names == {"endless-flight", "forgotten-flight"}
