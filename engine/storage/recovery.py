"""Recovery of a segment after a crash."""

import zlib
from dataclasses import dataclass
from typing import Final

from engine.errors import InvalidMessage, InvalidMessageSize
from engine.message.format import (
    MAGIC_1,
    MAX_OVERHEAD_BYTES,
    damaged,
    invalid_size,
    iterate_shallow,
    read_header,
    size_of_first,
)
from engine.storage.segment import Segment

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Recovery:
    """The bytes that recovery truncated at the end of a log, and why; ``reason`` is "" if there were none."""

    bytes_cut: int
    reason: str


NOTHING_CUT: Final = Recovery(0, "")


def recover(segment: Segment) -> Recovery:
    """Keep the whole messages at the start of ``segment`` and truncate the rest, good messages after a bad one too.

    That is what 0.7 does (FileMessageSet.recover); the paper speaks of removing the inconsistent messages alone,
    which would move the offsets of those after them. Unlike in 0.7, an unknown magic is truncated too, not an error.
    Only size, magic and CRC are checked: a compressed set stays whatever its codec and its content, and readers report
    what they cannot read (0.7: Message.isValid). What stays is flushed, so readers may see it.
    """
    position, reason = _end_of_whole_entries(segment)
    bytes_cut = segment.size_bytes - position
    if bytes_cut == 0:
        segment.flush()
        return NOTHING_CUT
    segment.truncate(position)
    return Recovery(bytes_cut, reason)


def _end_of_whole_entries(segment: Segment) -> tuple[int, str]:
    """Return the position after the last whole entry, and the error there; read in bounded chunks."""
    position = 0
    try:
        while position < segment.size_bytes:
            offset = segment.base_offset + position
            chunk = segment.read(offset, CHUNK_BYTES)
            size_bytes, left_bytes = size_of_first(chunk), segment.size_bytes - position
            if size_bytes > left_bytes:
                raise invalid_size(offset, f"it needs {size_bytes} bytes and {left_bytes} are left")
            if size_bytes > len(chunk):
                _check_large_entry(segment, offset)
                position += size_bytes
            else:
                for _, next_offset, _, _ in iterate_shallow(chunk, offset):
                    position = next_offset - segment.base_offset
    except (InvalidMessage, InvalidMessageSize) as error:
        return position, error.message
    return position, ""


def _check_large_entry(segment: Segment, offset: int) -> None:
    """Raise unless the entry at ``offset``, which is complete and longer than a chunk, is valid."""
    header = read_header(segment.read(offset, MAX_OVERHEAD_BYTES))
    if header.magic > MAGIC_1:
        raise damaged(offset, f"unknown magic {header.magic}")
    crc = 0
    at, end = offset + header.overhead_bytes, offset + header.size_bytes
    while at < end:
        chunk = segment.read(at, min(CHUNK_BYTES, end - at))
        crc = zlib.crc32(chunk, crc)
        at += len(chunk)
    if crc != header.crc:
        raise damaged(offset, "the payload does not match its CRC")
