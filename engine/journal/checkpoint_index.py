"""The offsets of a journal's checkpoints, so that the state at any moment is found without reading from the start."""

from array import array
from bisect import bisect_left, bisect_right
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckpointInterval:
    """A part of the journal that can be folded by itself: a checkpoint and the events up to the next checkpoint.

    It begins at ``offset`` with the state of ``at_us``; its events are in ``events_offset..end_offset``. The last
    interval grows, and its ``end_offset`` is the journal's end. ``end_at_us`` is the time of the next checkpoint; in
    the last interval it is the time of the newest event.
    """

    offset: int
    events_offset: int
    at_us: int
    end_offset: int
    end_at_us: int
    is_last: bool


class CheckpointIndex:
    """The checkpoints of one journal in order, 24 bytes each."""

    def __init__(self) -> None:
        self._offsets = array("q")
        self._events_offsets = array("q")
        self._times_us = array("q")

    def note(self, offset: int, events_offset: int, at_us: int) -> None:
        """Add the checkpoint at ``offset``; the events after it begin at ``events_offset``."""
        self._offsets.append(offset)
        self._events_offsets.append(events_offset)
        self._times_us.append(at_us)

    def count(self, end_offset: int) -> int:
        """Return how many checkpoints are before ``end_offset``."""
        return bisect_left(self._offsets, end_offset)

    def holding(self, journal_offset: int, end_offset: int) -> int:
        """Return the number of the interval, before ``end_offset``, with the event before ``journal_offset``."""
        return max(bisect_left(self._offsets, journal_offset, 0, self.count(end_offset)) - 1, 0)

    def at(self, at_us: int, end_offset: int) -> int:
        """Return the number of the last interval that begins at or before ``at_us``; the first if none does."""
        return max(bisect_right(self._times_us, at_us, 0, self.count(end_offset)) - 1, 0)

    def interval(self, number: int, end_offset: int, end_at_us: int) -> CheckpointInterval:
        """Return an interval by its number, in a journal that ends at ``end_offset`` with an event of ``end_at_us``."""
        is_last = number + 1 == self.count(end_offset)
        return CheckpointInterval(
            self._offsets[number],
            self._events_offsets[number],
            self._times_us[number],
            end_offset if is_last else self._offsets[number + 1],
            end_at_us if is_last else self._times_us[number + 1],
            is_last,
        )
