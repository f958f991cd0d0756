"""A broker's logs as virtual time passes: retention, rolls by age, clean stops, and the events about them."""

import json
from dataclasses import replace

import pytest

from engine.cluster.message_index import MessageIndex
from engine.config import DEMO, MILLISECOND_US, NEVER_US, PAPER, SECOND_US, TINY
from engine.protocol.requests import EARLIEST_MS
from engine.storage.log import Appended
from tests.engine.conftest import MakeStage
from tests.support.broker_requests import offsets_before
from tests.support.clusters import GROUP, Stage

AGEING = replace(TINY, flush_messages=1, segment_bytes=25, retention_us=100_000, retention_check_interval_us=10_000)
MARK = ".kafka_cleanshutdown"


def one_partition(make_stage: MakeStage, **changes: int) -> Stage:
    """Make a broker with an empty partition, under limits that a few messages reach."""
    stage = make_stage(replace(AGEING, **changes), brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    return stage


def send(stage: Stage, *values: str) -> None:
    """Send one message after the other, 5 ms apart; the first two of "test" fill a segment."""
    for value in values:
        stage.do("produce", records=[{"value": value}])
        stage.run_ms(5)


def files(stage: Stage) -> list[str]:
    return sorted(path.name for path in (stage.directory / "broker-1" / "clicks-0").iterdir())


def test_old_segments_are_deleted_with_their_entries_and_an_event_reports_it(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    send(stage, "test", "test", "test")
    stage.run_ms(50)
    send(stage, "test", "test")
    assert stage.events("segment_deleted") == []
    stage.run_ms(55)
    (gone,) = stage.events("segment_deleted")
    assert (gone["topic"], gone["partition"], gone["base_offset"], gone["first_offset"]) == ("clicks", 0, 0, 26)
    assert files(stage) == ["00000000000000000026.kafka", "00000000000000000052.kafka"]
    state = stage.cluster.snapshot()["partitions"]["clicks-0"]
    assert (state["first_offset"], state["segments"]) == (26, [[26, 26], [52, 13]])
    assert [entry[0] for entry in state["entries"]] == [26, 39, 52]
    assert stage.partition()["message_offsets"] == [26, 39, 52]
    assert stage.cluster.facts()["topics"][0]["events_appended"] == 5


def test_when_all_segments_are_old_the_log_continues_in_an_empty_one(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    send(stage, "test", "test", "test")
    stage.run_ms(200)
    assert [event["first_offset"] for event in stage.events("segment_deleted")] == [26, 39]
    assert stage.events("segment_rolled")[-1]["base_offset"] == 39
    state = stage.cluster.snapshot()["partitions"]["clicks-0"]
    assert (state["first_offset"], state["next_offset"], state["segments"], state["entries"]) == (39, 39, [[39, 0]], [])
    send(stage, "test")
    assert stage.partition()["message_offsets"] == [39]
    stage.run_ms(50)
    assert len(stage.events("segment_deleted")) == 2


def test_a_log_over_its_size_loses_its_oldest_segments(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, retention_us=NEVER_US, retention_bytes=40)
    send(stage, *["test"] * 7)
    stage.run_ms(20)
    assert stage.partition()["first_offset"] == 26
    stage.run_ms(1000)
    assert stage.partition()["first_offset"] == 26


def test_a_segment_rolls_by_age_when_the_next_message_arrives(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, segment_bytes=1 << 20, roll_interval_us=50_000, retention_us=NEVER_US)
    send(stage, "test", "test")
    stage.run_ms(60)
    assert stage.events("segment_rolled") == []
    send(stage, "test")
    assert [event["base_offset"] for event in stage.events("segment_rolled")] == [26]


def test_a_consumer_whose_offset_was_deleted_restarts_at_the_smallest_offset(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, retention_us=500_000).with_group("A")
    send(stage, "test", "test", "test")
    stage.run_ms(200)
    stage.do("pause_consumer", group=GROUP, consumer="A")
    send(stage, *["test"] * 5)
    stage.run_ms(1000)
    assert stage.partition()["first_offset"] == 104 > stage.position()["committed_offset"]
    assert stage.position()["lag_bytes"] == 0
    assert stage.position()["lag_messages"] == 0
    stage.do("resume_consumer", group=GROUP, consumer="A")
    send(stage, "test")
    stage.run_ms(200)
    (reset,) = stage.events("offset_reset")
    assert reset["offset"] == stage.partition()["first_offset"] == 104
    assert stage.position()["committed_offset"] == stage.partition()["next_offset"]


def test_segment_ages_survive_a_clean_stop_and_a_crash(make_stage: MakeStage) -> None:
    for ending in ("stop_broker", "crash_broker"):
        stage = one_partition(make_stage)
        send(stage, "test", "test", "test")
        stage.do(ending, broker=1)
        stage.run_ms(200)
        assert stage.partition()["first_offset"] == 0
        stage.do("start_broker", broker=1)
        stage.run_ms(15)
        assert stage.partition()["first_offset"] == 39


def test_a_broker_that_is_down_deletes_nothing(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    send(stage, "test", "test", "test")
    stage.do("crash_broker", broker=1)
    stage.run_ms(1000)
    assert files(stage) == ["00000000000000000000.kafka", "00000000000000000026.kafka"]


def test_offsets_before_a_time_follow_virtual_time(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage, retention_us=NEVER_US)
    began_ms = stage.cluster.now_us // MILLISECOND_US
    send(stage, "test", "test", "test")
    now_ms = stage.cluster.now_us // MILLISECOND_US
    broker = next(iter(stage.cluster.state.brokers.values()))
    partition = stage.cluster.state.partition("clicks", 0)
    assert offsets_before(broker, partition, began_ms, 10) == ()
    assert offsets_before(broker, partition, began_ms + 9, 10) == (0,)
    assert offsets_before(broker, partition, now_ms, 10) == (39, 26, 0)
    assert offsets_before(broker, partition, EARLIEST_MS, 10) == (0,)


def test_a_clean_stop_writes_a_mark_and_the_next_start_removes_it(make_stage: MakeStage) -> None:
    stage = one_partition(make_stage)
    mark = stage.directory / "broker-1" / MARK
    send(stage, "test")
    stage.do("stop_broker", broker=1)
    assert mark.is_file()
    stage.do("start_broker", broker=1)
    assert not mark.exists()
    stage.do("crash_broker", broker=1)
    assert not mark.exists()


def test_damage_under_a_clean_shutdown_mark_is_found_by_the_consumer(make_stage: MakeStage) -> None:
    # case 27
    stage = one_partition(make_stage, segment_bytes=1000, retention_us=NEVER_US)
    send(stage, "aa", "bb", "cc")
    stage.do("corrupt", partition=0, offset=11)
    stage.do("stop_broker", broker=1)
    stage.do("start_broker", broker=1)
    stage.run_ms(50)
    assert stage.events("log_cut") == []
    assert stage.partition()["next_offset"] == 33
    stage.with_group("A")
    (rejected,) = stage.events("message_rejected")
    assert (rejected["offset"], rejected["error"]) == (11, "invalid_message")


def test_the_presets_have_the_retention_of_their_names() -> None:
    hour_us = 3600 * SECOND_US
    assert (PAPER.retention_us, PAPER.retention_check_interval_us) == (168 * hour_us, hour_us // 6)
    assert PAPER.roll_interval_us == 168 * hour_us
    assert (DEMO.retention_us, DEMO.retention_bytes) == (NEVER_US, 128 * 1024)


def test_a_cluster_with_retention_writes_the_same_events_on_every_run(make_stage: MakeStage) -> None:
    journals = []
    for _ in range(2):
        stage = one_partition(make_stage).with_group("A")
        for number in range(30):
            send(stage, "x" * number)
            stage.run_ms(number)
        journals.append(json.dumps(stage.events()))
    assert journals[0] == journals[1]
    assert '"segment_deleted"' in journals[0]


# --- the observer's notebook ----------------------------------------------------------------------------------------


def test_deleted_messages_count_as_appended_and_not_as_lag() -> None:
    message_index = MessageIndex()
    for batch in range(10):
        message_index.note(Appended(batch * 30, batch * 30 + 30, 2, (15, 15), -1, flushed=True), ("a", "b"), batch)
    assert message_index.forget(90) == 6
    assert (message_index.messages, message_index.recent[0][0]) == (20, 90)
    assert message_index.before(0, pytest.fail) == 6
    assert message_index.before(90, pytest.fail) == 6
    assert message_index.before(285, pytest.fail) == 19
    assert [message_index.appended_at_us(offset) for offset in (0, 90, 119, 120, 285)] == [3, 3, 3, 4, 9]
    assert message_index.forget(300) == 14
    assert message_index.before(0, pytest.fail) == 20
    assert message_index.cut(300, pytest.fail) == 0
