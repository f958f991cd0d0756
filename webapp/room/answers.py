"""The values that a room's methods return: frozen, read under its lock and used outside it."""

from dataclasses import dataclass
from typing import Any

from engine.journal.checkpoint_index import CheckpointInterval
from webapp.room.pace import ClockFacts


@dataclass(frozen=True, slots=True)
class Applied:
    """The result of a command that took effect at ``at_us``; its events are before ``journal_offset``."""

    at_us: int
    journal_offset: int

    def as_json(self) -> dict[str, int]:
        """The public shape, ``{"applied_at_us", "journal_offset"}``."""
        return {"applied_at_us": self.at_us, "journal_offset": self.journal_offset}


@dataclass(frozen=True, slots=True)
class Moment:
    """The clock, and the offsets of the newest checkpoint, the journal's end and the newest digest's end."""

    clock: ClockFacts
    checkpoint_offset: int
    end_offset: int
    digested_offset: int = 0

    @property
    def progress(self) -> tuple[int, int]:
        """Return the values that change when there is something new to read."""
        return self.end_offset, self.digested_offset


@dataclass(frozen=True, slots=True)
class Picture:
    """A room at one moment: the public facts, and the state that the journal folds to up to there."""

    facts: dict[str, Any]
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PastChapter:
    """A chapter of the journal with its events, as lines of JSON, up to ``next_offset``.

    ``complete_until_us``: nothing that happened before this virtual time is missing from the chapter.
    """

    chapter: CheckpointInterval
    next_offset: int
    complete_until_us: int
    payloads: tuple[bytes, ...]
