"""A producer that asks for acknowledgements: retries, and the queue behind them."""

from itertools import groupby, pairwise

import pytest

from engine.config import TINY
from engine.errors import QueueFull, WrongState
from tests.engine.conftest import MakeStage
from tests.support.clusters import Stage, with_producer

ACKNOWLEDGED = with_producer(TINY, acknowledgement="broker")


def appended(stage: Stage) -> int:
    return int(stage.cluster.facts()["topics"][0]["events_appended"])


def values(stage: Stage) -> list[str]:
    """Return what was appended after a topic's first message, in order of the first append of each."""
    previews = [preview for event in stage.events("batch_appended")[1:] for preview in event["previews"]]
    return list(dict.fromkeys(previews))


def test_a_broker_sends_no_acknowledgement_unless_asked(stage: Stage) -> None:
    stage.with_topic(1)
    assert stage.events("batch_acknowledged") == []


def test_an_acknowledgement_travels_back_with_the_offset(make_stage: MakeStage) -> None:
    stage = make_stage(ACKNOWLEDGED).with_topic(1)
    offset = stage.partition()["next_offset"]
    stage.do("produce", count=2)
    stage.run_ms(1.5)
    assert "ack:2" in stage.cluster.snapshot()["flights"]
    stage.run_ms(5)
    assert stage.events("batch_acknowledged")[-1]["offset"] == offset
    assert stage.events("acknowledgement_received")[-1] | {"at_us": 0} == {
        "event": "acknowledgement_received",
        "at_us": 0,
        "batch": 2,
        "error": "",
        "client": "producer",
    }
    assert stage.cluster.snapshot()["flights"] == {}


def test_a_lost_set_is_sent_again_until_it_arrives(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(ACKNOWLEDGED, retries=3)).with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    stage.do("produce", count=1)
    stage.run_ms(40)
    assert [event["reason"] for event in stage.events("batch_lost")] == ["not_acknowledged"]
    stage.do("heal_links")
    stage.run_ms(60)
    assert appended(stage) == 2


def test_a_set_whose_acknowledgement_is_lost_is_appended_twice(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(ACKNOWLEDGED, retries=1)).with_topic(1)
    stage.do("produce", records=[{"value": "twice"}])
    stage.run_ms(1.1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    stage.run_ms(5)
    stage.do("heal_links")
    stage.run_ms(100)
    assert [event["previews"] for event in stage.events("batch_appended")[-2:]] == [["twice"], ["twice"]]


def test_a_set_that_reaches_a_crashed_broker_after_its_timeout_ends_there(make_stage: MakeStage) -> None:
    stage = make_stage(ACKNOWLEDGED).with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, delay_ms=60)
    stage.do("produce", count=1)
    stage.do("crash_broker", broker=1)
    stage.run_ms(50)
    assert [event["reason"] for event in stage.events("batch_lost")] == ["not_acknowledged"]
    assert list(stage.cluster.snapshot()["flights"]) == ["batch:2"]
    stage.run_ms(50)
    assert [event["reason"] for event in stage.events("batch_lost")] == ["not_acknowledged", "broker_down"]
    assert stage.cluster.snapshot()["flights"] == {}


def test_a_set_without_retries_left_is_not_sent_again(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(ACKNOWLEDGED, retries=2)).with_topic(1)
    stage.do("crash_broker", broker=1)
    stage.do("produce", count=1)
    stage.run_ms(40)
    assert [event["reason"] for event in stage.events("batch_lost")] == ["broker_down"] * 3
    stage.run_ms(200)
    assert len(stage.events("batch_sent")) == 1 + 3


