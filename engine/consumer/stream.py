"""A stream of a consumer, which processes fetched messages at the application's speed."""

from collections.abc import Callable

from engine.config import ConsumerSettings
from engine.consumer.fetcher import Fetcher
from engine.runtime.scheduler import Timer, Timers

WORK_SLICE_US = 50_000
"""The shortest slice of work; at higher rates, a slice processes several messages."""


class Stream:
    """One stream of a consumer; it processes messages of the partitions it owns in turn.

    If positions move ``before`` the work, a slice's messages count as consumed when the slice begins, and a crash loses
    them. If ``after``, they count when it ends, and a crash delivers them again.
    """

    def __init__(
        self, name: str, timers: Timers, settings: Callable[[], ConsumerSettings], paused: Callable[[], bool]
    ) -> None:
        self.name = name
        self.fetchers: list[Fetcher] = []
        self._timers = timers
        self._settings = settings
        self._paused = paused
        self._work: Timer | None = None
        self._turn = 0

    def work(self) -> None:
        """Start a slice if messages wait, no slice is under way and the consumer is not paused."""
        if self._paused() or (self._work is not None and self._work.pending):
            return
        taken = any(fetcher.has_taken for fetcher in self.fetchers)
        if taken or any(fetcher.workable_messages for fetcher in self.fetchers):
            period_us = max(WORK_SLICE_US, round(1_000_000 / self._settings().messages_per_second))
            capacity = max(1, round(self._settings().messages_per_second * period_us / 1_000_000))
            if not taken and self._settings().position_moves == "before":
                self._each(capacity, Fetcher.take)
                taken = True
            self._work = self._timers.after(period_us, self._finish_taken if taken else lambda: self._finish(capacity))

    def interrupt(self) -> None:
        """Interrupt the slice under way: its work is not done, and is repeated if work continues."""
        if self._work is not None:
            self._work.cancel()

    def release(self) -> None:
        """Interrupt the slice under way and drop all partitions."""
        self.interrupt()
        self.fetchers.clear()

    def _finish(self, capacity: int) -> None:
        self._each(capacity, Fetcher.consume)
        self.work()

    def _finish_taken(self) -> None:
        """End a slice whose positions moved when it began, also if the settings have changed meanwhile."""
        for fetcher in self.fetchers:
            fetcher.finish_taken()
        self.work()

    def _each(self, capacity: int, do: Callable[[Fetcher, int], int]) -> None:
        """Call ``do`` for the partitions in turn until the capacity of a slice is used up."""
        busy = [fetcher for fetcher in self.fetchers if fetcher.workable_messages]
        self._turn += 1
        for index in range(len(busy)):
            capacity -= do(busy[(self._turn + index) % len(busy)], capacity)
            if capacity == 0:
                break
