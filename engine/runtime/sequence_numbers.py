"""Running numbers that name batches, pulls, commits, watches and sessions in one cluster."""

from collections import Counter


class SequenceNumbers:
    """A counter a kind; the first number is 1."""

    def __init__(self) -> None:
        self._last: Counter[str] = Counter()

    def next(self, kind: str) -> int:
        """The next number of ``kind``."""
        number = self._last[kind] = self._last[kind] + 1
        return number
