"""The bounded queue of an asynchronous producer."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from engine.config import TINY, ProducerSettings
from engine.errors import QueueFull
from engine.producer.async_queue import AsyncQueue, Counts, Record, Waiting
from engine.runtime.scheduler import Scheduler

SETTINGS = replace(TINY.producer, sending="async", queue_messages=10, batch_messages=5, linger_ms=1000)


class Sender:
    """A sender that takes batches; one that ``asks`` is busy after each until :meth:`free`."""

    def __init__(self, settings: ProducerSettings, *, asks: bool = False) -> None:
        self.scheduler = Scheduler()
        self.batches: list[list[bytes]] = []
        self.asks = asks
        self.busy = False
        self.queue = AsyncQueue(self.scheduler, settings, self.send, lambda: not self.busy, lambda: None)

    def send(self, batch: Sequence[Waiting]) -> None:
        self.batches.append([record.payload for _, record, _ in batch])
        self.busy = self.asks

    def free(self) -> None:
        self.busy = False
        self.queue.resume()

    def put(self, *payloads: bytes) -> None:
        self.queue.put("t", [Record("", payload) for payload in payloads])

    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


def test_full_batches_are_sent_and_draining_the_queue_sends_the_rest() -> None:
    sender = Sender(SETTINGS)
    for number in range(11):
        sender.put(b"%d" % number)
    sender.queue.drain()
    assert sender.sizes() == [5, 5, 1]  # case 39
    assert sender.batches[0] == [b"0", b"1", b"2", b"3", b"4"]


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


def test_all_queued_messages_are_sent_when_the_oldest_has_lingered() -> None:
    sender = Sender(SETTINGS)
    sender.put(b"a")
    sender.scheduler.run_until(900_000)
    sender.put(b"b")
    sender.scheduler.run_until(999_999)
    assert sender.sizes() == []
    sender.scheduler.run_until(1_000_000)
    assert sender.sizes() == [2]


def test_records_of_a_blocked_application_enter_the_queue_in_order_as_the_sender_continues() -> None:
    sender = Sender(replace(SETTINGS, queue_full="block"), asks=True)
    sender.put(*[b"%02d" % number for number in range(18)])
    assert (sender.sizes(), sender.queue.counts) == ([5], Counts(10, 3, 0))
    sender.free()
    assert (sender.sizes(), sender.queue.counts) == ([5, 5], Counts(8, 0, 0))
    sender.free()
    sender.queue.drain()
    sender.free()
    assert [payload for batch in sender.batches for payload in batch] == [b"%02d" % number for number in range(18)]


def test_a_waiting_application_times_out() -> None:
    sender = Sender(replace(SETTINGS, queue_full="wait", queue_wait_ms=200), asks=True)
    sender.put(*[b"x"] * 18)
    sender.scheduler.run_until(199_999)
    assert sender.queue.counts == Counts(10, 3, 0)
    sender.scheduler.run_until(200_000)
    assert sender.queue.counts == Counts(10, 0, 3)


def test_nothing_is_sent_while_the_sender_is_busy_however_long_it_lingers() -> None:
    sender = Sender(SETTINGS, asks=True)
    sender.put(*[b"x"] * 5)
    sender.put(b"y")
    sender.scheduler.run_until(10_000_000)
    assert sender.sizes() == [5]
    sender.free()
    assert sender.sizes() == [5, 1]


# --- new settings ---------------------------------------------------------------------------------------------------


def numbers(sender: Sender) -> list[int]:
    return [int(payload) for batch in sender.batches for payload in batch]


def test_a_longer_and_a_shorter_linger_count_from_when_a_record_was_queued() -> None:
    sender = Sender(SETTINGS)
    sender.put(b"1")
    sender.scheduler.run_until(500_000)
    sender.queue.change(replace(SETTINGS, linger_ms=2_000))
    sender.scheduler.run_until(1_999_999)
    assert sender.sizes() == []
    sender.scheduler.run_until(2_000_000)
    assert sender.sizes() == [1]
    sender.put(b"2")
    sender.scheduler.run_until(2_600_000)
    sender.queue.change(replace(SETTINGS, linger_ms=700))
    sender.scheduler.run_until(2_700_000)
    assert sender.sizes() == [1, 1]


def test_a_smaller_batch_size_sends_the_batches_that_are_now_full() -> None:
    sender = Sender(SETTINGS)
    for number in range(4):
        sender.put(b"%d" % number)
    sender.queue.change(replace(SETTINGS, batch_messages=3))
    assert (sender.sizes(), sender.queue.counts) == ([3], Counts(1, 0, 0))


@pytest.mark.parametrize("queue_full", ["fail", "block"])
def test_records_that_wait_for_a_place_get_it_in_order_under_another_queue_full_setting(queue_full: str) -> None:
    settings = replace(SETTINGS, queue_full="wait", queue_wait_ms=200, batch_messages=4, linger_ms=0)
    sender = Sender(settings, asks=True)
    sender.put(*[b"%d" % number for number in range(20)])
    changed = replace(settings, queue_full=queue_full)
    sender.queue.change(changed)
    assert sender.queue.counts == Counts(10, 6, 0)
    sender.scheduler.run_until(1_000_000)
    for _ in range(5):
        sender.free()
    assert numbers(sender) == list(range(20))
    assert sender.queue.counts == Counts(0, 0, 0)


def test_a_queue_that_refuses_when_full_takes_waiting_records_before_new_ones() -> None:
    settings = replace(SETTINGS, queue_full="block", batch_messages=4)
    sender = Sender(settings, asks=True)
    sender.put(*[b"%d" % number for number in range(16)])
    sender.queue.change(replace(settings, queue_full="fail"))
    with pytest.raises(QueueFull):
        sender.put(b"16")
    sender.free()
    assert sender.queue.counts == Counts(8, 0, 0)
    sender.put(b"16")
    assert sender.queue.counts == Counts(9, 0, 0)


def test_a_new_wait_limit_counts_from_when_a_record_began_to_wait_even_without_one_before() -> None:
    settings = replace(SETTINGS, queue_full="block", batch_messages=5)
    sender = Sender(settings, asks=True)
    sender.put(*[b"%d" % number for number in range(16)])
    sender.scheduler.run_until(150_000)
    sender.put(b"16")
    sender.queue.change(replace(settings, queue_full="wait", queue_wait_ms=200))
    sender.scheduler.run_until(200_000)
    assert sender.queue.counts == Counts(10, 1, 1)
    sender.queue.change(replace(settings, queue_full="wait", queue_wait_ms=500))
    sender.scheduler.run_until(649_999)
    assert sender.queue.counts == Counts(10, 1, 1)
    sender.scheduler.run_until(650_000)
    assert sender.queue.counts == Counts(10, 0, 2)


def test_a_shorter_wait_limit_applies_to_records_that_already_wait() -> None:
    settings = replace(SETTINGS, queue_full="wait", queue_wait_ms=10_000, batch_messages=5)
    sender = Sender(settings, asks=True)
    sender.put(*[b"x"] * 17)
    sender.scheduler.run_until(50_000)
    sender.queue.change(replace(settings, queue_wait_ms=200))
    sender.scheduler.run_until(199_999)
    assert sender.queue.counts == Counts(10, 2, 0)
    sender.scheduler.run_until(200_000)
    assert sender.queue.counts == Counts(10, 0, 2)


def test_a_record_that_has_waited_longer_than_the_new_limit_is_dropped_at_once() -> None:
    settings = replace(SETTINGS, queue_full="block", batch_messages=5)
    sender = Sender(settings, asks=True)
    sender.put(*[b"x"] * 17)
    sender.scheduler.run_until(300_000)
    sender.queue.change(replace(settings, queue_full="wait", queue_wait_ms=200))
    assert sender.queue.counts == Counts(10, 0, 2)


def test_a_queue_that_shrinks_keeps_what_it_holds_and_refuses_until_it_is_below_its_size() -> None:
    settings = replace(SETTINGS, batch_messages=5, linger_ms=0)
    sender = Sender(settings, asks=True)
    sender.put(*[b"%d" % number for number in range(10)])
    sender.put(*[b"%d" % number for number in range(10, 15)])
    sender.queue.change(replace(settings, queue_messages=3))
    assert sender.queue.counts == Counts(10, 0, 0)
    with pytest.raises(QueueFull) as fault:
        sender.put(b"refused")
    assert fault.value.fields == {"queue_messages": 3, "queued": 10}
    sender.free()
    sender.free()
    sender.put(b"15")
    sender.free()
    assert numbers(sender) == list(range(16))


def test_a_queue_that_grows_takes_the_waiting_records() -> None:
    settings = replace(SETTINGS, queue_full="block")
    sender = Sender(settings, asks=True)
    sender.put(*[b"x"] * 30)
    assert sender.queue.counts == Counts(10, 15, 0)
    sender.queue.change(replace(settings, queue_messages=20))
    assert sender.queue.counts == Counts(20, 5, 0)


def test_synchronous_sending_drains_the_queue_batch_by_batch_while_the_sender_is_busy() -> None:
    settings = replace(SETTINGS, queue_full="wait", queue_wait_ms=200, batch_messages=4)
    sender = Sender(settings, asks=True)
    sender.put(*[b"%d" % number for number in range(17)])
    sender.queue.change(replace(settings, sending="sync"))
    assert (sender.sizes(), sender.queue.draining) == ([4], True)
    sender.scheduler.run_until(200_000)
    assert sender.queue.counts == Counts(10, 0, 3)
    for size in (4, 4, 2):
        assert sender.queue.draining
        sender.free()
        assert sender.sizes()[-1] == size
    assert not sender.queue.draining
    sender.free()
    sender.put(b"17")
    assert sender.queue.counts == Counts(1, 0, 3)
