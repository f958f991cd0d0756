"""Message sets that wait for their acknowledgement, which the paper's producer never asked for."""

from collections.abc import Callable

from engine.ids import TopicPartition
from engine.runtime.scheduler import Scheduler, Timer
from engine.values import value

Resend = Callable[["Unsure", str], None]
"""Send a set again, or give it up: decided by its ``tries_left``; the text says what went wrong."""


@value
class Unsure:
    """A set that was sent: nobody knows yet whether it was appended."""

    batch: int
    partition: TopicPartition
    key: str
    messages: int
    message_set: bytes
    tries_left: int


class Unacknowledged:
    """The sets under way of a producer that wants to know; ``on_free`` is called when none is left."""

    def __init__(self, scheduler: Scheduler, timeout_us: int, on_failure: Resend, on_free: Callable[[], None]) -> None:
        self._scheduler = scheduler
        self._timeout_us = timeout_us
        self._on_failure = on_failure
        self._on_free = on_free
        self._waiting: dict[int, tuple[Unsure, Timer]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, batch: int) -> bool:
        return batch in self._waiting

    def add(self, unsure: Unsure) -> None:
        """A set left."""
        timer = self._scheduler.after(self._timeout_us, lambda: self.fail(unsure.batch, "not_acknowledged"))
        self._waiting[unsure.batch] = (unsure, timer)

    def settle(self, batch: int) -> None:
        """The broker has it."""
        if batch in self._waiting:
            self._waiting.pop(batch)[1].cancel()
            self._look_free()

    def fail(self, batch: int, reason: str) -> None:
        """It found nobody, was refused, or nothing was heard of it: perhaps it was appended, perhaps not."""
        if batch in self._waiting:
            unsure, timer = self._waiting.pop(batch)
            timer.cancel()
            self._on_failure(unsure, reason)
            self._look_free()

    def _look_free(self) -> None:
        if not self._waiting:
            self._on_free()
