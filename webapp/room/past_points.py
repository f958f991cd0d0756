"""Points in a room's past, and the commands before them."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from engine.journal.checkpoint_index import CheckpointInterval
from engine.journal.journal import JournalChunk
from engine.message.format import MAGIC_0_OVERHEAD_BYTES

CHUNK_BYTES = 1024 * 1024  # read under the room's lock, while no virtual time passes in the room
Read = Callable[[int, int], JournalChunk]


@dataclass(frozen=True, slots=True)
class PastPoint:
    """A point in a room's past: after everything journaled before ``journal_offset``, at ``at_us``."""

    at_us: int
    journal_offset: int


@dataclass(frozen=True, slots=True)
class Past:
    """The past up to ``point``, which made ``journal_bytes`` of journal."""

    point: PastPoint
    journal_bytes: int


def time_before(journal_offset: int, chapter: CheckpointInterval, read: Read) -> int:
    """Return the virtual time of the last event before ``journal_offset``, which ``chapter`` holds; 0 if none."""
    position = chapter.offset
    last_payload = b'{"at_us":0}'
    while position < journal_offset:
        chunk = read(position, min(CHUNK_BYTES, journal_offset - position))
        assert chunk.payloads, "an event ends at journal_offset"
        position = chunk.next_offset
        last_payload = chunk.payloads[-1]
    return int(json.loads(last_payload)["at_us"])


def end_at(at_us: int, chapter: CheckpointInterval, read: Read) -> int:
    """Return the offset after the last event at or before ``at_us``, which ``chapter`` holds."""
    position = chapter.offset
    while position < chapter.end_offset:
        chunk = read(position, min(CHUNK_BYTES, chapter.end_offset - position))
        assert chunk.payloads, "an event ends where the chapter does"
        for payload in chunk.payloads:
            if json.loads(payload)["at_us"] > at_us:
                return position
            position += MAGIC_0_OVERHEAD_BYTES + len(payload)
    return position
