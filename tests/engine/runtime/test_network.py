"""The simulated network: order, bounces and flights."""

from random import Random
from typing import Any

from engine.events.consuming import CommitLanded
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import Scheduler

JITTERY = Latency(1000, 500)


class Party:
    def __init__(self) -> None:
        self.received: list[Any] = []
        self.bounces: list[Any] = []

    def receive(self, source: str, message: Any) -> None:
        self.received.append(message)

    def bounced(self, destination: str, message: Any) -> None:
        self.bounces.append(message)


def wire() -> tuple[Scheduler, Network, Party, Party, list[Any]]:
    lost: list[Any] = []
    scheduler = Scheduler()
    network = Network(scheduler, Random(7), lambda event: None, lambda message, cause: lost.append(message))
    left, right = Party(), Party()
    network.attach("left", left)
    network.attach("right", right)
    return scheduler, network, left, right, lost


def send(network: Network, message: object, source: str = "left", destination: str = "right") -> int:
    due_us = network.due_us(source, destination, JITTERY)
    network.send(source, destination, message, due_us)
    return due_us


def test_messages_on_one_link_arrive_in_order_whatever_their_latency() -> None:
    scheduler, network, _, right, _ = wire()
    due = [send(network, number) for number in range(50)]
    scheduler.run_until(10_000)
    assert right.received == list(range(50))
    assert due == sorted(due)
    assert len(set(due)) > 1


def test_a_message_to_an_absent_process_bounces_to_its_sender() -> None:
    scheduler, network, left, _, _ = wire()
    network.detach("right")
    send(network, "hello")
    scheduler.run_until(10_000)
    assert left.bounces == ["hello"]


def test_a_message_for_an_earlier_incarnation_does_not_reach_the_next_one() -> None:
    scheduler, network, left, right, _ = wire()
    send(network, "old")
    network.detach("right")
    network.attach("right", right)
    send(network, "new")
    scheduler.run_until(10_000)
    assert (right.received, left.bounces) == (["new"], ["old"])


def test_a_message_whose_sender_and_receiver_are_gone_is_reported_as_lost() -> None:
    scheduler, network, _, _, lost = wire()
    send(network, "hello")
    network.detach("left")
    network.detach("right")
    scheduler.run_until(10_000)
    assert lost == ["hello"]


def test_a_flight_is_listed_exactly_while_it_travels() -> None:
    scheduler, network, _, right, _ = wire()
    due_us = network.due_us("left", "right", JITTERY)
    event = CommitLanded(0, 1, "")
    network.send_flight("left", "right", "hello", "commit:1", event, due_us)
    scheduler.run_until(due_us - 1)
    assert list(network.flights) == [("commit:1", event)]
    scheduler.run_until(due_us)
    assert list(network.flights) == []
    assert right.received == ["hello"]


def test_a_message_that_is_resent_before_it_arrives_arrives_twice_and_is_one_flight() -> None:
    scheduler, network, _, right, _ = wire()
    for at_us in (0, 100):
        due_us = network.due_us("left", "right", JITTERY)
        network.send_flight("left", "right", "commit", "commit:1", CommitLanded(at_us, 1, ""), due_us)
    assert [name for name, _ in network.flights] == ["commit:1"]
    scheduler.run_until(10_000)
    assert right.received == ["commit", "commit"]
    assert list(network.flights) == []
