"""A broker that appends, flushes, answers, crashes and restarts."""

from dataclasses import replace

import pytest

from engine.config import MILLISECOND_US, TINY
from engine.errors import OffsetOutOfRange, UnknownPartition, WrongState
from engine.ids import BrokerId, TopicPartition
from engine.protocol.faults import error_name
from engine.protocol.requests import EARLIEST_MS, LATEST_MS
from tests.engine.conftest import MakeStage
from tests.support import broker_requests
from tests.support.broker_requests import offsets_before
from tests.support.clusters import Stage

P0 = TopicPartition("clicks", 0)


def fetch(stage: Stage, partition: TopicPartition, offset: int, max_bytes: int = 1_000_000) -> tuple[bytes, str]:
    broker = next(iter(stage.cluster.state.brokers.values()))
    response = broker_requests.fetch(broker, partition, offset, max_bytes)
    return response.body, error_name(response.error_code, *partition, offset)


def test_appended_bytes_are_invisible_until_the_flush_by_time(make_stage: MakeStage) -> None:
    config = replace(TINY, flush_messages=1000, flush_interval_us=3_000_000, flush_check_interval_us=3_000_000)
    stage = make_stage(config, brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "test"}])
    stage.run_ms(10)
    assert fetch(stage, P0, 0) == (b"", "")  # case 23
    assert fetch(stage, P0, 13) == (b"", "offset_out_of_range")
    stage.run_ms(3_000)
    assert len(fetch(stage, P0, 0)[0]) == 13
    assert stage.partition()["flushed_offset"] == 13


