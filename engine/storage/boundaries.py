"""Where messages begin in a log: a broker does not know, so who wants to know must walk.

The paper's broker serves any byte offset; only at the start of a message do the bytes make sense to a consumer. The
walk goes by the lengths alone: what is damaged between two lengths, and how large a message is, changes nothing.
"""

from engine.message.format import LENGTH_BYTES, iterate_lengths, size_of_first
from engine.storage.log import Log

WALK_BYTES = 64 * 1024


def starts_a_message(log: Log, offset: int) -> bool:
    """Whether ``offset`` is where an entry begins, damaged or not, or the end of the flushed log or of the whole."""
    if offset >= log.flushed_offset:
        return offset in (log.flushed_offset, log.next_offset)
    return boundaries_around(log, offset)[0] == offset


def boundaries_around(log: Log, offset: int) -> tuple[int, int]:
    """The last entry's start at or before ``offset``, which must be a flushed one, and the next start after it.

    Every segment begins with an entry. A length that cannot be, or that goes beyond the segment, ends the walk: what
    follows up to the segment's end counts as one entry.
    """
    bases = [segment.base_offset for segment in log.segments]
    start = max(base for base in bases if base <= offset)
    end = min((base for base in bases if base > offset), default=log.flushed_offset)
    while True:
        data = log.look(start, min(WALK_BYTES, end - start))
        size_bytes = size_of_first(data)
        if size_bytes <= LENGTH_BYTES or start + size_bytes > end:
            return start, end
        ends = [size_bytes] if size_bytes > len(data) else [behind for _, behind in iterate_lengths(data)]
        before = start
        for behind in ends:
            if start + behind > offset:
                return before, start + behind
            before = start + behind
        start = before
