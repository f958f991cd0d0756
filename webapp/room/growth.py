"""A rate meter: whether a journal grows too fast for its readers. Pure: the wall clock is an argument."""

from dataclasses import dataclass

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Budget:
    """The growth rate above which a journal is sent as digests, and the lower one below which events are sent again.

    ``burst_bytes`` may come on top at once, so that one large command does not count as too fast.
    """

    fast_bytes_per_second: int = 45_000
    slow_bytes_per_second: int = 20_000
    burst_bytes: int = 90_000


class Growth:
    """A leaky bucket that fills with the journal's bytes and drains at the fast rate: growth is fast when it overflows.

    Fast growth ends after a whole second below the slow rate, so that the state does not flicker.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._is_fast = False
        self._noted_us = 0
        self._noted_offset = 0
        self._filled_bytes = 0.0
        self._second_us = 0
        self._second_offset = 0

    @property
    def is_fast(self) -> bool:
        """Whether the journal grew too fast, as of the last note."""
        return self._is_fast

    def note(self, wall_us: int, end_offset: int) -> None:
        """Record the journal's end at ``wall_us``, a monotonic time in microseconds."""
        grown_bytes = end_offset - self._noted_offset
        leaked_bytes = self._budget.fast_bytes_per_second * (wall_us - self._noted_us) / SECOND_US
        self._noted_us, self._noted_offset = wall_us, end_offset
        self._filled_bytes = max(self._filled_bytes - leaked_bytes, 0.0) + grown_bytes
        if not self._is_fast and self._filled_bytes > self._budget.burst_bytes:
            self._is_fast = True
            self._begin_second()
        elif self._is_fast and wall_us - self._second_us >= SECOND_US:
            per_second = (end_offset - self._second_offset) * SECOND_US / (wall_us - self._second_us)
            if per_second < self._budget.slow_bytes_per_second:
                self.calm()
            self._begin_second()

    def calm(self) -> None:
        """Record that time is paused: growth is not fast, whatever it was."""
        self._is_fast = False
        self._filled_bytes = 0.0

    def _begin_second(self) -> None:
        self._second_us, self._second_offset = self._noted_us, self._noted_offset
