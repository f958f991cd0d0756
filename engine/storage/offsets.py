"""Which offsets a log had before a time, at the granularity of segments (0.7: Log.getOffsetsBefore)."""

from collections.abc import Sequence
from typing import Final

LATEST: Final = -1
"""Asks for the newest offsets there are; the first of them is where the next message will be found."""
EARLIEST: Final = -2
"""Asks for the oldest offset, which is one."""

Known = tuple[int, int]
"""An offset that a reader may start at, and the time in microseconds since when it is known."""


def offsets_before(known: Sequence[Known], time_us: int, max_offsets: int) -> tuple[int, ...]:
    """Up to ``max_offsets`` of the ``known`` offsets (oldest first), newest first.

    The first is the newest one known at ``time_us`` or before, so nothing if all came later. :data:`LATEST` begins at
    the newest whatever its time, :data:`EARLIEST` gives the oldest alone.
    """
    if time_us == EARLIEST:
        known = known[:1]
    elif time_us != LATEST:
        while known and known[-1][1] > time_us:
            known = known[:-1]
    return tuple(offset for offset, _ in reversed(known))[: max(0, max_offsets)]


def offsets_of_missing_log(time_us: int) -> tuple[int, ...]:
    """What is answered for a partition that nobody has written to yet: it begins and ends at 0.

    However many offsets were asked for: 0.7.1's getEmptyOffsets does not look.
    """
    return (0,) if time_us in (LATEST, EARLIEST) else ()
