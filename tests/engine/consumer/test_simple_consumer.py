"""Fetch, multi-fetch and offsets over the wire, where the caller keeps the offsets."""

from collections.abc import Callable
from typing import Any

import pytest

from engine.config import MILLISECOND_US
from engine.consumer.simple_consumer import Fetch, Fetched, Offsets, SimpleConsumer
from engine.ids import BrokerId, TopicPartition
from engine.message.message_set import encode_message_set
from engine.pipeline.catch_up import CatchUp, Reader
from engine.protocol.requests import EARLIEST_MS, LATEST_MS
from engine.runtime.network import NO_FAULT, LinkFault
from tests.support.clusters import Stage

ONE = BrokerId(1)
P0 = TopicPartition("clicks", 0)


class Asking:
    """A simple consumer beside a cluster, and the answers that it got."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.answers: list[Any] = []
        self.consumer = SimpleConsumer("reader", stage.cluster.state.machine)

    def fetch(self, offset: int, max_bytes: int = 1_000, partition: TopicPartition = P0) -> Fetched:
        self.consumer.fetch(ONE, Fetch(partition, offset, max_bytes), self.answers.append)
        return self.wait(Fetched)

    def offsets_of(self, partition: TopicPartition, time_ms: int) -> Offsets:
        self.consumer.offsets_before(ONE, partition, time_ms, 10, self.answers.append)
        return self.wait(Offsets)

    def offsets(self, time_ms: int, most: int = 10) -> tuple[int, ...]:
        self.consumer.offsets_before(ONE, P0, time_ms, most, self.answers.append)
        return self.wait(Offsets).offsets

    def wait(self, kind: type[Any]) -> Any:
        self.stage.run_ms(100)
        (answer,) = self.answers
        self.answers.clear()
        assert isinstance(answer, kind)
        return answer


@pytest.fixture
def asking(stage: Stage) -> Asking:
    stage.with_topic()
    for number in range(6):
        stage.do("produce", records=[{"key": "test", "value": f"value {number}"}])  # the key of p1 (case 42)
        stage.do("produce", records=[{"key": "user-1", "value": f"value {number}"}])  # of p0
    stage.run_ms(20)
    return Asking(stage)


def test_a_fetch_returns_the_whole_messages_from_an_offset_and_the_next_offset(asking: Asking) -> None:
    first = asking.fetch(0)
    assert first.messages[0].payload == b"first of 0"
    assert (first.messages[1].payload, first.messages[1].offset) == (b"value 0", 19)
    assert first.next_offset == 19 + 6 * 16
    assert asking.fetch(19, max_bytes=40).next_offset == 19 + 2 * 16
    assert asking.fetch(first.next_offset) == Fetched(Fetch(TopicPartition("clicks", 0), 115, 1_000), (), 115, "")


def test_a_simple_consumer_stores_no_offset_in_the_registry(asking: Asking) -> None:
    assert asking.fetch(0) == asking.fetch(0)
    registry = asking.stage.cluster.snapshot()["registry"]
    assert not [path for path in registry if path.startswith("/consumers")]


def test_a_multi_fetch_is_one_exchange_with_independent_answers(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(brokers=1).with_topic(3)
    asking = Asking(stage)
    fetches = [Fetch(TopicPartition("clicks", number), offset, 100) for number, offset in ((0, 0), (1, 999), (2, 0))]
    asking.consumer.multi_fetch(ONE, fetches, asking.answers.append)
    stage.run_ms(20)
    ((first, second, third),) = asking.answers
    assert [message.payload for message in first.messages] == [b"first of 0"]
    assert (second.error, second.messages, second.next_offset) == ("offset_out_of_range", (), 999)
    assert [message.payload for message in third.messages] == [b"first of 2"]
    names = [event["event"] for event in stage.events() if event["event"].startswith("multi_fetch")]
    assert names == ["multi_fetch_sent", "multi_fetch_answered", "multi_fetch_received"]


def test_messages_before_damaged_bytes_are_returned_and_the_damage_is_reported(asking: Asking) -> None:
    asking.stage.do("corrupt", partition=0, offset=35)
    answer = asking.fetch(0)
    assert [message.payload for message in answer.messages] == [b"first of 0", b"value 0"]
    assert (answer.error, answer.next_offset) == ("invalid_message", 35)


def test_a_message_larger_than_a_fetch_is_an_error(asking: Asking) -> None:
    """Case 34."""
    assert asking.fetch(0, max_bytes=10).error == "invalid_message_size"
    assert asking.fetch(0, max_bytes=3).error == ""


def test_offsets_before_a_time_are_returned_newest_first(asking: Asking) -> None:
    assert asking.offsets(LATEST_MS, 1) == (115,)
    assert asking.offsets(EARLIEST_MS) == (0,)
    assert asking.offsets(LATEST_MS)[-1] == 0
    assert asking.offsets(-5_000) == ()


def test_a_request_for_a_negative_number_of_offsets_is_answered_with_an_error(asking: Asking) -> None:
    asking.consumer.offsets_before(ONE, P0, LATEST_MS, -1, asking.answers.append)
    assert asking.wait(Offsets) == Offsets((), "unknown_server_fault")


def test_an_unknown_topic_is_empty_and_is_not_created(asking: Asking) -> None:
    """Case 15."""
    nobody = TopicPartition("nobody", 0)
    assert asking.fetch(0, partition=nobody) == Fetched(Fetch(nobody, 0, 1_000), (), 0, "")
    assert asking.offsets_of(nobody, LATEST_MS) == Offsets((0,), "")
    assert asking.offsets_of(nobody, EARLIEST_MS) == Offsets((0,), "")
    assert asking.offsets_of(nobody, asking.stage.cluster.now_us // MILLISECOND_US) == Offsets((), "")
    assert not list(asking.stage.directory.rglob("nobody*"))


@pytest.mark.parametrize("number", [-1, 1, 3])
def test_an_unknown_partition_is_reported_as_an_error(asking: Asking, number: int) -> None:
    """Case 36; partition 1 is on another broker."""
    there_is_none = TopicPartition("clicks", number)
    assert asking.fetch(0, partition=there_is_none).error == "unknown_partition"
    assert asking.offsets_of(there_is_none, LATEST_MS) == Offsets((), "unknown_partition")
    assert asking.fetch(-1).error == "offset_out_of_range"


def test_a_broker_that_is_down_is_asked_twice_and_then_reported(asking: Asking) -> None:
    asking.stage.do("crash_broker", broker=1)
    assert asking.fetch(0).error == "broker_down"
    assert [event["reason"] for event in asking.stage.events("multi_fetch_failed")] == ["broker_down"] * 2
    asking.consumer.offsets_before(ONE, TopicPartition("clicks", 0), LATEST_MS, 1, asking.answers.append)
    assert asking.wait(Offsets) == Offsets((), "broker_down")


def test_a_request_whose_answer_is_lost_is_sent_again(asking: Asking) -> None:
    network = asking.stage.cluster.state.network
    wanted = Fetch(TopicPartition("clicks", 0), 0, 1_000)
    network.set_link_fault(("broker:1", "reader"), LinkFault(cut=True))
    asking.consumer.fetch(ONE, wanted, asking.answers.append)
    asking.stage.run_ms(10)
    network.set_link_fault(("broker:1", "reader"), NO_FAULT)
    answer = asking.wait(Fetched)
    assert len(answer.messages) == 7
    assert [event["reason"] for event in asking.stage.events("multi_fetch_failed")] == ["timeout"]
    assert asking.stage.cluster.snapshot()["flights"] == {}


def test_an_answer_after_the_last_timeout_changes_nothing(asking: Asking) -> None:
    asking.stage.cluster.state.network.set_link_fault(("broker:1", "reader"), LinkFault(delay_us=80_000))
    asking.consumer.fetch(ONE, Fetch(TopicPartition("clicks", 0), 0, 1_000), asking.answers.append)
    asking.stage.run_ms(500)
    assert [answer.error for answer in asking.answers] == ["timeout"]
    reasons = [event["reason"] for event in asking.stage.events("multi_fetch_failed")]
    assert reasons == ["timeout", "timeout", "stopped", "stopped"]
    assert asking.stage.cluster.snapshot()["flights"] == {}


def test_a_process_that_is_gone_gets_no_answer_and_leaves_no_flight(asking: Asking) -> None:
    asking.consumer.fetch(ONE, Fetch(TopicPartition("clicks", 0), 0, 1_000), asking.answers.append)
    asking.consumer.close()
    asking.stage.run_ms(200)
    assert asking.answers == []
    assert asking.stage.cluster.snapshot()["flights"] == {}
    assert [event["reason"] for event in asking.stage.events("multi_fetch_failed")] == ["consumer_gone"]


class Job:
    """A catch-up job and the answers of its rounds."""

    def __init__(self, asking: Asking, positions: dict[TopicPartition, int], max_bytes: int = 40) -> None:
        self.rounds: list[list[Fetched]] = []
        self.done = False
        reader = Reader(asking.consumer, asking.stage.cluster.state.topics.__getitem__, max_bytes)
        CatchUp(reader, positions, self.take, self.finish)
        asking.stage.run_ms(300)

    def take(self, answers: list[Fetched], next_round: Callable[[], None]) -> None:
        self.rounds.append(answers)
        next_round()

    def finish(self) -> None:
        self.done = True

    def ends(self) -> dict[TopicPartition, int]:
        return {answer.fetch.partition: answer.next_offset for answers in self.rounds for answer in answers}


PLACES = [TopicPartition("clicks", number) for number in range(3)]


def test_a_job_reads_every_partition_to_the_end_it_had_when_the_job_began(asking: Asking) -> None:
    job = Job(asking, dict.fromkeys(PLACES, 0))
    assert job.done
    assert job.ends() == {PLACES[0]: 115, PLACES[1]: 115, PLACES[2]: 19}
    assert [len(answers) for answers in job.rounds] == [3, 2, 2, 2]
    assert b"".join(
        encode_message_set([message.payload for message in answer.messages])
        for answers in job.rounds
        for answer in answers
        if answer.fetch.partition == PLACES[0]
    ) == asking.stage.cluster.read_log("clicks", 0, 0, 1_000)


def test_a_job_with_nothing_to_read_asks_for_the_ends_and_is_done(asking: Asking) -> None:
    job = Job(asking, {PLACES[0]: 115})
    assert job.done
    assert job.rounds == []


def test_a_partition_with_a_missing_broker_or_damaged_bytes_does_not_delay_the_others(asking: Asking) -> None:
    asking.stage.do("crash_broker", broker=2)
    asking.stage.do("corrupt", partition=0, offset=35)
    job = Job(asking, dict.fromkeys(PLACES, 0))
    assert job.done
    assert job.ends() == {PLACES[0]: 35, PLACES[2]: 19}


def test_a_position_beyond_its_log_moves_to_the_end_of_it(asking: Asking) -> None:
    job = Job(asking, {PLACES[0]: 5_000})
    assert job.done
    assert job.ends() == {PLACES[0]: 115}
    (reset,) = asking.stage.events("multi_fetch_offset_reset")
    assert (reset["out_of_range_offset"], reset["offset"]) == (5_000, 115)
