"""The journal: everything that happened, as a log of events."""

import json
from array import array
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from engine.errors import OffsetInsideMessage, OffsetscopeError
from engine.events.base import Event
from engine.journal.checkpoint_index import CheckpointIndex, CheckpointInterval
from engine.journal.timeline_marks import TimelineMark, TimelineMarks
from engine.message.format import MAGIC_0_OVERHEAD_BYTES, iterate_shallow, size_of_first
from engine.storage.disk import Disk, OsDisk
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig
from engine.storage.segment import SegmentSlice

SEGMENT_BYTES: Final = 64 * 1024 * 1024
PIECE_BYTES: Final = 256 * 1024
INDEX_INTERVAL_BYTES: Final = 4096
NO_SYNC: Final = OsDisk(sync=False)

_CHECKPOINT_START: Final = b'{"event":"checkpoint",'
_LARGEST_PAYLOAD_BYTES: Final = (1 << 31) - 6  # the largest that the length field of a message can hold
_NO_CHECKPOINT: Final = -1


class _NewestEventClock:
    """The clock of the journal's log: the virtual time of the newest event, 0 before the first."""

    def __init__(self) -> None:
        self.at_us = 0

    def __call__(self) -> int:
        return self.at_us


@dataclass(frozen=True, slots=True)
class JournalChunk:
    """Whole events from ``offset`` up to ``next_offset``, each as its line of JSON."""

    offset: int
    next_offset: int
    payloads: tuple[bytes, ...]