def test_with_acknowledgements_a_batch_is_sent_after_the_one_before_is_acknowledged(make_stage: MakeStage) -> None:
    stage = make_stage(ACKNOWLEDGED).with_topic(1)
    stage.do("set_producer", rate_per_second=2_000, batch_messages=10, queue_full="block")
    stage.run_ms(1_000)
    stage.do("set_producer", rate_per_second=0)
    stage.run_ms(50)
    sent = stage.events("batch_sent")[1:-12]
    acknowledged = {event["batch"]: event["at_us"] for event in stage.events("acknowledgement_received")}
    for earlier, later in pairwise(sent):
        assert later["at_us"] >= acknowledged[earlier["batch"]]
    assert stage.cluster.snapshot()["producer_queue"]["dropped"] == 0


def test_a_rate_that_the_sender_cannot_keep_up_with_fills_the_queue_and_drops_the_rest(make_stage: MakeStage) -> None:
    stage = make_stage(ACKNOWLEDGED).with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, delay_ms=100)
    stage.do("set_producer", rate_per_second=1_000, batch_messages=10, queue_messages=20)
    stage.run_ms(500)
    counts = stage.cluster.snapshot()["producer_queue"]
    assert 10 <= counts["queued"] <= 20
    assert counts["dropped"] > 100
    assert stage.events("producer_queue_changed")[-1]["dropped"] == counts["dropped"]


def test_an_asynchronous_send_lingers_and_a_full_queue_refuses_it(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(TINY, sending="async", linger_ms=30, queue_messages=4, batch_messages=5))
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "a"}] * 3)
    with pytest.raises(QueueFull):
        stage.do("produce", records=[{"value": "b"}] * 2)
    assert stage.events("batch_sent") == []
    stage.run_ms(40)
    assert [event["messages"] for event in stage.events("batch_sent")] == [3]


@pytest.mark.parametrize("sending", ["sync", "async"])
def test_a_batch_that_is_sent_again_is_not_overtaken_by_those_behind_it(make_stage: MakeStage, sending: str) -> None:
    config = with_producer(ACKNOWLEDGED, retries=3, sending=sending, batch_messages=1, linger_ms=0)
    stage = make_stage(config).with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    for number in range(3):
        stage.do("produce", key="user", value=str(number))
    stage.run_ms(20)
    stage.do("heal_links")
    stage.run_ms(100)
    assert values(stage) == ["0", "1", "2"]


def test_a_batch_that_fails_twice_in_two_ways_is_sent_a_third_time_before_the_next(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(ACKNOWLEDGED, retries=20)).with_topic(1)
    for number in range(2):
        stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
        stage.do("produce", records=[{"value": f"{number} first"}])
        stage.do("produce", records=[{"value": f"{number} second"}])
        stage.run_ms(32)
        stage.do("heal_links")
        stage.do("crash_broker", broker=1)
        stage.run_ms(20)
        stage.do("start_broker", broker=1)
        stage.run_ms(300)
    assert values(stage) == ["0 first", "0 second", "1 first", "1 second"]
    reasons = [event["reason"] for event in stage.events("batch_lost")]
    assert [reason for reason, _ in groupby(reasons)] == ["not_acknowledged", "broker_down"] * 2


@pytest.mark.parametrize("key", ["", "user"])
def test_messages_queued_while_the_registry_lists_no_broker_are_retried_too(make_stage: MakeStage, key: str) -> None:
    config = with_producer(ACKNOWLEDGED, retries=100, sending="async", linger_ms=30)
    stage = make_stage(config, brokers=1).with_topic(1)
    stage.run_ms(100)
    for number in range(2):
        stage.do("produce", key=key, value=str(number))
        stage.do("stop_broker", broker=1)
        stage.run_ms(60)
        assert stage.cluster.state.producer.candidates("clicks") == []
        assert {event["reason"] for event in stage.events("batch_lost")} == {"broker_down"}
        stage.do("start_broker", broker=1)
        stage.run_ms(100)
    assert values(stage) == ["0", "1"]


def test_a_retry_reports_its_own_compression_whatever_compression_is_set_meanwhile(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(ACKNOWLEDGED, retries=1)).with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    stage.do("produce", count=1)
    stage.do("set_producer", compression="gzip")
    stage.run_ms(50)
    assert [event["compression"] for event in stage.events("batch_sent")[-2:]] == ["none", "none"]


