"""The retention rules for the segments of a log (0.7: LogManager.cleanupLogs)."""

from collections.abc import Iterable, Sequence
from itertools import takewhile


def expired(modified_us: Iterable[int], now_us: int, retention_us: int) -> int:
    """Count the oldest segments that are older than ``retention_us``; ``modified_us`` are their times, oldest first.

    A segment of exactly that age stays, and so does every one after a segment that stays.
    """
    return sum(1 for _ in takewhile(lambda at_us: now_us - at_us > retention_us, modified_us))


def surplus(sizes: Sequence[int], retention_bytes: int) -> int:
    """Count the oldest segments that the log can lose and still keep ``retention_bytes``; ``sizes`` are oldest first.

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
