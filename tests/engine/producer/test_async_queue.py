"""The bounded queue of an asynchronous producer."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.config import TINY, ProducerSettings
from engine.errors import QueueClosed, QueueFull
from engine.producer.async_queue import AsyncQueue, Counts, Record, Waiting
from engine.runtime.scheduler import Scheduler

SETTINGS = replace(TINY.producer, queue_messages=10, batch_messages=5, linger_ms=1000)


class Sender:
    """Takes batches; while ``busy`` it says that the next one must wait."""

    def __init__(self, settings: ProducerSettings, *, busy: bool = False) -> None:
        self.scheduler = Scheduler()
        self.batches: list[list[bytes]] = []
        self.busy = busy
        self.queue = AsyncQueue(self.scheduler, settings, self.ship, lambda: None)

    def ship(self, batch: Sequence[Waiting]) -> bool:
        self.batches.append([record.payload for _, record, _ in batch])
        return not self.busy

    def put(self, *payloads: bytes) -> None:
        self.queue.put("t", [Record("", payload) for payload in payloads])

    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


def test_batches_leave_full_and_what_is_left_leaves_on_close() -> None:
    sender = Sender(SETTINGS)
    for number in range(11):
        sender.put(b"%d" % number)
    sender.queue.close()
    assert sender.sizes() == [5, 5, 1]  # case 39
    assert sender.batches[0] == [b"0", b"1", b"2", b"3", b"4"]


def test_after_close_nothing_is_taken() -> None:
    sender = Sender(SETTINGS)
    sender.queue.close()
    with pytest.raises(QueueClosed):
        sender.put(b"late")  # case 41


def test_a_full_queue_refuses_the_next_message() -> None:
    sender = Sender(replace(SETTINGS, batch_messages=100))
    for number in range(10):
        sender.put(b"%d" % number)
    with pytest.raises(QueueFull) as fault:
        sender.put(b"11th")  # case 38
    assert fault.value.fields == {"queue_messages": 10, "queued": 10}


def test_records_that_do_not_all_fit_are_refused_together() -> None:
    sender = Sender(replace(SETTINGS, batch_messages=100))
    sender.put(*[b"x"] * 8)
    with pytest.raises(QueueFull):
        sender.put(b"a", b"b", b"c")
    assert sender.queue.counts == Counts(8, 0, 0)


def test_the_oldest_message_s_linger_sends_what_there_is() -> None:
    sender = Sender(SETTINGS)
    sender.put(b"a")
    sender.scheduler.run_until(900_000)
    sender.put(b"b")
    sender.scheduler.run_until(999_999)
    assert sender.sizes() == []
    sender.scheduler.run_until(1_000_000)
    assert sender.sizes() == [2]


def test_a_blocked_application_gets_its_places_in_order_when_the_sender_goes_on() -> None:
    sender = Sender(replace(SETTINGS, queue_full="block"), busy=True)
    sender.put(*[b"%02d" % number for number in range(18)])
    assert (sender.sizes(), sender.queue.counts) == ([5], Counts(10, 3, 0))
    sender.busy = False
    sender.queue.go_on()
    sender.queue.close()
    assert [payload for batch in sender.batches for payload in batch] == [b"%02d" % number for number in range(18)]


def test_an_application_that_waits_gives_up_after_its_time() -> None:
    sender = Sender(replace(SETTINGS, queue_full="wait", queue_wait_ms=200), busy=True)
    sender.put(*[b"x"] * 18)
    sender.scheduler.run_until(199_999)
    assert sender.queue.counts == Counts(10, 3, 0)
    sender.scheduler.run_until(200_000)
    assert sender.queue.counts == Counts(10, 0, 3)


def test_while_the_sender_is_busy_nothing_more_leaves_however_long_it_lingers() -> None:
    sender = Sender(SETTINGS, busy=True)
    sender.put(*[b"x"] * 5)
    sender.put(b"y")
    sender.scheduler.run_until(10_000_000)
    assert sender.sizes() == [5]
    sender.queue.go_on()
    assert sender.sizes() == [5, 1]
