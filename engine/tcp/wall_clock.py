"""The time of day, for logs whose segments have ages."""

import time


class WallClock:
    """Microseconds of the epoch that never go back: where the system's clock is set back, this one stands."""

    def __init__(self) -> None:
        self._latest_us = 0

    def __call__(self) -> int:
        self._latest_us = max(self._latest_us, time.time_ns() // 1_000)
        return self._latest_us
