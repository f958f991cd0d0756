"""Sequence numbers that name batches, fetches, commits, watches and sessions in one cluster."""

from collections import Counter


class SequenceNumbers:
    """One counter per kind; the first number is 1."""

    def __init__(self) -> None:
        self._last: Counter[str] = Counter()

    def next(self, kind: str) -> int:
        """Return the next number of ``kind``."""
        number = self._last[kind] = self._last[kind] + 1
        return number
