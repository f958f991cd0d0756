"""Virtual time: integer microseconds that only the scheduler moves, and only forward."""

NEVER_US = 2**62


class Clock:
    """The present of one cluster."""

    def __init__(self, now_us: int = 0) -> None:
        self._now_us = now_us

    @property
    def now_us(self) -> int:
        """The present, in microseconds of virtual time; may begin below zero."""
        return self._now_us

    def advance_to(self, at_us: int) -> None:
        """Move the present to ``at_us``; going back is our mistake, not the world's."""
        assert at_us >= self._now_us, f"virtual time cannot go back from {self._now_us} to {at_us}"
        self._now_us = at_us
