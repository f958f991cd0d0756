"""The history of a run: all that a checker sees of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

JournalEvent = Mapping[str, Any]
"""One event of the journal, as its JSON says."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One command of the schedule: when, what, and the code of the error that refused it ("" if it was done)."""

    at_us: int
    fields: Mapping[str, Any]
    refusal: str


@dataclass(frozen=True, slots=True)
class FinalLog:
    """A partition's log when the run is over, read from its files."""

    first_offset: int
    flushed_offset: int
    next_offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Row:
    """A message in the warehouse: the partition of the copy and the offset there."""

    partition: str
    offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a warehouse holds: its rows, and its next offset by partition; empty without one."""

    rows: Sequence[Row] = ()
    next_offsets: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class History:
    """What happened in one run, complete when the run is over.

    ``events`` is the journal. ``batches`` and ``answers`` are the bytes that were seen on the wire, by the number of
    the batch that carried them to a broker and of the fetch that carried them to a consumer. ``logs`` is what the files
    hold in the end, by partition (``clicks-0``), ``state`` the last snapshot, ``facts`` what the cluster says of itself
    then, ``loaded`` what the warehouse holds. ``broken`` are the broken invariants, each with the virtual time at which
    it was seen. ``recovery_us`` is when the schedule ended and the recovery began, ``registry_hop_us`` the longest that
    a message to or from the registry takes on a healthy wire.
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
    """Something that must not be: its name, a sentence, and the events that show it."""

    name: str
    sentence: str
    events: tuple[JournalEvent, ...] = ()

    def __str__(self) -> str:
        return "\n".join([f"{self.name}: {self.sentence}", *(f"    {dict(event)}" for event in self.events)])


Anomalies = Iterator[Anomaly]


def partition_of(event: JournalEvent) -> str:
    """The partition that an event is about."""
    return f"{event['topic']}-{event['partition']}"
