"""A process on the network: what it sends, and what it handles when it resumes after it was suspended."""

from random import Random
from typing import Any

from engine.config import TINY
from engine.events.base import Event
from engine.events.consuming import CommitSent
from engine.runtime.network import Latency, Network
from engine.runtime.process import Machine, Process, ProcessTime
from engine.runtime.scheduler import Scheduler
from engine.runtime.sequence_numbers import SequenceNumbers

HOP = Latency(100, 0)


class Noting(Process):
    """A process that notes what happens to it, as (virtual time, what)."""

    def __init__(self, address: str, machine: Machine) -> None:
        super().__init__(address, machine, ProcessTime(machine.scheduler, lambda: self.note("wakes")))
        self.noted: list[tuple[int, str]] = []
        self.leaves_at = ""
        self.attach()

    def note(self, what: str) -> None:
        self.noted.append((self.now_us, what))

    def handle(self, source: str, message: Any) -> None:
        self.note(f"{message} from {source}")
        if message == self.leaves_at:
            self.detach()

    def handle_bounce(self, destination: str, message: Any) -> None:
        self.note(f"{message} back from {destination}")


class Pair:
    """Two processes on a wire."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.lost: list[tuple[Any, str]] = []
        self.scheduler = Scheduler()
        self.network = Network(
            self.scheduler, Random(1), self.events.append, lambda message, cause: self.lost.append((message, cause))
        )
        machine = Machine(TINY, self.scheduler, self.network, self.events.append, SequenceNumbers())
        self.left, self.right = Noting("left", machine), Noting("right", machine)

    def flights(self) -> list[str]:
        return [name for name, _ in self.network.flights]


def departure(process: Process, number: int) -> Any:
    """Return a function that makes the event for the departure of a commit."""
    return lambda due_us: CommitSent(process.now_us, due_us, number, "readers", "A", "clicks", 0, 0)


# --- sending --------------------------------------------------------------------------------------------------------


def test_a_plain_message_arrives_when_it_is_due_and_is_no_flight() -> None:
    pair = Pair()
    assert pair.left.send_message("right", "hello", HOP) == 100
    assert pair.flights() == []
    pair.scheduler.run_until(99)
    assert pair.right.noted == []
    pair.scheduler.run_until(100)
    assert pair.right.noted == [(100, "hello from left")]
    assert pair.events == []


def test_a_flight_reports_its_departure_at_once_and_is_listed_until_it_arrives() -> None:
    pair = Pair()
    pair.scheduler.run_until(1_000)
    assert pair.left.send_flight("right", "hello", HOP, "commit:1", departure(pair.left, 1)) == 1_100
    departed = CommitSent(1_000, 1_100, 1, "readers", "A", "clicks", 0, 0)
    assert pair.events == [departed]
    pair.scheduler.run_until(1_099)
    assert list(pair.network.flights) == [("commit:1", departed)]
    pair.scheduler.run_until(1_100)
    assert pair.flights() == []
    assert pair.right.noted == [(1_100, "hello from left")]
    assert pair.events == [departed]


def test_a_message_for_an_absent_process_bounces_to_its_sender() -> None:
    pair = Pair()
    pair.right.detach()
    pair.left.send_message("right", "hello", HOP)
    pair.scheduler.run_until(100)
    assert pair.left.noted == [(100, "hello back from right")]
    pair.right.attach()
    pair.left.send_message("right", "again", HOP)
    pair.scheduler.run_until(200)
    assert pair.right.noted == [(200, "again from left")]


# --- suspension -----------------------------------------------------------------------------------------------------


def test_a_suspended_process_takes_messages_and_bounces_in_order_when_it_resumes() -> None:
    pair = Pair()
    pair.right.time.suspend(1_000)
    pair.left.send_message("right", "first", HOP)
    pair.right.send_message("nobody", "second", Latency(200, 0))
    pair.left.send_message("right", "third", Latency(300, 0))
    pair.right.send_message("nobody", "fourth", Latency(400, 0))
    pair.scheduler.run_until(999)
    assert pair.right.noted == []
    pair.scheduler.run_until(1_000)
    assert pair.right.noted == [
        (1_000, "wakes"),
        (1_000, "first from left"),
        (1_000, "second back from nobody"),
        (1_000, "third from left"),
        (1_000, "fourth back from nobody"),
    ]
    pair.left.send_message("right", "fifth", HOP)
    pair.scheduler.run_until(2_000)
    assert pair.right.noted[5:] == [(1_100, "fifth from left")]


def test_a_message_that_arrives_as_the_process_resumes_does_not_overtake_one_that_waited() -> None:
    pair = Pair()
    pair.right.time.suspend(1_000)
    pair.left.send_message("right", "first", Latency(990, 0))
    pair.left.send_message("right", "second", Latency(1_000, 0))
    pair.scheduler.run_until(2_000)
    assert [what for _, what in pair.right.noted] == ["wakes", "first from left", "second from left"]


def test_a_process_that_leaves_and_returns_while_suspended_takes_only_later_messages() -> None:
    pair = Pair()
    pair.right.time.suspend(1_000)
    pair.left.send_message("right", "before", HOP)
    pair.scheduler.run_until(500)
    pair.right.detach()
    pair.right.attach()
    pair.left.send_message("right", "after", HOP)
    pair.scheduler.run_until(2_000)
    assert [what for _, what in pair.right.noted] == ["wakes", "after from left"]
    assert pair.lost == [("before", "gone")]


def test_an_extended_suspension_keeps_the_order_of_messages() -> None:
    pair = Pair()
    pair.right.time.suspend(500)
    pair.left.send_message("right", "first", HOP)
    pair.scheduler.run_until(300)
    pair.right.time.suspend(1_000)
    pair.right.time.suspend(700)
    pair.left.send_message("right", "second", HOP)
    pair.scheduler.run_until(800)
    pair.left.send_message("right", "third", HOP)
    pair.scheduler.run_until(999)
    assert pair.right.noted == []
    pair.scheduler.run_until(2_000)
    whats = [what for _, what in pair.right.noted]
    assert whats[0] == "wakes"
    assert whats[-3:] == ["first from left", "second from left", "third from left"]
    assert set(whats[1:-3]) <= {"wakes"}
    assert {at_us for at_us, _ in pair.right.noted} == {1_000}


def test_timers_of_a_suspended_process_run_when_it_resumes() -> None:
    pair = Pair()
    pair.right.time.at(1_000, lambda: pair.right.note("timer of that moment"))
    pair.right.time.after(200, lambda: pair.right.note("timer"))
    cancelled = pair.right.time.after(300, lambda: pair.right.note("cancelled"))
    pair.right.time.suspend(1_000)
    pair.scheduler.run_until(500)
    cancelled.cancel()
    pair.scheduler.run_until(2_000)
    assert pair.right.noted == [(1_000, "wakes"), (1_000, "timer of that moment"), (1_000, "timer")]


def test_a_flight_to_a_suspended_process_is_listed_until_it_is_taken() -> None:
    pair = Pair()
    pair.right.time.suspend(1_000)
    for number in (1, 2):
        pair.left.send_flight("right", number, HOP, f"commit:{number}", departure(pair.left, number))
    pair.scheduler.run_until(999)
    assert pair.flights() == ["commit:1", "commit:2"]
    pair.scheduler.run_until(1_000)
    assert pair.flights() == []
    assert pair.right.noted[1:] == [(1_000, "1 from left"), (1_000, "2 from left")]


def test_a_process_that_leaves_while_it_handles_waiting_messages_loses_the_rest() -> None:
    """The suspension was extended in between, so the timer of the first message comes last."""
    pair = Pair()
    pair.right.leaves_at = "first"
    pair.right.time.suspend(500)
    pair.left.send_message("right", "first", HOP)
    pair.scheduler.run_until(300)
    pair.right.time.suspend(1_000)
    pair.left.send_message("right", "second", HOP)
    pair.scheduler.run_until(2_000)
    assert [what for _, what in pair.right.noted if what != "wakes"] == ["first from left"]
    assert pair.lost == [("second", "gone")]


# --- ending ---------------------------------------------------------------------------------------------------------


def test_a_process_that_ends_while_suspended_loses_waiting_messages_and_ends_their_flights() -> None:
    pair = Pair()
    pair.right.time.suspend(1_000)
    pair.left.send_flight("right", "waits", HOP, "commit:1", departure(pair.left, 1))
    pair.right.send_message("nobody", "bounced", HOP)
    pair.scheduler.run_until(500)
    assert (pair.flights(), pair.lost) == (["commit:1"], [])
    pair.right.time.end()
    pair.right.detach()
    assert pair.flights() == []
    assert pair.lost == [("waits", "gone"), ("bounced", "gone")]
    pair.scheduler.run_until(2_000)
    assert pair.right.noted == []
    assert len(pair.lost) == 2


def test_messages_sent_before_a_process_ended_still_arrive() -> None:
    pair = Pair()
    pair.right.send_message("left", "last words", HOP)
    pair.right.time.end()
    pair.right.detach()
    pair.scheduler.run_until(100)
    assert pair.left.noted == [(100, "last words from right")]


def test_a_timer_of_a_process_that_has_ended_does_not_run() -> None:
    pair = Pair()
    timer = pair.right.time.after(200, lambda: pair.right.note("timer"))
    pair.right.time.suspend(1_000)
    pair.right.time.end()
    pair.scheduler.run_until(2_000)
    assert pair.right.noted == []
    assert not timer.pending
