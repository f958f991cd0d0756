"""Finding out what a segment holds after a crash."""

import zlib
from dataclasses import dataclass
from typing import Final

from engine.message.format import LENGTH_BYTES, MAX_OVERHEAD_BYTES, Ending, read_header, scan_entries
from engine.storage.segment import Segment

CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Recovery:
    """What opening a log had to cut off its end, and why; ``reason`` is "" if nothing was."""

    bytes_cut: int
    reason: str


NOTHING_CUT: Final = Recovery(0, "")


def recover(segment: Segment) -> Recovery:
    """Keep the whole messages at the start of ``segment`` and cut off the rest, good messages behind a bad one too.

    That is what 0.7 does (FileMessageSet.recover); the paper speaks of removing the inconsistent messages alone,
    which would move the offsets of those behind. Unlike 0.7 an unknown magic is cut off too, not an error. What
    stays is flushed, so it is safe to show.
    """
    position, reason = _end_of_whole_entries(segment)
    bytes_cut = segment.size_bytes - position
    if bytes_cut == 0:
        segment.flush()
        return NOTHING_CUT
    segment.truncate(position)
    return Recovery(bytes_cut, f"at offset {segment.next_offset}: {reason}")


def _end_of_whole_entries(segment: Segment) -> tuple[int, str]:
    """The position after the last whole entry, and what is wrong there; read in bounded chunks."""
    position = 0
    while position < segment.size_bytes:
        chunk = segment.read(segment.base_offset + position, CHUNK_BYTES)
        scan = scan_entries(chunk)
        if scan.ending in (Ending.BAD_SIZE, Ending.BAD_MESSAGE):
            return position + scan.end, scan.reason
        if scan.ending is Ending.PARTIAL and position + len(chunk) == segment.size_bytes:
            return position + scan.end, scan.reason
        if scan.end == 0:
            size_bytes, reason = _check_large_entry(segment, position)
            if reason:
                return position, reason
            position += size_bytes
        position += scan.end
    return position, ""


def _check_large_entry(segment: Segment, position: int) -> tuple[int, str]:
    """The size of an entry that is longer than a chunk, or what is wrong with it."""
    start = segment.read(segment.base_offset + position, MAX_OVERHEAD_BYTES)
    header = read_header(start)
    end = position + header.size_bytes
    if start[LENGTH_BYTES] > 1:
        return 0, f"unknown magic {start[LENGTH_BYTES]}"
    if end > segment.size_bytes:
        return 0, f"the message needs {header.size_bytes} bytes and {segment.size_bytes - position} are left"
    crc = 0
    at = position + header.overhead_bytes
    while at < end:
        chunk = segment.read(segment.base_offset + at, min(CHUNK_BYTES, end - at))
        crc = zlib.crc32(chunk, crc)
        at += len(chunk)
    if crc != header.crc:
        return 0, "the payload contradicts its CRC"
    return header.size_bytes, ""
