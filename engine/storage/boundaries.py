"""Message boundaries in a log. A broker keeps no index of them, so they are found by a scan.

The paper's broker serves any byte offset; only at the start of a message do the bytes make sense to a consumer. The
scan goes by the length fields alone: damage between two of them, and the size of a message, make no difference.
"""

from engine.message.format import LENGTH_BYTES, iterate_lengths, size_of_first
from engine.storage.log import Log

WALK_BYTES = 64 * 1024


def starts_a_message(log: Log, offset: int) -> bool:
    """Return whether an entry, damaged or not, begins at ``offset``, or the flushed or the whole log ends there."""
    if offset >= log.flushed_offset:
        return offset in (log.flushed_offset, log.next_offset)
    return boundaries_around(log, offset)[0] == offset


def boundaries_around(log: Log, offset: int) -> tuple[int, int]:
    """Return the start of the last entry at or before ``offset``, which must be flushed, and the next start after it.

    Every segment begins with an entry. An impossible length, or one that goes beyond the segment, ends the scan: the
    rest of the segment counts as one entry.
    """
    bases = [segment.base_offset for segment in log.segments]
    start = max(base for base in bases if base <= offset)
    end = min((base for base in bases if base > offset), default=log.flushed_offset)
    while True:
        data = log.read_unflushed(start, min(WALK_BYTES, end - start))
        size_bytes = size_of_first(data)
        if size_bytes <= LENGTH_BYTES or start + size_bytes > end:
            return start, end
        ends = [size_bytes] if size_bytes > len(data) else [entry_end for _, entry_end in iterate_lengths(data)]
        before = start
        for entry_end in ends:
            if start + entry_end > offset:
                return before, start + entry_end
            before = start + entry_end
        start = before
