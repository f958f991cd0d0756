"""The bytes of messages that are in memory only."""

from contextlib import suppress
from dataclasses import replace

import pytest

from engine.cluster.pending import MOST_PENDING_BYTES, pending_bytes
from engine.config import TINY
from engine.errors import WrongState
from tests.engine.conftest import MakeStage
from tests.support.clusters import Stage

BYTES = 900_000
LARGE = replace(TINY, max_message_bytes=1_000_000, segment_bytes=1 << 24)


def fill(stage: Stage) -> int:
    """Send until sending is refused; return the number of commands that were accepted."""
    accepted = 0
    with suppress(WrongState):
        while accepted < 100:
            stage.do("produce", count=1, size=BYTES)
            accepted += 1
    assert pending_bytes(stage.cluster.state) <= MOST_PENDING_BYTES
    return accepted


def suspend_nothing(stage: Stage) -> None:
    """Let no time pass, so that everything stays in flight."""


def slow_disk(stage: Stage) -> None:
    stage.do("set_disk", broker=1, delay_ms=60_000)


def slow_link(stage: Stage) -> None:
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, delay_ms=60_000)


def waiting_for_an_acknowledgement(stage: Stage) -> None:
    stage.do("set_producer", acknowledgement="broker", retries=100)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)


def full_queue(stage: Stage) -> None:
    stage.do("set_producer", sending="async", queue_messages=1, queue_full="block", linger_ms=60_000)


@pytest.mark.parametrize("hold", [suspend_nothing, slow_disk, slow_link, waiting_for_an_acknowledgement, full_queue])
def test_sending_is_refused_wherever_the_bytes_wait(make_stage: MakeStage, hold: object) -> None:
    stage = make_stage(LARGE, brokers=1).with_topic(1)
    hold(stage)  # type: ignore[operator]
    accepted = 0
    for _ in range(3):
        accepted += fill(stage)
        if hold is not suspend_nothing:
            stage.run_ms(10)
    assert MOST_PENDING_BYTES // BYTES - 2 <= accepted <= MOST_PENDING_BYTES // BYTES + 1


def test_what_has_been_appended_and_read_is_not_pending(make_stage: MakeStage) -> None:
    stage = make_stage(LARGE, brokers=1).with_topic(1)
    fill(stage)
    stage.run_ms(2_000)
    assert pending_bytes(stage.cluster.state) == 0
    stage.do("produce", count=1, size=BYTES)
