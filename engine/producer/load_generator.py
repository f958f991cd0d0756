"""The load generator: the producer's own application, which makes messages at a rate."""

from collections.abc import Callable

from engine.config import NEVER_US
from engine.runtime.scheduler import Timer, Timers

SLICE_US = 50_000
"""The shortest period between two calls; at higher rates, a call makes several messages."""


class LoadGenerator:
    """A source that calls ``make(count)`` again and again, so that messages are made at a rate."""

    def __init__(self, timers: Timers, make: Callable[[int], None]) -> None:
        self._timers = timers
        self._make = make
        self._timer: Timer | None = None
        self._begun_us = NEVER_US
        self._rate_per_second = 0.0
        self._made = 0

    def run(self, rate_per_second: float) -> None:
        """Make messages at a rate from now on; a rate of 0 stops."""
        if self._timer is not None:
            self._timer.cancel()
        self._rate_per_second = rate_per_second
        self._begun_us = self._timers.now_us
        self._made = 0
        if rate_per_second > 0:
            self._later()

    def _later(self) -> None:
        period_us = max(SLICE_US, round(1_000_000 / self._rate_per_second))
        self._timer = self._timers.after(period_us, self._make_slice)

    def _make_slice(self) -> None:
        """Make the messages due since the start, so that rounding errors do not add up."""
        elapsed_us = self._timers.now_us - self._begun_us
        due = round(elapsed_us * self._rate_per_second / 1_000_000)
        count = due - self._made
        self._made = due
        self._later()
        if count > 0:
            self._make(count)
