"""The bounded queue of an asynchronous producer (0.7: kafka.producer.async).

Messages wait until a batch is full or the oldest has lingered long enough; then up to a batch of them, all topics
together, goes to the sender in order. While a batch waits for its acknowledgement, the next one waits too. New settings
apply to waiting messages as well: they neither lose nor reorder a message that was accepted.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from engine.config import NEVER_US, ProducerSettings
from engine.errors import QueueFull
from engine.runtime.scheduler import Timer, Timers
from engine.values import value


@value
class Record:
    """A message with the key that chooses its partition; the format of 2011 stores the payload alone."""

    key: str
    payload: bytes


Waiting = tuple[str, Record, int]
"""A topic, a record for it, and when it began to wait, in the queue or for a place in it (virtual microseconds)."""


class Counts(NamedTuple):
    """How many records are in the queue, how many wait for a place, and how many were dropped so far."""

    queued: int
    blocked: int
    dropped: int


SendBatch = Callable[[Sequence[Waiting]], None]
"""Send a batch."""


class AsyncQueue:
    """The queue between an application and the sender.

    When full (``queue_messages``): ``fail`` refuses with :class:`QueueFull`, ``block`` makes the application wait,
    ``wait`` makes it wait ``queue_wait_ms`` and then drops the message (0.7: queue.enqueueTimeout.ms 0, <0, >0).
    ``is_free`` says whether a batch may be sent now; if not, :meth:`resume` is called when it may.
    """

    def __init__(
        self,
        timers: Timers,
        settings: ProducerSettings,
        send: SendBatch,
        is_free: Callable[[], bool],
        on_change: Callable[[], None],
    ) -> None:
        self._timers = timers
        self._settings = settings
        self._send = send
        self._is_free = is_free
        self._on_change = on_change
        self._queued: deque[Waiting] = deque()
        self._blocked: deque[Waiting] = deque()
        self._dropped = 0
        self._draining = 0
        self._linger: Timer | None = None
        self._wait_timer: Timer | None = None

    @property
    def counts(self) -> Counts:
        """The current counts of the queue."""
        return Counts(len(self._queued), len(self._blocked), self._dropped)

    @property
    def size_bytes(self) -> int:
        """The bytes of all records that wait, in the queue or for a place in it."""
        return sum(len(record.payload) for waiting in (self._queued, self._blocked) for _, record, _ in waiting)

    @property
    def draining(self) -> bool:
        """Whether records are left that a drain began with."""
        return self._draining > 0

    def put(self, topic: str, records: Sequence[Record]) -> None:
        """Queue records, all or none: raises :class:`QueueFull` under ``fail``."""
        settings = self._settings
        free = settings.queue_messages - len(self._queued) - len(self._blocked)
        if settings.queue_full == "fail" and len(records) > free:
            raise QueueFull(
                f"the queue of {settings.queue_messages} messages has {max(free, 0)} free places",
                "send less, slower, or let the application wait (queue_full: block or wait)",
                queue_messages=settings.queue_messages,
                queued=len(self._queued),
            )
        now_us = self._timers.now_us
        for record in records:
            has_place = len(self._queued) < settings.queue_messages and not self._blocked
            (self._queued if has_place else self._blocked).append((topic, record, now_us))
        self._limit_wait()
        self._send_due_batches()

    def drop(self, count: int) -> None:
        """Count records that an application dropped because the queue refused them."""
        self._dropped += count
        self._on_change()

    def resume(self) -> None:
        """Continue sending, since the sender is free again."""
        self._send_due_batches()

    def change(self, settings: ProducerSettings) -> None:
        """Apply new settings, also to waiting records; their times count from when a record began to wait.

        Records that wait for a place keep waiting until there is one, also under ``fail``, since they were accepted;
        under ``wait``, for ``queue_wait_ms`` at most. A queue that shrinks keeps what it holds. If sending is ``sync``
        from now on, the queue is drained.
        """
        self._settings = settings
        self._fill_free_places()
        if settings.sending == "sync":
            self._mark_for_draining()
        self._send_due_batches()
        self._drop_overdue()

    def drain(self) -> None:
        """Send all present records as soon as the sender is free, in full batches or not."""
        self._mark_for_draining()
        self._send_due_batches()

    def _mark_for_draining(self) -> None:
        self._draining = len(self._queued) + len(self._blocked)

    def _send_due_batches(self) -> None:
        """Send as many batches as are full, old enough or to be drained, while the sender is free."""
        linger_us = self._settings.linger_ms * 1000
        while self._queued and self._is_free():
            is_due = self._draining or len(self._queued) >= self._settings.batch_messages
            if not is_due and self._timers.now_us - self._queued[0][2] < linger_us:
                self._check_again_at(self._queued[0][2] + linger_us)
                break
            self._send_batch()
            self._fill_free_places()
        self._on_change()

    def _check_again_at(self, due_us: int) -> None:
        """Set a timer for when the oldest message has lingered long enough; it runs after what is due then already."""
        if self._linger is not None:
            self._linger.cancel()
        self._linger = self._timers.at(due_us, self._send_due_batches)

    def _send_batch(self) -> None:
        size = min(self._settings.batch_messages, len(self._queued))
        self._draining = max(0, self._draining - size)
        self._send([self._queued.popleft() for _ in range(size)])

    def _fill_free_places(self) -> None:
        """Move records that wait for a place into the free ones."""
        now_us = self._timers.now_us
        while self._blocked and len(self._queued) < self._settings.queue_messages:
            topic, record, _ = self._blocked.popleft()
            self._queued.append((topic, record, now_us))

    def _limit_wait(self) -> None:
        """Set a timer for when the first record that waits for a place has waited long enough."""
        timer = self._wait_timer
        due_us = NEVER_US
        if self._blocked and self._settings.queue_full == "wait":
            due_us = self._blocked[0][2] + self._settings.queue_wait_ms * 1000
        if timer is not None and timer.pending and timer.due_us != due_us:
            timer.cancel()
        if due_us != NEVER_US and (timer is None or not timer.pending):
            self._wait_timer = self._timers.at(due_us, self._drop_overdue)

    def _drop_overdue(self) -> None:
        """Under ``wait``, drop records that have waited too long for a place."""
        if self._settings.queue_full == "wait":
            latest_us = self._timers.now_us - self._settings.queue_wait_ms * 1000
            while self._blocked and self._blocked[0][2] <= latest_us:
                self._blocked.popleft()
                self._dropped += 1
                if self._draining > len(self._queued):
                    self._draining -= 1
        self._limit_wait()
        self._on_change()
