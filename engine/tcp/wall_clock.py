"""The wall clock, for the ages of segments."""

import time


class WallClock:
    """A clock of microseconds since the epoch that never goes back, even if the system's clock is set back."""

    def __init__(self) -> None:
        self._latest_us = 0

    def __call__(self) -> int:
        self._latest_us = max(self._latest_us, time.time_ns() // 1_000)
        return self._latest_us
