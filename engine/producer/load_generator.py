"""The application behind the producer: makes page views at a rate, and stops where the producer's queue stops it."""

from collections.abc import Callable

from engine.config import NEVER_US
from engine.runtime.scheduler import Scheduler, Timer

SLICE_US = 50_000
"""Above one message a slice, messages are made several at a time."""


class LoadGenerator:
    """A source that calls ``make(count)`` again and again; ``make`` says whether it may go on."""

    def __init__(self, scheduler: Scheduler, make: Callable[[int], None]) -> None:
        self._scheduler = scheduler
        self._make = make
        self._timer: Timer | None = None
        self._begun_us = NEVER_US
        self._rate_per_second = 0.0
        self._made = 0

    def run(self, rate_per_second: float) -> None:
        """Make messages at a rate from now on; 0 stops."""
        if self._timer is not None:
            self._timer.cancel()
        self._rate_per_second = rate_per_second
        self._begun_us = self._scheduler.now_us
        self._made = 0
        if rate_per_second > 0:
            self._later()

    def _later(self) -> None:
        period_us = max(SLICE_US, round(1_000_000 / self._rate_per_second))
        self._timer = self._scheduler.after(period_us, self._make_slice)

    def _make_slice(self) -> None:
        """Make what is due since the beginning, so that rounding never adds up."""
        elapsed_us = self._scheduler.now_us - self._begun_us
        due = round(elapsed_us * self._rate_per_second / 1_000_000)
        count = due - self._made
        self._made = due
        self._later()
        if count > 0:
            self._make(count)
