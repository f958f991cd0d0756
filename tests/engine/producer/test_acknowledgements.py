"""A producer that wants to know: acknowledgements, retries, and the queue behind them."""

from itertools import pairwise

import pytest

from engine.config import TINY
from engine.errors import QueueFull
from tests.engine.conftest import MakeStage
from tests.support.clusters import Stage, with_producer

ACKNOWLEDGED = with_producer(TINY, acknowledgement="broker")


def appended(stage: Stage) -> int:
    return int(stage.cluster.facts()["topics"][0]["events_appended"])


def test_without_being_asked_a_broker_says_nothing(stage: Stage) -> None:
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


def test_a_set_whose_acknowledgement_got_lost_is_there_twice(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(ACKNOWLEDGED, retries=1)).with_topic(1)
    stage.do("produce", records=[{"value": "twice"}])
    stage.run_ms(1.1)
    stage.do("set_link", **{"from": "producer", "to": "broker:1"}, cut=True)
    stage.run_ms(5)
    stage.do("heal_links")
    stage.run_ms(100)
    assert [event["previews"] for event in stage.events("batch_appended")[-2:]] == [["twice"], ["twice"]]


def test_a_set_that_comes_to_a_dead_broker_after_it_was_given_up_ends_there(make_stage: MakeStage) -> None:
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


def test_without_retries_left_a_set_is_given_up(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(ACKNOWLEDGED, retries=2)).with_topic(1)
    stage.do("crash_broker", broker=1)
    stage.do("produce", count=1)
    stage.run_ms(40)
    assert [event["reason"] for event in stage.events("batch_lost")] == ["broker_down"] * 3
    stage.run_ms(200)
    assert len(stage.events("batch_sent")) == 1 + 3


def test_with_acknowledgements_batches_of_a_rate_follow_one_after_the_other(make_stage: MakeStage) -> None:
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


def test_an_asynchronous_send_waits_for_company_and_a_full_queue_refuses_it(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(TINY, sending="async", linger_ms=30, queue_messages=4, batch_messages=5))
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "a"}] * 3)
    with pytest.raises(QueueFull):
        stage.do("produce", records=[{"value": "b"}] * 2)
    assert stage.events("batch_sent") == []
    stage.run_ms(40)
    assert [event["messages"] for event in stage.events("batch_sent")] == [3]


def test_new_settings_send_what_waited_under_the_old_ones(make_stage: MakeStage) -> None:
    stage = make_stage(with_producer(TINY, sending="async", linger_ms=30_000))
    stage.do("add_topic", topic="clicks", partitions=1)
    stage.do("produce", records=[{"value": "a"}])
    stage.do("set_producer", sending="sync")
    assert [event["messages"] for event in stage.events("batch_sent")] == [1]