def test_batches_that_wait_behind_one_in_flight_count_as_under_way(make_stage: MakeStage) -> None:
    stage = make_stage(ACKNOWLEDGED).with_topic(1)
    for _ in range(1_000):
        stage.do("produce", count=1)
    with pytest.raises(WrongState) as fault:
        stage.do("produce", count=1)
    assert fault.value.fields["under_way"] == 1_000
    stage.run_ms(20)
    stage.do("produce", count=1)


# --- new settings while something waits -----------------------------------------------------------------------------


def test_new_settings_do_not_release_a_queue_whose_batch_is_not_acknowledged(make_stage: MakeStage) -> None:
    config = with_producer(ACKNOWLEDGED, retries=3, sending="async", batch_messages=1, linger_ms=0)
    stage = make_stage(config).with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    for number in range(3):
        stage.do("produce", key="user", value=str(number))
    sent = len(stage.events("batch_sent"))
    stage.do("set_producer", keys=2)
    stage.do("produce", key="user", value="3")
    stage.run_ms(20)
    assert len(stage.events("batch_sent")) == sent
    assert stage.cluster.snapshot()["producer_queue"]["queued"] == 3
    stage.do("heal_links")
    stage.run_ms(100)
    assert values(stage) == ["0", "1", "2", "3"]


def test_the_count_of_dropped_messages_continues_under_new_settings(make_stage: MakeStage) -> None:
    stage = make_stage(ACKNOWLEDGED).with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    stage.do("set_producer", rate_per_second=1_000, batch_messages=10, queue_messages=20)
    stage.run_ms(500)
    before = stage.cluster.snapshot()["producer_queue"]["dropped"]
    assert before > 100
    stage.do("set_producer", rate_per_second=2_000)
    assert stage.cluster.snapshot()["producer_queue"]["dropped"] == before
    stage.run_ms(500)
    dropped = [event["dropped"] for event in stage.events("producer_queue_changed")]
    assert dropped == sorted(dropped)
    assert dropped[-1] > before + 100


@pytest.mark.parametrize("rest", [{}, {"acknowledgement": "none"}, {"retries": 9, "batch_messages": 2}])
def test_queued_messages_are_sent_before_later_synchronous_ones(make_stage: MakeStage, rest: dict[str, object]) -> None:
    config = with_producer(ACKNOWLEDGED, retries=5, sending="async", batch_messages=1, linger_ms=30_000)
    stage = make_stage(config).with_topic(1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    for number in range(3):
        stage.do("produce", key="user", value=str(number))
    stage.do("set_producer", sending="sync", **rest)
    for number in range(3, 5):
        stage.do("produce", key="user", value=str(number))
    stage.run_ms(20)
    stage.do("set_producer", sending="async", linger_ms=1)
    stage.do("produce", key="user", value="5")
    stage.do("set_producer", sending="sync")
    stage.do("produce", key="user", value="6")
    stage.do("heal_links")
    stage.run_ms(200)
    assert values(stage) == ["0", "1", "2", "3", "4", "5", "6"]


def test_a_queue_that_becomes_synchronous_sends_its_lingering_messages(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(TINY, sending="async", linger_ms=30_000))
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "a"}])
    stage.do("set_producer", sending="sync")
    assert [event["messages"] for event in stage.events("batch_sent")] == [1]
    assert stage.events("producer_queue_changed")[-1]["queued"] == 0


def test_a_new_rate_does_not_affect_messages_that_wait_in_an_asynchronous_queue(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(TINY, sending="async", linger_ms=40, batch_messages=10))
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "a"}])
    stage.run_ms(30)
    for rate in (1, 5, 0):
        stage.do("set_producer", rate_per_second=rate)
    assert stage.events("batch_sent") == []
    stage.run_ms(11)
    assert [event["messages"] for event in stage.events("batch_sent")] == [1]
