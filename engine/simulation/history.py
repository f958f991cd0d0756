"""The history of a run: the only input of a checker."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JournalEvent = Mapping[str, Any]
"""One event of the journal, as decoded JSON."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One command of the schedule: its time, its fields, and the code of the error that refused it ("" if none did)."""

    at_us: int
    fields: Mapping[str, Any]
    refusal: str


@dataclass(frozen=True, slots=True)
class FinalLog:
    """A partition's log at the end of the run, read from its files."""

    first_offset: int
    flushed_offset: int
    next_offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A message in the warehouse: the copy's partition and its offset there."""

    partition: str
    offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """The contents of a warehouse: its rows, and its next offset by partition; empty where there is no warehouse."""

    rows: Sequence[Row] = ()
    next_offsets: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """The record of one run, complete when the run is over.

    ``events`` is the journal. ``batches`` and ``answers`` are the bytes seen on the wire: message sets by batch number,
    fetch responses by fetch number. ``logs`` is what the files hold at the end, by partition (``clicks-0``). ``state``,
    ``facts`` and ``loaded`` are the snapshot, the cluster's facts and the warehouse's contents at the end. ``broken``
    are the broken invariants, each with the virtual time at which it was seen. ``recovery_us`` is when the schedule
    ended and the recovery began. ``registry_hop_us`` is the longest that a message to or from the registry takes on a
    healthy link.
    """

    operations: Sequence[Operation]
    events: Sequence[JournalEvent]
    batches: Mapping[int, bytes]
    answers: Mapping[int, bytes]
    logs: Mapping[str, FinalLog]
    loaded: Loaded
    state: Mapping[str, Any]
    facts: Mapping[str, Any]
    broken: Sequence[tuple[int, str]]
    recovery_us: int
    end_us: int
    registry_hop_us: int


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A violation found by a checker: its name, a sentence, and the events that show it."""

    name: str
    sentence: str
    events: tuple[JournalEvent, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.name}: {self.sentence}", *(f"    {dict(event)}" for event in self.events)])


Anomalies = Iterator[Anomaly]


def partition_of(event: JournalEvent) -> str:
    """Return the partition of an event."""
    return f"{event['topic']}-{event['partition']}"
