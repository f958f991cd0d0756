"""Where messages begin in a log: a broker does not know, so whoever asks must walk.

The paper's broker serves any byte offset; only at the start of a message do the bytes make sense to a consumer.
"""

from engine.errors import OffsetscopeError
from engine.message.message_set import iterate_shallow
from engine.storage.log import Log

WALK_BYTES = 64 * 1024


def starts_a_message(log: Log, offset: int) -> bool:
    """Whether ``offset`` is where an entry begins, or the end of the flushed log; damaged bytes are not looked into."""
    if offset >= log.flushed_offset:
        return offset <= log.next_offset
    base_offset = max(segment.base_offset for segment in log.segments if segment.base_offset <= offset)
    return nearest_boundaries(log, base_offset, offset)[0] == offset


def nearest_boundaries(log: Log, from_offset: int, offset: int) -> tuple[int, int]:
    """The last entry's start at or before ``offset`` and the next start after it, walking from a known start.

    Ends at damaged bytes as if the log ended there.
    """
    start = from_offset
    while start <= offset < log.flushed_offset:
        data = log.look(start, min(WALK_BYTES, log.flushed_offset - start))
        if not data:
            break
        try:
            for entry in iterate_shallow(data, start):
                if entry.next_offset > offset:
                    return entry.offset, entry.next_offset
                start = entry.next_offset
        except OffsetscopeError:
            return (offset, offset) if start <= offset else (start, start)
    return start, log.flushed_offset
