"""The bounded queue of an asynchronous producer (0.7: kafka.producer.async).

Messages wait until a batch is full or the oldest has lingered long enough; then up to a batch of them, all topics
together, goes to the sender in order. While a batch waits for its acknowledgement, the next one waits too.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from engine.config import ProducerSettings
from engine.errors import QueueClosed, QueueFull
from engine.runtime.scheduler import Scheduler, Timer
from engine.values import value


@value
class Record:
    """A message with the key that chooses its partition; the format of 2011 stores the payload alone."""

    key: str
    payload: bytes


Waiting = tuple[str, Record, int]
"""A topic, a record for it, and since when it waits in the queue or until when it waits for a place in it."""


class Counts(NamedTuple):
    """How many records are in the queue, how many wait for a place, how many found none so far."""

    queued: int
    blocked: int
    dropped: int


Ship = Callable[[Sequence[Waiting]], bool]
"""Send a batch; says whether the next may follow at once (else :meth:`AsyncQueue.go_on` is called)."""


class AsyncQueue:
    """The queue between an application and the sender.

    When it is full (``queue_messages``): ``fail`` refuses with :class:`QueueFull`, ``block`` lets the application wait,
    ``wait`` lets it wait ``queue_wait_ms`` and then drops the message (0.7: queue.enqueueTimeout.ms 0, <0, >0).
    """

    def __init__(
        self, scheduler: Scheduler, settings: ProducerSettings, ship: Ship, on_change: Callable[[], None]
    ) -> None:
        self._scheduler = scheduler
        self._settings = settings
        self._ship = ship
        self._on_change = on_change
        self._queued: deque[Waiting] = deque()
        self._blocked: deque[Waiting] = deque()
        self._dropped = 0
        self._sender_busy = False
        self._closed = False
        self._linger: Timer | None = None

    @property
    def counts(self) -> Counts:
        """The state of the queue."""
        return Counts(len(self._queued), len(self._blocked), self._dropped)

    def put(self, topic: str, records: Sequence[Record]) -> None:
        """Queue records, all or none; :class:`QueueFull` under ``fail``, :class:`QueueClosed` after :meth:`close`."""
        if self._closed:
            raise QueueClosed("the producer is closed", "open another one")
        settings = self._settings
        free = settings.queue_messages - len(self._queued) - len(self._blocked)
        if settings.queue_full == "fail" and len(records) > free:
            raise QueueFull(
                f"the queue of {settings.queue_messages} messages has {max(free, 0)} free places",
                "send less, slower, or let the application wait (queue_full: block or wait)",
                queue_messages=settings.queue_messages,
                queued=len(self._queued),
            )
        now_us = self._scheduler.now_us
        patience_us = settings.queue_wait_ms * 1000
        for record in records:
            if len(self._queued) < settings.queue_messages and not self._blocked:
                self._queued.append((topic, record, now_us))
            else:
                self._blocked.append((topic, record, now_us + patience_us))
        if self._blocked and settings.queue_full == "wait":
            self._scheduler.after(patience_us, self._drop_impatient)
        self._ship_what_is_due()

    def drop(self, count: int) -> None:
        """Count records that an application gave up because the queue refused them."""
        self._dropped += count
        self._on_change()

    def go_on(self) -> None:
        """The sender is free again."""
        self._sender_busy = False
        self._ship_what_is_due()

    def close(self) -> None:
        """Send everything that is still here, full batches or not, and take no more."""
        self._closed = True
        self._queued.extend(self._blocked)
        self._blocked.clear()
        while self._queued:
            self._ship_batch()

    def _ship_what_is_due(self) -> None:
        """Send as many batches as are full or old enough, while the sender is free."""
        linger_us = self._settings.linger_ms * 1000
        while self._queued and not self._sender_busy:
            full = len(self._queued) >= self._settings.batch_messages
            if not full and self._scheduler.now_us - self._queued[0][2] < linger_us:
                break
            self._ship_batch()
            self._let_in()
        if self._queued and not self._sender_busy:
            self._look_again_at(self._queued[0][2] + linger_us)
        self._on_change()

    def _look_again_at(self, due_us: int) -> None:
        """Wake up when the oldest message has lingered long enough; most often that is when it was to be before."""
        linger = self._linger
        if linger is not None and linger.pending and linger.due_us == due_us:
            self._scheduler.put_off(linger)
            return
        if linger is not None:
            linger.cancel()
        self._linger = self._scheduler.at(due_us, self._ship_what_is_due)

    def _ship_batch(self) -> None:
        size = min(self._settings.batch_messages, len(self._queued))
        self._sender_busy = not self._ship([self._queued.popleft() for _ in range(size)])

    def _let_in(self) -> None:
        """Give free places to those who wait for one."""
        now_us = self._scheduler.now_us
        while self._blocked and len(self._queued) < self._settings.queue_messages:
            topic, record, _ = self._blocked.popleft()
            self._queued.append((topic, record, now_us))

    def _drop_impatient(self) -> None:
        while self._blocked and self._blocked[0][2] <= self._scheduler.now_us:
            self._blocked.popleft()
            self._dropped += 1
        self._on_change()
