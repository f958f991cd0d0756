"""The log, the storage of a partition and of the journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, Self

from engine.config import NEVER_US, UNLIMITED_BYTES
from engine.errors import LogClosed, OffsetOutOfRange
from engine.message.message_set import check_set, encode_message_set, too_large
from engine.storage.disk import Disk
from engine.storage.log_config import ClockUs, LogConfig
from engine.storage.offsets import offsets_before
from engine.storage.recovery import NOTHING_CUT, Recovery, recover
from engine.storage.retention import expired, surplus
from engine.storage.segment import Segment, SegmentSlice, segment_name
from engine.storage.segment_list import SegmentList, open_segments

NOT_ROLLED: Final = -1


@dataclass(frozen=True, slots=True)
class SegmentFacts:
    """The state of one segment: file name, offset of its first byte, size in bytes, flushed or not."""

    file: str
    base_offset: int
    bytes: int


class Appended(NamedTuple):
    """The result of an append. A named tuple, since there is one for each append.

    ``sizes`` are those of the entries. ``rolled_base_offset`` is the base offset of the segment that the append began,
    or :data:`NOT_ROLLED`. ``flushed`` says whether readers can see the set already.
    """

    offset: int
    next_offset: int
    messages: int
    sizes: tuple[int, ...]
    rolled_base_offset: int
    flushed: bool


class Log:
    """An append-only sequence of messages in segment files, addressed by byte offset.

    Readers see flushed bytes only (paper, section 3.1). It is not safe to use from two threads at once. If the disk
    fails, :class:`~engine.errors.StorageFailed` is raised; after that the log may refuse every further append until it
    is opened again. A closed log can still be read, from its files; all else raises :class:`~engine.errors.LogClosed`.
    """

    def __init__(
        self, directory: Path, limits: LogConfig, disk: Disk, now_us: ClockUs, segments: SegmentList, found: Recovery
    ) -> None:
        """Make a log over ``segments``, the last of which is recovered; used by :meth:`open`."""
        self.recovery = found
        self._directory = directory
        self._limits = limits
        self._disk = disk
        self._now_us = now_us
        self._segments = segments
        self._unflushed_messages = 0
        self._last_flush_us = now_us()
        self._closed = False

    @classmethod
    def open(
        cls, directory: Path, *, limits: LogConfig, disk: Disk, now_us: ClockUs, closed_cleanly: bool = False
    ) -> Self:
        """Open the log in ``directory``, or create one there.

        This looks at each segment, and checks the last one message by message; it is truncated at the first bad one
        (0.7). ``closed_cleanly`` skips that check, for a caller who knows that the log was; readers then find any
        damage. Raises :class:`~engine.errors.LogGap` if two segments are not contiguous. ``now_us`` gives segments
        their times, which are stored with the files.
        """
        segments = open_segments(directory, disk, now_us)
        active = segments.active
        try:
            found = NOTHING_CUT if closed_cleanly else recover(active)
            if found.bytes_cut:
                active.stamp(now_us())
        except BaseException:
            active.seal()
            raise
        return cls(directory, limits, disk, now_us, segments, found)

    @property
    def first_offset(self) -> int:
        """The offset of the oldest message that is kept."""
        return self._segments.first_offset

    @property
    def flushed_offset(self) -> int:
        """The end of the log for readers."""
        return self._segments.active.flushed_offset

    @property
    def next_offset(self) -> int:
        """The offset of the next append (log end offset)."""
        return self._segments.active.next_offset

    @property
    def active_base_offset(self) -> int:
        """The base offset of the active segment, the one that is appended to."""
        return self._segments.active.base_offset

    @property
    def segments(self) -> tuple[SegmentFacts, ...]:
        """All segments, oldest first; the last one is appended to."""
        return tuple(map(_facts_of, self._segments))

    @property
    def bytes_before_roll(self) -> int:
        """How many bytes can be appended before a further append rolls; negative if the next append does."""
        return self._limits.segment_bytes - self._segments.active.size_bytes

    @property
    def unflushed_messages(self) -> int:
        """Messages that readers do not see yet."""
        return self._unflushed_messages

    @property
    def has_unflushed(self) -> bool:
        """Whether there are bytes that readers do not see yet. They may hold no message: an empty compressed set."""
        return self.next_offset > self.flushed_offset

    # --- appending ---

    def append(self, message_set: bytes) -> Appended:
        """Validate a message set and write it at the end. A partial entry at its end is dropped.

        The log rolls first, for an empty set too, if the active segment is already over ``segment_bytes``, flushed or
        not, or its first append was more than ``roll_interval_us`` ago (0.7.2: maybeRoll). So a set is never split, and
        each segment overshoots by a part of a set. Raises what :func:`check_set` raises; nothing is written then.
        """
        self._require_open()
        checked = check_set(message_set, self._limits.max_message_bytes)
        before = self._segments.active
        offset = self._write(message_set[: checked.size_bytes], checked.messages)
        active = self._segments.active
        next_offset = offset + checked.size_bytes
        rolled_base_offset = NOT_ROLLED if active is before else active.base_offset
        flushed = active.flushed_offset == next_offset
        return Appended(offset, next_offset, checked.messages, checked.sizes, rolled_base_offset, flushed)

    def append_payloads(self, payloads: Sequence[bytes]) -> int:
        """Encode ``payloads`` as one set of plain messages and write it at the end, as :meth:`append` does.

        Returns the offset of the first. Only the sizes are checked, since the set was just encoded. Raises
        :class:`~engine.errors.MessageTooLarge`; nothing is written then.
        """
        self._require_open()
        message_set = encode_message_set(payloads)
        limit = self._limits.max_message_bytes
        if len(message_set) > limit and max(map(len, payloads)) > limit:
            raise too_large(max(map(len, payloads)), limit, self.next_offset)
        return self._write(message_set, len(payloads))

    def _write(self, message_set: bytes, messages: int) -> int:
        """Write a valid set and return its offset: roll first if due; flush afterwards if enough is unflushed."""
        now_us = self._now_us()
        active = self._segments.active
        is_full = active.size_bytes > self._limits.segment_bytes
        if is_full or now_us - active.first_append_us > self._limits.roll_interval_us:
            active = self._roll()
        offset = active.next_offset
        if message_set:
            active.append(message_set, now_us)
        self._unflushed_messages += messages
        if self._unflushed_messages >= self._limits.flush_messages:
            self.flush()
        return offset

    # --- reading ---

    def read(self, offset: int, max_bytes: int) -> bytes:
        """Return up to ``max_bytes`` flushed bytes from ``offset`` on, never beyond the segment that holds it.

        The last message may be partial, and ``offset`` is not checked to be the start of one (0.7). At
        ``flushed_offset`` the result is empty; beyond it, and before ``first_offset``, this raises
        :class:`~engine.errors.OffsetOutOfRange`.
        """
        return self._segment_of(offset).read(offset, max_bytes)

    def read_unflushed(self, offset: int, max_bytes: int) -> bytes:
        """Read as an observer does: from the files, flushed or not, of a closed log too.

        Simulated disk faults do not apply. ``offset`` must be in the log.
        """
        return self._segments.holding(offset).read_unflushed(offset, max_bytes)

    def locate(self, offset: int, max_bytes: int) -> SegmentSlice:
        """Locate the bytes of :meth:`read` for a caller that sends them unread (paper, section 3.1: sendfile).

        They stay there until retention removes the file. Raises what :meth:`read` raises.
        """
        return self._segment_of(offset).locate(offset, max_bytes)

    def files(self) -> tuple[SegmentSlice, ...]:
        """Return where all flushed bytes are, file by file, oldest first; for a closed log too."""
        return tuple(segment.locate(segment.base_offset, segment.flushed_bytes) for segment in self._segments)

    def offsets_before(self, time_us: int, max_offsets: int) -> tuple[int, ...]:
        """Return up to ``max_offsets`` offsets that the log had at ``time_us``, newest first (0.7: getOffsetsBefore).

        Segment granularity: each segment's start, dated by its last append, and the flushed end, dated now.
        ``time_us`` may be :data:`~engine.storage.offsets.LATEST` or :data:`~engine.storage.offsets.EARLIEST`.
        """
        self._require_open()
        known = [(segment.base_offset, segment.modified_us) for segment in self._segments]
        if self._segments.active.flushed_bytes:
            known.append((self.flushed_offset, self._now_us()))
        return offsets_before(known, time_us, max_offsets)

    # --- flushing and retention ---

    def flush(self) -> int:
        """Put everything on disk and make it visible to readers; return the new ``flushed_offset``."""
        self._require_open()
        if self.has_unflushed:
            self._segments.active.flush()
            self._unflushed_messages = 0
            self._last_flush_us = self._now_us()
        return self.flushed_offset

    def flush_if_due(self) -> bool:
        """Flush if there are unflushed bytes and the last flush was ``flush_interval_us`` ago; return whether it did.

        Called at every tick, as in 0.7. So a message waits for the interval and up to one tick more.
        """
        due = self.has_unflushed and self._now_us() - self._last_flush_us >= self._limits.flush_interval_us
        if due:
            self.flush()
        return due

    def delete_old(self) -> tuple[SegmentFacts, ...]:
        """Remove the oldest segments, whole files, that exceed ``retention_us`` or ``retention_bytes``; return them.

        By age, a segment is removed if its last append is older than that. By size, it is removed if at least
        ``retention_bytes`` stay. If all would be removed, the log rolls to an empty segment first; a log whose only
        segment is empty keeps it, dated now (0.7.2: cleanupLogs, markDeletedWhile).
        """
        self._require_open()
        removed: list[SegmentFacts] = []
        if self._limits.retention_us != NEVER_US:
            times_us = (segment.modified_us for segment in self._segments)
            removed += self._remove(expired(times_us, self._now_us(), self._limits.retention_us))
        if self._limits.retention_bytes != UNLIMITED_BYTES:
            sizes = [segment.flushed_bytes for segment in self._segments]
            removed += self._remove(surplus(sizes, self._limits.retention_bytes))
        return tuple(removed)

    def _remove(self, count: int) -> list[SegmentFacts]:
        """Remove the oldest ``count`` segments, but keep at least one."""
        if count == len(self._segments):
            if self._segments.active.flushed_bytes:
                self._roll()
            else:
                count -= 1
                self._segments.active.stamp(self._now_us())
        removed = [_facts_of(segment) for segment in islice(self._segments, count)]
        for _ in removed:
            self._segments.remove_first()
        return removed

    def lose_unflushed(self) -> int:
        """Simulate a power cut: drop the unflushed bytes and close the log; return how many bytes were lost."""
        self._require_open()
        lost_bytes = self._segments.active.lose_unflushed()
        self._unflushed_messages = 0
        self._mark_closed()
        return lost_bytes

    def close(self) -> None:
        """Flush and close the files; closing twice is fine."""
        if self._closed:
            return
        try:
            self.flush()
        finally:
            self._mark_closed()

    def _roll(self) -> Segment:
        """Flush, then begin a new segment at the end (0.7: Log.roll)."""
        self.flush()
        opened = Segment(self._directory, self.next_offset, self._disk, sealed=False)
        try:
            opened.stamp(self._now_us())
        except BaseException:
            opened.seal()
            raise
        self._segments.add(opened)
        return opened

    def _mark_closed(self) -> None:
        self._closed = True
        self._segments.active.seal()

    def _segment_of(self, offset: int) -> Segment:
        if not self.first_offset <= offset <= self.flushed_offset:
            raise self._out_of_range(offset)
        return self._segments.holding(offset)

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


def _facts_of(segment: Segment) -> SegmentFacts:
    return SegmentFacts(segment_name(segment.base_offset), segment.base_offset, segment.size_bytes)
