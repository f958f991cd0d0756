"""Which segments of a log have had their time (0.7: LogManager.cleanupLogs)."""

from collections.abc import Iterable, Sequence
from itertools import takewhile


def expired(modified_us: Iterable[int], now_us: int, retention_us: int) -> int:
    """How many of the oldest segments, whose last changes are given oldest first, are older than ``retention_us``.

    A segment of exactly that age stays, and so does every one behind a segment that stays.
    """
    return sum(1 for _ in takewhile(lambda at_us: now_us - at_us > retention_us, modified_us))


def surplus(sizes: Sequence[int], retention_bytes: int) -> int:
    """How many of the oldest segments, whose sizes are given oldest first, the log can lose and keep
    ``retention_bytes``.

    At least that much stays, so a log is over its limit by up to one segment.
    """
    spare_bytes = sum(sizes) - retention_bytes
    count = 0
    for size_bytes in sizes:
        spare_bytes -= size_bytes
        if spare_bytes < 0:
            break
        count += 1
    return count
