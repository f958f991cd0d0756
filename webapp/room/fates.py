"""What has happened to the bytes at an offset of a log since a moment of the past."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from engine.ids import TopicPartition
from engine.journal.journal import Journal

FateKind = Literal["same", "reset", "deleted", "cut", "flipped"]
READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Fate:
    """``same`` if the bytes are unchanged; otherwise what changed them, and when (virtual microseconds)."""

    kind: FateKind
    at_us: int = 0


SAME = Fate("same")


def fate_of(journal: Journal, partition: TopicPartition, offset: int, journal_offset: int) -> Fate:
    """Return what first happened, after ``journal_offset``, to the entry that began at ``offset`` of a partition's log.

    Only events near the journal's timeline marks are read, not the whole journal. Raises what ``Journal.read`` raises
    if no event starts at ``journal_offset``.
    """
    journal.read(journal_offset, 0)
    subject = f"partition:{partition}"
    for moment in journal.marks_since(journal_offset):
        if moment.kind == "reset" and moment.offset >= journal_offset:
            return Fate("reset", moment.at_us)
        if moment.kind not in _TOUCHES or moment.subject != subject:
            continue
        for event in _events(journal, max(moment.offset, journal_offset), moment.last_offset):
            if event["event"] == moment.kind and _is_about(event, partition) and _touches(event, offset):
                return Fate(_TOUCHES[moment.kind], event["at_us"])
    return SAME


_TOUCHES: Mapping[str, FateKind] = {"segment_deleted": "deleted", "log_cut": "cut", "byte_flipped": "flipped"}


def _is_about(event: Mapping[str, Any], partition: TopicPartition) -> bool:
    return bool(event["topic"] == partition.topic and event["partition"] == partition.partition)


def _touches(event: Mapping[str, Any], offset: int) -> bool:
    match event["event"]:
        case "segment_deleted":
            return bool(offset < event["first_offset"])
        case "log_cut":
            return bool(offset >= event["next_offset"])
        case _:
            return bool(offset == event["offset"])


def _events(journal: Journal, first_offset: int, last_offset: int) -> Iterator[dict[str, Any]]:
    """Yield the events that begin in ``first_offset..last_offset``, the last one included."""
    position = first_offset
    while position <= last_offset:
        chunk = journal.read(position, READ_BYTES)
        if not chunk.payloads:
            return
        yield from (json.loads(payload) for payload in chunk.payloads)
        position = chunk.next_offset
