"""The work of a stream: what becomes of the work in hand when something else happens."""

from dataclasses import replace

import pytest

from engine.config import TINY
from tests.engine.conftest import MakeStage
from tests.support.clusters import GROUP, Stage, with_consumer


@pytest.fixture
def busy(make_stage: MakeStage) -> Stage:
    """Make a consumer whose positions move before the work, with the first of three messages in hand."""
    config = with_consumer(TINY, messages_per_second=10, position_moves="before", fetch_bytes=1000)
    stage = make_stage(replace(config, flush_messages=1), brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "test"}] * 3)
    stage.do("add_group", group=GROUP)
    stage.do("add_consumer", group=GROUP, consumer="A")
    stage.run_ms(60)
    assert offsets(stage, "messages_taken") == [13]
    assert offsets(stage, "messages_consumed") == []
    return stage


def offsets(stage: Stage, name: str) -> list[int]:
    return [event["next_offset"] for event in stage.events(name)]


def test_work_that_a_pause_interrupts_is_resumed_and_not_skipped(busy: Stage) -> None:
    busy.do("pause_consumer", consumer="A")
    busy.run_ms(500)
    assert offsets(busy, "messages_consumed") == []
    busy.do("resume_consumer", consumer="A")
    busy.run_ms(350)
    assert offsets(busy, "messages_consumed") == [13, 26, 39]


def test_a_slice_of_work_ends_under_the_settings_that_it_began_with(busy: Stage) -> None:
    busy.do("set_consumer", consumer="A", position_moves="after")
    busy.run_ms(350)
    assert [(event["offset"], event["next_offset"]) for event in busy.events("messages_consumed")] == [
        (0, 13),
        (13, 26),
        (26, 39),
    ]


def test_work_in_hand_whose_position_has_moved_is_finished_in_a_clean_close(busy: Stage) -> None:
    busy.do("stop_consumer", consumer="A")
    busy.run_ms(20)
    assert offsets(busy, "messages_consumed") == [13]
    assert busy.position()["committed_offset"] == 13
