"""The sender of one process, alone on a wire with a broker that answers as the test says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from engine.config import TINY
from engine.events.base import Event
from engine.events.producing import BatchLost, BatchSent
from engine.ids import BrokerId, TopicPartition
from engine.producer.in_flight import UNLIMITED_RETRIES, Attempt, Delivery, InFlightBatches
from engine.protocol.envelope import NO_ADDRESS, BatchLabel, RequestEnvelope, ResponseEnvelope, enclose
from engine.protocol.requests import ProduceRequest
from engine.protocol.responses import encode_acknowledgement
from engine.runtime.network import Latency, Network
from engine.runtime.process import Machine, Process, ProcessTime, never_resumes
from engine.runtime.scheduler import Scheduler
from engine.runtime.sequence_numbers import SequenceNumbers

CLIENT, BROKER = "producer", "broker:1"
HOP_US = TINY.network_latency_us
PAUSE_US, TIMEOUT_US = TINY.fetch_backoff_us, TINY.fetch_timeout_us
P0, P1 = TopicPartition("clicks", 0), TopicPartition("clicks", 1)
ASKING = Delivery("broker", 2)
PAPER = Delivery("none", 2)


@dataclass(frozen=True, slots=True)
class Named:
    """A batch of one message, which is its name."""

    partition: TopicPartition
    message_set: bytes
    messages: int = 1

    def sent(self, attempt: Attempt) -> Event:
        topic, number = self.partition
        values = attempt.at_us, attempt.due_us, attempt.number, topic, number, attempt.broker
        return BatchSent(*values, self.message_set.decode(), 1, len(self.message_set), "none", 0)


class Wire:
    """A sender and its broker. ``answers`` has the outcomes of the next attempts at a batch, ``appended`` by default.

    ``lost``: the request is lost. ``unheard``: the batch is appended, but the answer is lost.
    Anything else is the error of the answer.
    """

    def __init__(self, delivery: Delivery = ASKING) -> None:
        self.delivery = delivery
        self.answers: dict[str, list[str]] = {}
        self.arrived: list[str] = []
        self.appended: list[str] = []
        self.freed: list[TopicPartition] = []
        self.events: list[Event] = []
        self.listed = True
        self.scheduler = Scheduler()
        self.network = Network(self.scheduler, Random(1), self.events.append, lambda message, cause: None)
        self.sender = Client(self).sender
        self.network.attach(BROKER, self)

    def send(self, *names: str, partition: TopicPartition = P0) -> None:
        for name in names:
            self.sender.send(partition, Named(partition, name.encode()))

    def run(self, duration_us: int = 10 * TIMEOUT_US) -> None:
        self.scheduler.run_until(self.scheduler.now_us + duration_us)

    def receive(self, source: str, message: Any) -> None:
        assert isinstance(message, RequestEnvelope)
        request = message.request
        assert isinstance(request, ProduceRequest)
        name = request.message_set.decode()
        self.arrived.append(name)
        remaining = self.answers.get(name)
        outcome = remaining.pop(0) if remaining else "appended"
        if outcome in ("appended", "unheard"):
            self.appended.append(name)
        if message.batch.acknowledge_to != NO_ADDRESS and outcome not in ("lost", "unheard"):
            self.answer(message, "" if outcome == "appended" else outcome)

    def answer(self, request: RequestEnvelope, error: str) -> None:
        due_us = self.network.due_us(BROKER, CLIENT, Latency(HOP_US, 0))
        self.network.send(BROKER, CLIENT, ResponseEnvelope(request, encode_acknowledgement(0, error)), due_us)

    def bounced(self, destination: str, message: Any) -> None:
        raise AssertionError("the sender is always there")

    def losses(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, BatchLost)]


class Client(Process):
    """The process of a sender."""

    def __init__(self, wire: Wire) -> None:
        machine = Machine(TINY, wire.scheduler, wire.network, wire.events.append, SequenceNumbers())
        super().__init__(CLIENT, machine, ProcessTime(wire.scheduler, never_resumes))
        self.sender = InFlightBatches[Named](
            self, lambda _: [BrokerId(1)] * 2, lambda: wire.delivery, wire.freed.append, lambda partition: wire.listed
        )
        self.attach()

    def handle(self, source: str, message: Any) -> None:
        self.sender.take_acknowledgement(message)

    def handle_bounce(self, destination: str, message: Any) -> None:
        self.sender.bounced(message)


def test_the_batches_behind_a_lost_one_wait_until_its_retry_is_acknowledged() -> None:
    wire = Wire()
    wire.answers["a"] = ["lost"]
    wire.send("a", "b", "c")
    assert wire.sender.waiting == 2
    wire.run(TIMEOUT_US)
    assert (wire.sender.waiting, wire.losses()) == (3, ["not_acknowledged"])
    wire.run()
    assert wire.arrived == ["a", "a", "b", "c"]
    assert wire.appended == ["a", "b", "c"]
    assert wire.freed == [P0]
    assert (wire.sender.idle, wire.sender.waiting) == (True, 0)


@pytest.mark.parametrize("outcome", ["lost", "unheard", "storage_failed"])
def test_a_batch_that_keeps_failing_uses_up_its_retries_and_then_the_next_is_sent(outcome: str) -> None:
    wire = Wire(Delivery("broker", 2))
    wire.answers["a"] = [outcome] * 9
    wire.answers["b"] = [outcome]
    wire.send("a", "b", "c")
    wire.run()
    assert wire.arrived == ["a", "a", "a", "b", "b", "c"]
    assert len(wire.losses()) == 4
    assert wire.sender.idle


def test_a_batch_of_another_partition_does_not_wait() -> None:
    wire = Wire()
    wire.answers["a"] = ["lost"]
    wire.send("a", "b")
    wire.send("x", "y", partition=P1)
    wire.run(TIMEOUT_US - 1)
    assert wire.appended == ["x", "y"]
    assert wire.freed == [P1]
    assert not wire.sender.idle


def test_without_acknowledgements_batches_leave_at_once_and_are_not_retried() -> None:
    wire = Wire(PAPER)
    wire.answers["a"] = ["lost"]
    wire.send("a", "b")
    assert (wire.sender.idle, wire.sender.waiting) == (True, 0)
    wire.run()
    assert wire.arrived == ["a", "b"]
    assert wire.freed == []


def test_a_broker_that_is_away_on_two_occasions_bounces_each_attempt_once() -> None:
    wire = Wire(Delivery("broker", UNLIMITED_RETRIES))
    for name in ("a", "b"):
        wire.network.detach(BROKER)
        wire.send(name, name * 2)
        before = len(wire.losses())
        wire.run(4 * (HOP_US + PAUSE_US) - 1)
        assert wire.losses()[before:] == ["broker_down"] * 4
        wire.network.attach(BROKER, wire)
        wire.run()
    assert wire.appended == ["a", "aa", "b", "bb"]


def test_nothing_is_sent_while_the_broker_is_not_listed() -> None:
    wire = Wire()
    wire.answers["a"] = ["lost"]
    wire.listed = False
    wire.send("a", "b")
    wire.run()
    assert (wire.arrived, wire.sender.waiting) == ([], 2)
    wire.listed = True
    wire.run(PAUSE_US + TIMEOUT_US)
    wire.listed = False
    wire.run()
    assert (wire.arrived, wire.losses()) == (["a"], ["not_acknowledged"])
    wire.listed = True
    wire.run()
    assert wire.appended == ["a", "b"]


def test_when_acknowledgements_are_switched_off_lost_batches_go_first_and_waiting_ones_in_order() -> None:
    wire = Wire()
    wire.answers["a"] = ["lost"]
    wire.send("a", "b")
    wire.delivery = PAPER
    wire.send("c")
    wire.run(TIMEOUT_US)
    assert wire.appended == []
    wire.run(PAUSE_US)
    assert wire.sender.idle
    assert wire.freed == [P0]
    wire.send("d")
    wire.run()
    assert wire.appended == ["a", "b", "c", "d"]


def test_switching_acknowledgements_off_and_on_again_leaves_no_batch_behind() -> None:
    wire = Wire()
    wire.answers["b"] = ["lost", "lost"]
    wire.send("a", "b")
    for delivery in (PAPER, ASKING, PAPER, ASKING):
        wire.delivery = delivery
        wire.send("x")
    wire.run()
    assert wire.appended == ["a", "b", "x", "x", "x", "x"]
    assert wire.sender.idle


def test_a_changed_number_of_retries_applies_from_the_next_failure_on() -> None:
    wire = Wire(Delivery("broker", 5))
    wire.answers = {"a": ["lost"] * 9, "b": ["lost"] * 3}
    wire.send("a", "b")
    wire.run(TIMEOUT_US + PAUSE_US)
    wire.delivery = Delivery("broker", 1)
    wire.run(TIMEOUT_US + HOP_US)
    assert wire.arrived == ["a", "a", "b"]
    wire.delivery = Delivery("broker", 3)
    wire.run()
    assert wire.arrived == ["a", "a", "b", "b", "b", "b"]
    assert wire.appended == ["b"]


def test_a_late_or_second_answer_settles_no_other_batch() -> None:
    wire = Wire(Delivery("broker", 0))
    wire.answers = {"a": ["lost"], "b": ["lost"]}
    wire.send("a", "b", "c")
    wire.run(TIMEOUT_US)
    first = enclose(BatchLabel(1, 1, CLIENT), ProduceRequest(*P0, b"a"))
    for error in ("", "", "storage_failed"):
        wire.answer(first, error)
    wire.run(TIMEOUT_US - 1)
    assert (wire.arrived, wire.losses()) == (["a", "b"], ["not_acknowledged"])
    wire.run()
    assert wire.arrived == ["a", "b", "c"]
    assert wire.losses() == ["not_acknowledged"] * 2


def test_a_partition_that_was_dropped_sends_nothing_more_and_can_be_used_again() -> None:
    wire = Wire()
    wire.answers["a"] = ["lost"]
    wire.send("a", "b")
    wire.run(2 * HOP_US)
    wire.sender.drop(P0)
    assert wire.sender.idle
    wire.send("c")
    wire.run()
    assert wire.appended == ["c"]
    assert wire.losses() == []
    wire.sender.drop(P0)


def test_an_answer_to_a_dropped_batch_does_not_settle_a_later_one() -> None:
    wire = Wire()
    wire.send("a")
    wire.run(HOP_US)
    wire.sender.drop(P0)
    wire.answers["b"] = ["lost"]
    wire.send("b", "c")
    wire.run(TIMEOUT_US - 1)
    assert wire.appended == ["a"]
    wire.run()
    assert wire.appended == ["a", "b", "c"]


def outcomes(chance: Random, retries: int) -> list[str]:
    """Draw the outcomes of the attempts at one batch."""
    kinds = ("lost", "unheard", "storage_failed", "appended")
    return [chance.choice(kinds) for _ in range(chance.randrange(retries + 3))]


@pytest.mark.parametrize("seed", range(40))
def test_first_appends_are_in_sending_order_whatever_is_lost(seed: int) -> None:
    chance = Random(seed)
    retries = chance.choice((0, 1, 3, UNLIMITED_RETRIES))
    wire = Wire(Delivery("broker", retries))
    sent: Mapping[TopicPartition, list[str]] = {P0: [], P1: []}
    for number in range(40):
        partition = chance.choice((P0, P1))
        name = f"{partition.partition}-{number}"
        sent[partition].append(name)
        wire.answers[name] = outcomes(chance, 3)
        wire.send(name, partition=partition)
        wire.run(chance.choice((0, 0, HOP_US, TIMEOUT_US)))
        if chance.random() < 0.2:
            wire.delivery = replace(wire.delivery, acknowledgement=chance.choice(("none", "broker")))
    wire.run(100 * 10 * TIMEOUT_US)
    assert wire.sender.idle
    for names in sent.values():
        first = list(dict.fromkeys(name for name in wire.appended if name in names))
        assert first == [name for name in names if name in first]


@pytest.mark.parametrize("seed", range(20))
def test_with_unlimited_retries_everything_is_appended_in_order(seed: int) -> None:
    chance = Random(seed)
    wire = Wire(Delivery("broker", UNLIMITED_RETRIES))
    names = [f"{number}" for number in range(30)]
    for name in names:
        wire.answers[name] = outcomes(chance, 5)
        wire.send(name)
        wire.run(chance.choice((0, HOP_US, TIMEOUT_US)))
    wire.run(100 * 10 * TIMEOUT_US)
    assert list(dict.fromkeys(wire.appended)) == names
    assert wire.sender.idle