def test_a_flush_by_count_makes_everything_visible_at_once(make_stage: MakeStage) -> None:
    stage = make_stage(replace(TINY, flush_interval_us=10**9, flush_check_interval_us=10**9), brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    for number in range(3):
        stage.do("produce", records=[{"value": "test"}])
        stage.run_ms(5)
        assert len(fetch(stage, P0, 0)[0]) == (39 if number == 2 else 0)  # case 22
    assert [event["flushed_offset"] for event in stage.events("log_flushed")] == [39]


def test_an_unknown_topic_is_empty_and_a_request_for_it_creates_no_log(stage: Stage) -> None:
    # case 15
    stage.with_topic()
    nobody = TopicPartition("nobody", 0)
    broker = stage.cluster.state.brokers[BrokerId(1)]
    assert fetch(stage, nobody, 0) == (b"", "")
    assert offsets_before(broker, nobody, LATEST_MS, 10) == (0,)
    assert offsets_before(broker, nobody, EARLIEST_MS, 10) == (0,)
    assert offsets_before(broker, nobody, stage.cluster.now_us // MILLISECOND_US, 10) == ()
    assert not list(stage.directory.rglob("nobody*"))


def test_a_partition_that_the_topic_does_not_have_on_this_broker_is_an_error(stage: Stage) -> None:
    # case 36
    stage.with_topic()
    broker = stage.cluster.state.brokers[BrokerId(1)]
    for number in (-1, 1, 3):
        assert fetch(stage, TopicPartition("clicks", number), 0) == (b"", "unknown_partition")
        with pytest.raises(UnknownPartition):
            offsets_before(broker, TopicPartition("clicks", number), LATEST_MS, 10)
    assert fetch(stage, TopicPartition("nobody", -1), 0) == (b"", "unknown_partition")
    assert fetch(stage, P0, -1) == (b"", "offset_out_of_range")


def test_offsets_before_a_time_are_those_of_segments_newest_first(make_stage: MakeStage) -> None:
    stage = make_stage(replace(TINY, segment_bytes=100, flush_messages=1), brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    times = []
    for _ in range(20):
        stage.do("produce", records=[{"value": "abc"}])  # 12 bytes on disk
        stage.run_ms(5)
        times.append(stage.cluster.now_us // MILLISECOND_US)
    broker = next(iter(stage.cluster.state.brokers.values()))
    assert offsets_before(broker, P0, LATEST_MS, 10) == (240, 216, 108, 0)  # case 13
    assert offsets_before(broker, P0, EARLIEST_MS, 10) == (0,)
    assert offsets_before(broker, P0, times[-1], 2) == (240, 216)
    assert offsets_before(broker, P0, times[10], 10) == (0,)
    assert offsets_before(broker, P0, 0, 10) == ()
    assert len(fetch(stage, P0, 0)[0]) == 108  # case 17: a read stops where the segment does
    assert len(fetch(stage, P0, 216)[0]) == 24


def test_a_broker_registers_its_partitions_of_a_topic_with_the_first_message(stage: Stage) -> None:
    stage.do("add_topic", topic="clicks", partitions=3)
    stage.run_ms(20)
    assert "/brokers/topics/clicks/1" not in stage.cluster.snapshot()["registry"]
    stage.do("produce", count=1)
    stage.run_ms(20)
    registry = stage.cluster.snapshot()["registry"]
    assert registry["/brokers/topics/clicks/1"] == ["0", "broker:1"]
    assert "/brokers/topics/clicks/2" not in registry


def test_a_clean_stop_loses_nothing_and_removes_the_ephemeral_nodes_at_once(stage: Stage) -> None:
    stage.with_topic()
    stage.do("produce", records=[{"value": "kept"}])
    stage.run_ms(1.5)
    end = stage.partition(0)["next_offset"]
    stage.do("stop_broker", broker=1)
    stage.run_ms(2)
    assert "/brokers/ids/1" not in stage.cluster.snapshot()["registry"]
    stage.do("start_broker", broker=1)
    stage.run_ms(20)
    assert stage.partition(0)["flushed_offset"] == end
    assert "/brokers/ids/1" in stage.cluster.snapshot()["registry"]
    assert stage.events("log_cut") == []


def test_a_crash_loses_exactly_the_unflushed_bytes_and_messages(make_stage: MakeStage) -> None:
    stage = make_stage(
        replace(TINY, flush_messages=100, flush_interval_us=10**9, flush_check_interval_us=10**9), brokers=1
    )
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "x" * 300}])  # over segment_bytes: the next append rolls and so flushes it
    stage.run_ms(5)
    stage.do("produce", records=[{"value": "gone"}, {"value": "too"}])
    stage.run_ms(5)
    assert stage.partition()["flushed_offset"] == 309
    stage.do("crash_broker", broker=1)
    (cut,) = stage.events("log_cut")
    assert (cut["cause"], cut["next_offset"], cut["bytes_cut"], cut["messages_cut"]) == ("crash", 309, 13 + 12, 2)
    with pytest.raises(WrongState):
        stage.cluster.read_log("clicks", 0, 0, 100)
    stage.run_ms(200)
    stage.do("start_broker", broker=1)
    stage.run_ms(50)
    assert stage.partition()["next_offset"] == 309
    assert stage.cluster.facts()["topics"][0]["events_appended"] == 1
    stage.do("produce", records=[{"value": "after"}])
    stage.run_ms(5)
    assert stage.partition()["message_offsets"] == [0, 309]


def test_a_broker_that_returns_before_its_session_expired_ends_up_registered(stage: Stage) -> None:
    stage.with_topic()
    stage.do("crash_broker", broker=1)
    stage.do("start_broker", broker=1)
    stage.run_ms(500)
    registry = stage.cluster.snapshot()["registry"]
    assert registry["/brokers/ids/1"][1] == "broker:1"
    assert registry["/brokers/topics/clicks/1"] == ["0", "broker:1"]


def test_recovery_after_a_crash_truncates_the_log_at_the_first_damaged_message(make_stage: MakeStage) -> None:
    stage = make_stage(replace(TINY, flush_messages=1), brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    for value in ("aa", "bb", "cc"):
        stage.do("produce", records=[{"value": value}])
        stage.run_ms(5)
    stage.do("corrupt", partition=0, offset=11)
    stage.do("crash_broker", broker=1)
    stage.do("start_broker", broker=1)
    (cut,) = stage.events("log_cut")
    assert (cut["cause"], cut["next_offset"], cut["messages_cut"]) == ("recovery", 11, 2)  # case 26


def test_reading_a_log_returns_the_bytes_that_a_fetch_would_return(stage: Stage) -> None:
    stage.with_topic()
    assert stage.cluster.read_log("clicks", 0, 0, 1000).endswith(b"first of 0")
    with pytest.raises(OffsetOutOfRange):
        stage.cluster.read_log("clicks", 0, 10_000, 10)
