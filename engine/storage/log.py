"""The log: what a partition is, and what the journal is made of."""

import sys
from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final, Self

from engine.errors import LogClosed, LogGap, OffsetOutOfRange
from engine.message import summarize_set
from engine.storage.disk import Disk, storage_failed
from engine.storage.recovery import Recovery, recover
from engine.storage.segment import Segment, SegmentSlice, base_offsets, segment_name

NEVER_BY_COUNT: Final = sys.maxsize
NOT_ROLLED: Final = -1


@dataclass(frozen=True, slots=True)
class LogLimits:
    """When a log rolls and flushes, and what it refuses.

    ``flush_messages`` counts the messages inside compressed sets; :data:`NEVER_BY_COUNT` leaves flushing to the
    owner. ``max_message_bytes`` is that of an entry's payload.
    """

    segment_bytes: int
    flush_messages: int
    max_message_bytes: int


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """One segment as it stands: file name, offset of its first byte, bytes flushed or not."""

    file: str
    base_offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did.

    ``sizes`` are those of the entries. ``rolled_base_offset`` is :data:`NOT_ROLLED`, or where the segment begins
    that the append opened. ``flushed`` says that the set itself can be read already.
    """

    offset: int
    next_offset: int
    messages: int
    sizes: tuple[int, ...]
    rolled_base_offset: int
    flushed: bool


class Log:
    """An append-only sequence of messages in segment files, addressed by byte offset.

    Readers see flushed bytes only (paper, section 3.1). It is not safe to use from two threads at once. Where the
    disk refuses, :class:`~engine.errors.StorageFailed` is raised; after that the log may refuse every further append
    until it is opened again. A closed log raises :class:`~engine.errors.LogClosed`.
    """

    def __init__(
        self, directory: Path, limits: LogLimits, disk: Disk, segments: list[Segment], found: Recovery
    ) -> None:
        """For :meth:`open`: a log over ``segments`` that meet, the last of them recovered."""
        self.recovery = found
        self._directory = directory
        self._limits = limits
        self._disk = disk
        self._segments = segments
        self._bases = [segment.base_offset for segment in segments]
        self._active = segments[-1]
        self._unflushed_messages = 0
        self._closed = False

    @classmethod
    def open(cls, directory: Path, *, limits: LogLimits, disk: Disk) -> Self:
        """Open the log in ``directory``, or begin one there.

        Only the last segment is checked message by message, and cut at the first bad one (0.7). Raises
        :class:`~engine.errors.LogGap` if two segments do not meet.
        """
        try:
            disk.make_directory(directory)
            bases = base_offsets(disk.names(directory)) or [0]
        except OSError as error:
            raise storage_failed(directory, "open", error) from error
        segments = [Segment(directory, base, disk, sealed=True) for base in bases[:-1]]
        segments.append(Segment(directory, bases[-1], disk, sealed=False))
        try:
            _require_no_gap(segments)
            found = recover(segments[-1])
        except BaseException:
            segments[-1].seal()
            raise
        return cls(directory, limits, disk, segments, found)

    @property
    def first_offset(self) -> int:
        """Of the oldest message that is kept."""
        return self._bases[0]

    @property
    def flushed_offset(self) -> int:
        """Where readers find the end."""
        return self._active.flushed_offset

    @property
    def next_offset(self) -> int:
        """Where the next append goes."""
        return self._active.next_offset

    @property
    def segments(self) -> tuple[SegmentFacts, ...]:
        """All segments, oldest first; the last one is appended to."""
        return tuple(
            SegmentFacts(segment_name(segment.base_offset), segment.base_offset, segment.size_bytes)
            for segment in self._segments
        )

    @property
    def unflushed_messages(self) -> int:
        """Messages that readers do not see yet."""
        return self._unflushed_messages

    @property
    def has_unflushed(self) -> bool:
        return self._unflushed_messages > 0

    def append(self, message_set: bytes) -> Appended:
        """Write a whole message set at the end; an empty one changes nothing.

        A segment that is over ``segment_bytes`` already, flushed or not, is closed first (0.7.2: maybeRoll). So a
        set is never split, and each segment overshoots by a part of a set. Raises what
        :func:`~engine.message.summarize_set` raises, and then nothing is written.
        """
        self._require_open()
        summary = summarize_set(message_set, self._limits.max_message_bytes)
        active = self._active
        if not message_set:
            return Appended(active.next_offset, active.next_offset, 0, (), NOT_ROLLED, not self.has_unflushed)
        rolled_base_offset = NOT_ROLLED
        if active.size_bytes > self._limits.segment_bytes:
            active = self._roll()
            rolled_base_offset = active.base_offset
        offset = active.next_offset
        active.append(message_set)
        self._unflushed_messages += summary.messages
        flushed = self._unflushed_messages >= self._limits.flush_messages
        if flushed:
            self.flush()
        return Appended(offset, offset + len(message_set), summary.messages, summary.sizes, rolled_base_offset, flushed)

    def read(self, offset: int, max_bytes: int) -> bytes:
        """Up to ``max_bytes`` flushed bytes from ``offset`` on, never beyond the segment that holds it.

        The last message may be there in part, and nobody checks that ``offset`` is where one starts (0.7). At
        ``flushed_offset`` there is nothing yet; beyond it, and before ``first_offset``, it raises
        :class:`~engine.errors.OffsetOutOfRange`.
        """
        return self._segment_of(offset).read(offset, max_bytes)

    def locate(self, offset: int, max_bytes: int) -> SegmentSlice:
        """Where :meth:`read` finds its bytes, for a caller that hands them on unread (paper, section 3.1: sendfile).

        They stay there until retention removes the file. Raises as :meth:`read`.
        """
        return self._segment_of(offset).locate(offset, max_bytes)

    def flush(self) -> int:
        """Put everything on disk and show it to readers; return the new ``flushed_offset``."""
        self._require_open()
        if self._unflushed_messages:
            self._active.flush()
            self._unflushed_messages = 0
        return self._active.flushed_offset

    def lose_unflushed(self) -> int:
        """Be struck by a power cut: unflushed bytes are gone and the log is closed; return how many were lost."""
        self._require_open()
        lost_bytes = self._active.lose_unflushed()
        self._unflushed_messages = 0
        self._shut()
        return lost_bytes

    def close(self) -> None:
        """Flush and let go of the files; closing twice is fine."""
        if self._closed:
            return
        try:
            self.flush()
        finally:
            self._shut()

    def _segment_of(self, offset: int) -> Segment:
        self._require_open()
        if not self._bases[0] <= offset <= self._active.flushed_offset:
            raise self._out_of_range(offset)
        return self._segments[bisect_right(self._bases, offset) - 1]

    def _roll(self) -> Segment:
        """Begin a new segment at the end of what is now flushed for good (0.7: Log.roll)."""
        self.flush()
        full = self._active
        opened = Segment(self._directory, full.next_offset, self._disk, sealed=False)
        self._segments.append(opened)
        self._bases.append(opened.base_offset)
        self._active = opened
        full.seal()
        return opened

    def _shut(self) -> None:
        self._closed = True
        self._active.seal()

    def _require_open(self) -> None:
        if self._closed:
            raise LogClosed(
                f"the log {self._directory.name} is closed", "open it again first", log=self._directory.name
            )

    def _out_of_range(self, offset: int) -> OffsetOutOfRange:
        first, flushed = self.first_offset, self.flushed_offset
        return OffsetOutOfRange(
            f"offset {offset} is outside the log, which holds {first} to {flushed}",
            f"start from the smallest offset ({first}) or the largest ({flushed})",
            offset=offset,
            first_offset=first,
            flushed_offset=flushed,
        )


def _require_no_gap(segments: list[Segment]) -> None:
    """Raise :class:`LogGap` where a segment does not begin where the one before it ends (0.7: validateSegments)."""
    for before, after in pairwise(segments):
        if before.next_offset != after.base_offset:
            name = segment_name(before.base_offset)
            raise LogGap(
                f"{name} ends at offset {before.next_offset}, but the next segment begins at {after.base_offset}",
                "restore the file from a copy, or remove it and every older one",
                file=name,
                next_offset=before.next_offset,
                next_base_offset=after.base_offset,
            )