class Journal:
    """A log of events, one uncompressed message each, that every reader reads at a byte offset of its own.

    Events are buffered and become readable together when :meth:`publish` writes them. Publishing writes to the
    operating system; the journal is not flushed to the disk, since a room's journal can be rebuilt by replaying its
    commands. Not safe to use from two threads at once.
    """

    def __init__(self, log: Log, clock: _NewestEventClock) -> None:
        """For :meth:`open`: a journal over ``log``, which is scanned once."""
        self._log = log
        self._clock = clock
        self._pieces: deque[list[bytes]] = deque()
        self._piece_ends_offset = log.first_offset
        self.next_offset = log.first_offset
        """The offset of the next event, after those that are buffered; read-only for others."""
        # Sorted offsets of some events: each begins at least INDEX_INTERVAL_BYTES after the one before it.
        self._indexed_offsets = array("q", [log.first_offset])
        self._next_indexed_offset = log.first_offset + INDEX_INTERVAL_BYTES
        self._checkpoint_offset = log.first_offset
        self._buffered_checkpoint_offset = _NO_CHECKPOINT
        self._checkpoints = CheckpointIndex()
        self._marks = TimelineMarks()
        self._closed = False
        self._read_through()

    @classmethod
    def open(cls, directory: Path, *, segment_bytes: int = SEGMENT_BYTES, disk: Disk = NO_SYNC) -> Self:
        """Open the journal in ``directory``, or begin one there. Raises what
        :meth:`Log.open <engine.storage.log.Log.open>` raises, and :class:`~engine.errors.InvalidMessage` if an event
        in it is damaged.
        """
        limits = LogConfig(segment_bytes, NEVER_BY_COUNT, _LARGEST_PAYLOAD_BYTES)
        clock = _NewestEventClock()
        log = Log.open(directory, limits=limits, disk=disk, now_us=clock)
        try:
            return cls(log, clock)
        except BaseException:
            log.close()
            raise

    @property
    def end_offset(self) -> int:
        """The end of the journal as readers see it."""
        return self._log.flushed_offset

    @property
    def checkpoint_offset(self) -> int:
        """The offset of the newest readable checkpoint; the journal's first offset while there is none."""
        return self._checkpoint_offset

    def last_event_at_us(self) -> int:
        """Virtual time of the newest event, 0 if there is none."""
        return self._clock.at_us

    def append(self, event: Event) -> int:
        """Buffer ``event`` and return its offset."""
        payload = event.encode()
        offset = self.next_offset
        if offset >= self._piece_ends_offset or not self._pieces:
            self._pieces.append([])
            self._piece_ends_offset = offset + PIECE_BYTES
        self._pieces[-1].append(payload)
        if self._note(offset, payload):
            self._buffered_checkpoint_offset = offset
            self._checkpoints.note(offset, self.next_offset, event.at_us)
        self._clock.at_us = event.at_us
        return offset

    def publish(self) -> int:
        """Write what is buffered, make it readable and return the new ``end_offset``.

        Raises :class:`~engine.errors.StorageFailed` if the write fails; unwritten events stay buffered.
        """
        while self._pieces:
            self._log.append_payloads(self._pieces[0])
            self._pieces.popleft()
        end_offset = self._log.flush()
        if self._buffered_checkpoint_offset != _NO_CHECKPOINT:
            self._checkpoint_offset = self._buffered_checkpoint_offset
            self._buffered_checkpoint_offset = _NO_CHECKPOINT
        return end_offset

    def read(self, offset: int, max_bytes: int) -> JournalChunk:
        """Return the whole events from ``offset`` on that fit in ``max_bytes`` of the journal.

        The chunk is empty at the end, and where a single event is larger than ``max_bytes``. Raises
        :class:`~engine.errors.OffsetOutOfRange` outside the journal, and
        :class:`~engine.errors.OffsetInsideMessage` where no event starts.
        """
        self._require_start_of_event(offset)
        payloads: list[bytes] = []
        position = offset
        while position < self.end_offset:
            data = self._log.read(position, max_bytes - (position - offset))
            if size_of_first(data) > len(data):
                break
            try:
                for _, next_offset, payload, _ in iterate_shallow(data, position):
                    payloads.append(payload)
                    position = next_offset
            except OffsetscopeError:
                if not payloads:
                    raise
                break
        return JournalChunk(offset, position, tuple(payloads))

    def files(self) -> tuple[SegmentSlice, ...]:
        """Return the files of the journal's log, up to the end that readers see, oldest first."""
        return self._log.files()

    # --- finding a moment ---

    def interval_holding(self, journal_offset: int) -> CheckpointInterval:
        """Return the interval with the event before ``journal_offset``; folded up to there it gives the state there.

        Raises what :meth:`read` raises if no event starts or ends there. The journal must have a checkpoint.
        """
        self._require_start_of_event(journal_offset)
        return self._interval(self._checkpoints.holding(journal_offset, self.end_offset))

    def interval_at(self, at_us: int) -> CheckpointInterval:
        """Return the last interval that begins at or before a virtual time; the first if none does."""
        return self._interval(self._checkpoints.at(at_us, self.end_offset))

    def marks_since(self, offset: int) -> list[TimelineMark]:
        """Return the marks at or after ``offset``, oldest first, of readable events only."""
        return self._marks.since(offset, self.end_offset)

    def _interval(self, number: int) -> CheckpointInterval:
        return self._checkpoints.interval(number, self.end_offset, self._clock.at_us)

    def close(self) -> None:
        """Publish what is buffered and close the files; closing twice is fine."""
        if self._closed:
            return
        self._closed = True
        try:
            self.publish()
        finally:
            self._log.close()

    def abandon(self) -> None:
        """Drop what is buffered and close the files; nothing more is published."""
        self._pieces.clear()
        if not self._closed:
            self._closed = True
            self._log.close()

    def _note(self, offset: int, payload: bytes) -> bool:
        """Index the newest event, at ``offset``; return whether it is a checkpoint."""
        self.next_offset = offset + MAGIC_0_OVERHEAD_BYTES + len(payload)
        if offset >= self._next_indexed_offset:
            self._indexed_offsets.append(offset)
            self._next_indexed_offset = offset + INDEX_INTERVAL_BYTES
        self._marks.note(offset, payload)
        return payload.startswith(_CHECKPOINT_START)

    def _read_through(self) -> None:
        """Index the events, find the newest checkpoint and the time of the last event of an existing journal."""
        last_payload = b""
        while self.next_offset < self._log.flushed_offset:
            position = self.next_offset
            data = self._log.read(position, PIECE_BYTES)
            if size_of_first(data) > len(data):  # an event longer than a piece
                data = self._log.read(position, size_of_first(data))
            for offset, _, last_payload, _ in iterate_shallow(data, position):
                if self._note(offset, last_payload):
                    self._checkpoint_offset = offset
                    self._checkpoints.note(offset, self.next_offset, json.loads(last_payload)["at_us"])
        if last_payload:
            self._clock.at_us = json.loads(last_payload)["at_us"]

    def _require_start_of_event(self, offset: int) -> None:
        """Walk to ``offset`` from the indexed event before it, and raise if no event starts there."""
        self._log.read(offset, 0)  # raises OffsetOutOfRange outside the log
        if offset == self.end_offset:
            return
        indexed = self._indexed_offsets[bisect_right(self._indexed_offsets, offset) - 1]
        position = indexed
        # An event that begins further away than this from an indexed one is indexed itself.
        while position < offset and offset - indexed < INDEX_INTERVAL_BYTES:
            data = self._log.read(position, offset - position)
            if size_of_first(data) > len(data):
                break
            for _, next_offset, _, _ in iterate_shallow(data, position):
                position = next_offset
        if position != offset:
            raise OffsetInsideMessage(
                f"no event starts at offset {offset}",
                f"start at the newest checkpoint ({self.checkpoint_offset}), or at the next_offset of an earlier read",
                offset=offset,
                checkpoint_offset=self.checkpoint_offset,
            )
