"""A producer that sends: partitions, sets, rates, losses."""

import pytest

from engine.config import TINY
from engine.errors import MessageTooLarge, NoBrokerAvailable, WrongState
from tests.engine.conftest import MakeStage
from tests.support.clusters import Stage, with_producer


def test_sets_without_a_key_go_round_robin_and_the_next_partition_is_announced(stage: Stage) -> None:
    stage.with_topic()
    shown = []
    for _ in range(4):
        shown.append(stage.next_append("clicks"))
        stage.do("produce", count=2)
    sent = stage.events("batch_sent")[-4:]
    assert [event["partition"] for event in sent] == shown == [0, 1, 2, 0]
    assert [event["next_append_partition"] for event in sent] == [1, 2, 0, 1]


def test_a_set_is_sent_and_appended_as_one(stage: Stage) -> None:
    stage.with_topic()
    before = stage.partition(0)["next_offset"]
    stage.do("produce", records=[{"value": "aa"}, {"value": "bbb"}])
    stage.run_ms(20)
    (appended,) = [
        event for event in stage.events("batch_appended") if event["offset"] == before and event["messages"] == 2
    ]
    assert appended["sizes"] == [11, 12]
    assert appended["previews"] == ["aa", "bbb"]
    assert stage.partition(0)["next_offset"] == before + 23


def test_a_key_always_goes_to_one_partition_and_does_not_advance_the_round_robin(stage: Stage) -> None:
    stage.with_topic()
    turn = stage.next_append("clicks")
    for number in range(6):
        stage.do("produce", key="test", value=str(number))
    keyed = [event for event in stage.events("batch_sent") if event["key"] == "test"]
    assert {event["partition"] for event in keyed} == {1}  # case 42
    assert stage.next_append("clicks") == turn


def test_keyed_records_of_one_command_are_sent_as_one_set_per_partition(stage: Stage) -> None:
    stage.with_topic()
    sent_before = len(stage.events("batch_sent"))
    stage.do("produce", records=[{"key": key, "value": "v"} for key in ("test", "user-1", "test")])
    sent = stage.events("batch_sent")[sent_before:]
    assert [(event["partition"], event["messages"]) for event in sent] == [(1, 2), (0, 1)]


def test_a_random_partitioner_sends_to_the_announced_partition(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(TINY, partitioner="random"))
    stage.do("add_topic", topic="clicks", partitions=5)
    seen = []
    for _ in range(30):
        shown = stage.next_append("clicks")
        stage.do("produce", count=1)
        seen.append(stage.events("batch_sent")[-1]["partition"])
        assert seen[-1] == shown
    assert set(seen) == {0, 1, 2, 3, 4}
    assert seen != sorted(seen)


def test_a_rate_produces_messages_that_are_sent_in_full_sets(stage: Stage) -> None:
    stage.with_topic()
    before = stage.cluster.facts()["topics"][0]["events_appended"]
    stage.do("set_producer", rate_per_second=300, batch_messages=5, linger_ms=1000)
    stage.run_ms(1000)
    stage.do("set_producer", rate_per_second=0)
    stage.run_ms(100)
    appended = stage.cluster.facts()["topics"][0]["events_appended"] - before
    assert 280 <= appended <= 300
    assert {event["messages"] for event in stage.events("batch_sent")[4:-1]} == {5}


def test_the_queue_is_reported_once_per_instant_however_many_messages_it_takes(stage: Stage) -> None:
    stage.with_topic()
    stage.do("set_producer", rate_per_second=2_000, batch_messages=7, linger_ms=1000)
    stage.run_ms(1000)
    reported = stage.events("producer_queue_changed")
    assert len(reported) > 10
    assert len({event["at_us"] for event in reported}) == len(reported)
    assert stage.cluster.snapshot()["producer_queue"]["queued"] == reported[-1]["queued"]


def test_a_lone_message_is_sent_when_it_has_lingered(stage: Stage) -> None:
    stage.with_topic()
    stage.do("set_producer", rate_per_second=1, batch_messages=100, linger_ms=200)
    stage.run_ms(1100)
    before = len(stage.events("batch_sent"))
    stage.run_ms(200)
    assert [event["messages"] for event in stage.events("batch_sent")[before:]] == [1]


def test_a_compressed_set_is_one_smaller_entry_with_all_its_messages(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(TINY, compression="gzip"))
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "same " * 40} for _ in range(10)])
    stage.run_ms(20)
    (appended,) = stage.events("batch_appended")
    assert appended["messages"] == 10
    assert len(appended["sizes"]) == 1
    assert appended["sizes"][0] < 10 * 200 / 4
    assert stage.cluster.facts()["topics"][0]["events_appended"] == 10


def test_one_message_that_is_too_large_stops_all_of_the_command(stage: Stage) -> None:
    stage.with_topic()
    before = len(stage.events())
    with pytest.raises(MessageTooLarge) as fault:
        stage.do("produce", records=[{"value": "fine"}, {"value": "x" * (TINY.max_message_bytes + 1)}])
    assert fault.value.fields["max_message_bytes"] == TINY.max_message_bytes
    assert len(stage.events()) == before


def test_sets_to_a_crashed_broker_are_lost_until_its_session_expires_and_it_is_skipped(stage: Stage) -> None:
    stage.with_topic()
    stage.do("crash_broker", broker=2)
    for _ in range(3):
        stage.do("produce", count=1)
    stage.run_ms(10)
    lost = stage.events("batch_lost")
    assert [(event["partition"], event["reason"]) for event in lost] == [(1, "broker_down")]
    stage.run_ms(100)
    for _ in range(3):
        stage.do("produce", count=1)
    assert [event["partition"] for event in stage.events("batch_sent")[-3:]] == [0, 2, 0]


def test_with_no_broker_in_the_registry_nothing_can_be_sent(make_stage: MakeStage) -> None:
    stage = make_stage(brokers=1)
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("stop_broker", broker=1)
    stage.run_ms(100)
    with pytest.raises(NoBrokerAvailable):
        stage.do("produce", count=1)


def test_the_number_of_sets_on_the_wire_is_bounded_while_time_does_not_advance(stage: Stage) -> None:
    stage.with_topic()
    for _ in range(1_000):
        stage.do("produce", count=1)
    with pytest.raises(WrongState) as fault:
        stage.do("produce", count=1)
    assert fault.value.fields["under_way"] == 1_000
    stage.run_ms(20)
    stage.do("produce", count=1)
