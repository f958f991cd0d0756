"""The offsets that a log had before a time, at the granularity of segments (0.7: Log.getOffsetsBefore)."""

from collections.abc import Sequence
from typing import Final

LATEST: Final = -1
"""Requests the newest offsets; the first of them is that of the next message."""
EARLIEST: Final = -2
"""Requests the oldest offset, a single one."""

Known = tuple[int, int]
"""An offset at which a reader may start, and the time in microseconds from which it is known."""


def offsets_before(known: Sequence[Known], time_us: int, max_offsets: int) -> tuple[int, ...]:
    """Return up to ``max_offsets`` of the ``known`` offsets (oldest first), newest first.

    The first is the newest one known at ``time_us`` or before; there is none if all are later. :data:`LATEST` begins
    with the newest whatever its time, :data:`EARLIEST` returns only the oldest.
    """
    if time_us == EARLIEST:
        known = known[:1]
    elif time_us != LATEST:
        while known and known[-1][1] > time_us:
            known = known[:-1]
    return tuple(offset for offset, _ in reversed(known))[: max(0, max_offsets)]


def offsets_of_missing_log(time_us: int) -> tuple[int, ...]:
    """Return the offsets of a partition that has no log yet: it begins and ends at 0.

    The number of offsets requested is ignored, as in 0.7.1's getEmptyOffsets.
    """
    return (0,) if time_us in (LATEST, EARLIEST) else ()
