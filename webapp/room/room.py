"""A room: one cluster, its durable command log, its journal, and the one lock around them.

Requests never touch the cluster. They submit a command and wait for a future. The pump logs the command durably,
applies it at the present virtual time, and resolves the future.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import Any

from engine.cluster.pending import MOST_PENDING_BYTES
from engine.config import NEVER_US, SECOND_US
from engine.errors import InvalidCommand, OffsetscopeError
from engine.ids import TopicPartition
from engine.journal.checkpoint_index import CheckpointInterval
from engine.journal.journal import JournalChunk
from engine.journal.timeline_marks import TimelineMark
from engine.storage.disk import MACHINE
from engine.storage.segment import SegmentSlice
from webapp.errors import InvalidRequest, RoomFailed, RoomFull, RoomReadOnly, ServerStopping
from webapp.room.answers import Applied, Moment, PastChapter, Picture
from webapp.room.command_log import CommandLog, LoggedCommand
from webapp.room.commands import Command, ForkAtOffset, ForkAtTime, ForkCommand, ForkNow, Pause, Step
from webapp.room.digests import Digest, DigestLog
from webapp.room.fates import Fate, fate_of
from webapp.room.files import FolderWeight
from webapp.room.growth import Budget
from webapp.room.pace import ClockFacts
from webapp.room.past_chapters import past_chapter
from webapp.room.past_points import Past, PastPoint, end_at, time_before
from webapp.room.suspension import MACHINE_FAULTS, Suspension
from webapp.room.timeline import Timeline

PIECES_OF_A_SLICE = 4
PENDING_BYTES_AT_MOST = 2 * MOST_PENDING_BYTES
"""Where time stops: the producer's own load goes beyond what commands may send, if a broker or a link is slow."""
PAUSE_FIELDS: Mapping[str, Any] = {"command": "clock", "action": "pause"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """A submitted command that waits for the pump."""

    command: Command
    fields: Mapping[str, Any]
    future: Future[Applied]


class Room:
    """One cluster that people share; every method may be called from any thread.

    ``wake`` notifies the pump that a command waits, ``wall_us`` is a monotonic clock, ``bytes_at_most`` the limit on
    the room's files. Once its engine has failed, or it was closed, every method raises the reason. After a fault of the
    machine too: the room is then suspended, has closed its files, and is to be restored from its command log.
    """

    def __init__(
        self,
        timeline: Timeline,
        command_log: CommandLog,
        *,
        wake: Callable[["Room"], None],
        wall_us: Callable[[], int],
        bytes_at_most: int,
    ) -> None:
        self.record = timeline.record
        self.last_seen_us = wall_us()
        self._lock = threading.RLock()
        self._timeline = timeline
        self._command_log = command_log
        self._wake = wake
        self._wall_us = wall_us
        self._bytes_at_most = bytes_at_most
        self._waiting: deque[Submission] = deque()
        self._digests = DigestLog(Budget())
        self._faults: list[OffsetscopeError] = []  # why the room has stopped or is suspended; empty while it works
        self._suspensions: list[Suspension] = []
        self._unsettled = 0  # of the commands that wait, the first so many are being logged or applied
        self._settled_bytes = command_log.size_bytes  # of the command log, before them
        self._due_wall_us = NEVER_US
        timeline.cluster.publish()
        self._pending_bytes = timeline.cluster.pending_bytes
        self._weight = FolderWeight(timeline.folders.room, wall_us=wall_us)

    # --- called by requests -----------------------------------------------------------------------------------------

    @property
    def is_failed(self) -> bool:
        """Whether the room has stopped for good."""
        return bool(self._faults) and not self._suspensions

    @property
    def suspensions(self) -> Sequence[Suspension]:
        """Why the room is suspended and is to be restored; empty if it is not suspended."""
        return self._suspensions

    @property
    def has_work(self) -> bool:
        """Whether the pump should serve the room: its time runs, or a command waits."""
        return not self._faults and (self._timeline.pace.is_running or bool(self._waiting))

    @property
    def due_wall_us(self) -> int:
        """When something is due next, by ``wall_us``; ``NEVER_US`` if paused, or digested (served in rounds only)."""
        return self._due_wall_us

    @property
    def is_untouched(self) -> bool:
        """Whether no command was ever submitted here."""
        return self._command_log.size_bytes == 0 and not self._waiting

    @property
    def size_bytes(self) -> int:
        """How many bytes the room's files had when they were last measured."""
        return self._weight.bytes

    @property
    def pending_bytes(self) -> int:
        """How many bytes of messages were in memory only, after the last slice."""
        return self._pending_bytes

    def submit(self, command: Command, fields: Mapping[str, Any]) -> Future[Applied]:
        """Submit a command that ``parse`` made of ``fields``.

        Raises ``RoomFull`` if the room may not grow, ``RoomReadOnly`` if its command log is damaged.
        """
        assert not isinstance(command, ForkAtOffset | ForkAtTime | ForkNow), "a fork makes another room"
        future: Future[Applied] = Future()
        with self._lock:
            self._require_working()
            for damage in self._command_log.damages:
                raise RoomReadOnly(
                    f"nothing can be changed in this room: {damage.message}", damage.remedy, room=self.record.room
                )
            if self._is_full and not isinstance(command, Pause):
                raise self._full()
            self._waiting.append(Submission(command, fields, future))
        self._wake(self)
        return future

    def moment(self) -> Moment:
        """Return the clock, the newest checkpoint and the end of the journal."""
        with self._lock:
            self._require_working()
            journal = self._timeline.journal
            digested_offset = self._digests.newest_offset
            return Moment(self._clock, journal.checkpoint_offset, journal.end_offset, digested_offset)

    def read_journal(self, offset: int, max_bytes: int) -> JournalChunk:
        """Return whole events from ``offset`` on; as ``Journal.read``."""
        with self._lock:
            self._require_working()
            return self._timeline.journal.read(offset, max_bytes)

    def is_digested(self, offset: int) -> bool:
        """Return whether a reader at ``offset`` that takes digests gets one; if not, events continue there."""
        with self._lock:
            return self._digests.covers(offset)

    def digest_after(self, offset: int) -> Digest:
        """Return the digest for a reader at ``offset``; it ends there if nothing is newer."""
        with self._lock:
            self._require_working()
            return self._digests.after(offset)

    def interval_holding(self, journal_offset: int, max_bytes: int, *, from_offset: int = 0) -> PastChapter:
        """Return the chapter with the event before ``journal_offset``; raises as ``Journal.interval_holding``.

        Events before ``from_offset`` are left out, so a chapter larger than ``max_bytes`` is read in several calls.
        """
        with self._lock:
            self._require_working()
            journal = self._timeline.journal
            return self._chapter(journal.interval_holding(journal_offset), max_bytes, from_offset)

    def interval_at(self, at_us: int, max_bytes: int, *, from_offset: int = 0) -> PastChapter:
        """Return the chapter with a virtual time; raises ``InvalidRequest`` for a time in the future."""
        with self._lock:
            self._require_working()
            now_us = self._timeline.cluster.now_us
            if at_us > now_us:
                raise InvalidRequest(
                    _is_still_to_come(at_us, now_us),
                    "ask for a time from 0 to now",
                    field="at_us",
                    now_us=now_us,
                )
            return self._chapter(self._timeline.journal.interval_at(at_us), max_bytes, from_offset)

    def marks_since(self, offset: int) -> tuple[list[TimelineMark], int]:
        """Return the timeline marks at or after a journal offset, and the journal's end."""
        with self._lock:
            self._require_working()
            journal = self._timeline.journal
            return journal.marks_since(offset), journal.end_offset

    def fate(self, partition: TopicPartition, offset: int, journal_offset: int) -> Fate:
        """Return what has happened to the bytes at a log's offset since a journal offset; as ``fate_of``."""
        with self._lock:
            self._require_working()
            return fate_of(self._timeline.journal, partition, offset, journal_offset)

    def _chapter(self, chapter: CheckpointInterval, max_bytes: int, from_offset: int) -> PastChapter:
        timeline = self._timeline
        return past_chapter(timeline.journal, chapter, timeline.cluster.now_us, max_bytes, from_offset=from_offset)

    def facts(self) -> dict[str, Any]:
        """Return the response of ``GET /api/rooms/<room>``."""
        with self._lock:
            self._require_working()
            clock = self._clock.as_json()
            journal = {"end_offset": self._timeline.journal.end_offset}
            return {"clock": clock, **self._timeline.cluster.facts(), "journal": journal}

    def picture(self) -> Picture:
        """Return facts and state of the same moment."""
        with self._lock:
            return Picture(self.facts(), self._timeline.cluster.snapshot())

    def registry(self) -> dict[str, Any]:
        """Return the znode tree."""
        with self._lock:
            self._require_working()
            return self._timeline.cluster.registry_tree()

    def read_log(self, topic: str, partition: int, offset: int, max_bytes: int) -> bytes:
        """Return the bytes a consumer would fetch."""
        with self._lock:
            self._require_working()
            return self._timeline.cluster.read_log(topic, partition, offset, max_bytes)

    def log_files(self, topic: str, partition: int) -> tuple[SegmentSlice, ...]:
        """Return the files of a partition's flushed bytes; retention may delete any of them at any time."""
        with self._lock:
            self._require_working()
            return self._timeline.cluster.log_files(topic, partition)

    def journal_files(self) -> tuple[SegmentSlice, ...]:
        """Return the files of the journal."""
        with self._lock:
            self._require_working()
            return self._timeline.journal.files()

    def past(self, fork: ForkCommand) -> Past:
        """Return the past that a fork replays; raises a typed error if the fork's point is not in the past.

        The journal is read piece by piece, so that time passes in the room meanwhile.
        """
        if isinstance(fork, ForkAtOffset):
            with self._lock:
                self._require_working()
                chapter = self._timeline.journal.interval_holding(fork.journal_offset)
            point = PastPoint(time_before(fork.journal_offset, chapter, self.read_journal), fork.journal_offset)
            return Past(point, fork.journal_offset)
        moment = self.moment()
        if isinstance(fork, ForkNow):
            return Past(PastPoint(moment.clock.now_us, moment.end_offset + 1), moment.end_offset)
        with self._lock:
            self._require_working()
            now_us = self._timeline.cluster.now_us
            if fork.at_us > now_us:
                raise InvalidCommand(
                    _is_still_to_come(fork.at_us, now_us),
                    "fork at a time from 0 to now",
                    command="fork",
                    field="at_us",
                    now_us=now_us,
                )
            chapter = self._timeline.journal.interval_at(fork.at_us)
        point = PastPoint(fork.at_us, moment.end_offset + 1)
        return Past(point, end_at(fork.at_us, chapter, self.read_journal))

    def commands(self) -> Iterator[LoggedCommand]:
        """Iterate over the logged commands, also over those that are logged meanwhile, without holding them all."""
        offset = 0
        while True:
            with self._lock:
                self._require_working()
                commands, offset = self._command_log.read(offset)
            if not commands:
                return
            yield from commands

    # --- called by the pump -----------------------------------------------------------------------------------------

    def slice(self, *, budget_us: int) -> bool:
        """Advance virtual time and apply waiting commands; return whether readers have something new to see.

        If the engine needs longer than ``budget_us`` of wall time, only this room's virtual time falls behind. An error
        fails or suspends only this room.
        """
        with self._lock:
            if self._faults:
                return False
            before = self.moment()
            self._due_wall_us = NEVER_US
            try:
                with MACHINE:
                    self._let_time_pass(budget_us)
                    served = self._serve_waiting()
                    self._timeline.cluster.publish()
                    self._weight.weigh_after(served)
                    self._pending_bytes = self._timeline.cluster.pending_bytes
                    self._pause_if_full()
                    self._note_digest()
                    self._note_what_is_due()
            except MACHINE_FAULTS as fault:
                self._suspend(fault)
                return True
            except Exception as error:
                self._fail(error)
                return True
            after = self.moment()
            return before.progress != after.progress or before.clock.look != after.clock.look

    def close(self) -> None:
        """Close the files, complete; waiting commands fail with ``ServerStopping``."""
        with self._lock:
            if self._faults:
                return
            self._faults.append(ServerStopping("the room was closed", "try again in a moment", room=self.record.room))
            self._refuse_waiting()
            self._close_files(self._timeline.close)

    def _let_time_pass(self, budget_us: int) -> None:
        timeline = self._timeline
        begin_us = self._wall_us()
        now_us, target_us = timeline.cluster.now_us, timeline.pace.target_us(begin_us)
        pieces = PIECES_OF_A_SLICE if timeline.cluster.next_due_us <= target_us else 1
        for piece in range(1, pieces + 1):
            timeline.run_until(now_us + (target_us - now_us) * piece // pieces)
            if self._wall_us() - begin_us > budget_us:
                break
        timeline.pace = timeline.pace.anchored(timeline.cluster.now_us, begin_us)

    def _serve_waiting(self) -> int:
        """Log, apply and resolve the waiting commands; return how many there were."""
        served = 0
        while self._waiting:
            batch = self._next_batch()
            self._unsettled, self._settled_bytes = len(batch), self._command_log.size_bytes
            at_us = self._timeline.cluster.now_us
            self._command_log.append([LoggedCommand(at_us, submission.fields) for submission in batch])
            outcomes = [self._outcome(submission.command) for submission in batch]
            journal_offset = self._timeline.cluster.publish()
            for submission, outcome in zip(batch, outcomes, strict=True):
                self._waiting.popleft()
                if isinstance(outcome, OffsetscopeError):
                    submission.future.set_exception(outcome)
                else:
                    submission.future.set_result(Applied(outcome, journal_offset))
            self._unsettled = 0
            served += len(batch)
        return served

    def _next_batch(self) -> list[Submission]:
        """Return the commands that can be logged together: only the last of them may move time."""
        batch: list[Submission] = []
        for submission in self._waiting:
            batch.append(submission)
            if isinstance(submission.command, Step):
                break
        return batch

    def _outcome(self, command: Command) -> int | OffsetscopeError:
        """Apply the command; return its virtual time, or the error that refused it and changed nothing."""
        self._timeline.run_until(self._timeline.cluster.now_us)
        try:
            self._timeline.apply(command)
        except OffsetscopeError as error:
            if not error.definite:
                raise
            return error
        return self._timeline.cluster.now_us

    def _note_digest(self) -> None:
        timeline = self._timeline
        self._digests.note(
            self._wall_us(),
            timeline.journal.end_offset,
            is_running=timeline.pace.is_running,
            summary=timeline.cluster.summary,
            snapshot=timeline.cluster.snapshot,
        )

    def _note_what_is_due(self) -> None:
        """Note when the next event is due, so that it is published on time; digested growth is served in rounds."""
        timeline = self._timeline
        if not self._digests.is_open:
            self._due_wall_us = timeline.pace.wall_us_at(timeline.cluster.next_due_us)

    # --- limits and faults ------------------------------------------------------------------------------------------

    @property
    def _clock(self) -> ClockFacts:
        damage = next((damage.message for damage in self._command_log.damages), "")
        return replace(self._timeline.pace.facts(), full=self._is_full, damage=damage)

    @property
    def _is_full(self) -> bool:
        grown_bytes = self._weight.bytes + self._pending_bytes
        return grown_bytes > self._bytes_at_most or self._pending_bytes > PENDING_BYTES_AT_MOST

    def _pause_if_full(self) -> None:
        if self._is_full and self._timeline.pace.is_running:
            self._command_log.append([LoggedCommand(self._timeline.cluster.now_us, PAUSE_FIELDS)])
            self._timeline.apply(Pause())
            logger.warning("room %s has grown to %d bytes and is paused", self.record.room, self._weight.bytes)

    def _full(self) -> RoomFull:
        return RoomFull(
            f"the room's files take {self._weight.bytes} bytes, and {self._pending_bytes} wait or are in flight; "
            "it may not grow any more",
            "continue in a new room, or fork this one at an earlier point",
            room=self.record.room,
            bytes=self._weight.bytes,
            bytes_at_most=self._bytes_at_most,
        )

    def _require_working(self) -> None:
        if self._faults:
            raise self._faults[0]

    def _suspend(self, fault: OffsetscopeError) -> None:
        """Suspend the room until it is restored; the replay then repeats the events that were buffered."""
        room = self.record.room
        logger.warning("room %s is suspended: %s", room, fault)
        now_us = self._wall_us()
        suspension = Suspension.first(fault, now_us)
        self._suspensions.append(suspension)
        self._faults.append(suspension.error(room, now_us))
        for _ in range(self._unsettled if self._command_log.may_hold_more_than(self._settled_bytes) else 0):
            self._waiting.popleft().future.set_exception(suspension.unsettled(room))
        self._refuse_waiting()
        self._close_files(self._timeline.abandon)

    def _fail(self, error: Exception) -> None:
        logger.error("room %s failed and has stopped", self.record.room, exc_info=error)
        self._faults.append(
            RoomFailed(
                f"the room's engine failed ({type(error).__name__}) and has stopped",
                "continue in a new room; the server's log has the details",
                room=self.record.room,
            )
        )
        self._refuse_waiting()
        self._close_files(self._timeline.close)

    def _close_files(self, of_timeline: Callable[[], None]) -> None:
        for close in (of_timeline, self._command_log.close):
            try:
                close()
            except MACHINE_FAULTS as fault:
                logger.warning("room %s: its files were left as they are: %s", self.record.room, fault)
            except Exception:
                logger.exception("room %s: its files were left as they are", self.record.room)

    def _refuse_waiting(self) -> None:
        while self._waiting:
            self._waiting.popleft().future.set_exception(self._faults[0])


def _is_still_to_come(at_us: int, now_us: int) -> str:
    return f"{at_us / SECOND_US:.3f} s lies in the future: the room is at {now_us / SECOND_US:.3f} s"
