"""A room: one cluster, its durable command log, its journal, and the one lock around them.

Requests never touch the cluster. They hand in a command and hold a future; the pump writes it down durably, applies it
at the present of virtual time, and answers.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from engine.errors import InvalidCommand, OffsetscopeError
from engine.journal import JournalChunk
from webapp.answers import Applied, Moment, Picture
from webapp.command_log import CommandLog, LoggedCommand
from webapp.errors import RoomFailed, RoomFull, ServerStopping
from webapp.files import FolderWeight
from webapp.restoring import PastPoint, time_at
from webapp.room_commands import Command, ForkAtOffset, ForkAtTime, ForkCommand, Pause, Step
from webapp.timeline import Timeline

PIECES_OF_A_SLICE = 4
PAUSE_FIELDS: Mapping[str, Any] = {"command": "clock", "action": "pause"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Submission:
    """A command that waits for the pump."""

    command: Command
    fields: Mapping[str, Any]
    future: Future[Applied]


class Room:
    """One cluster that people share; every method may be called from any thread.

    ``wake`` tells the pump that a command waits, ``wall_us`` is a monotonic clock, ``bytes_at_most`` the limit on the
    room's files. Once its engine has failed, or it was put away, every method raises why.
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
        self._faults: list[OffsetscopeError] = []  # why the room stands still for good; empty while it works
        timeline.cluster.publish()
        self._weight = FolderWeight(timeline.folders.room, wall_us=wall_us)

    # --- what requests ask for --------------------------------------------------------------------------------------

    @property
    def is_failed(self) -> bool:
        """Whether the room stands still for good."""
        return bool(self._faults)

    @property
    def has_work(self) -> bool:
        """Whether the pump should look in: time passes here, or a command waits."""
        return not self._faults and (self._timeline.pace.is_running or bool(self._waiting))

    @property
    def is_untouched(self) -> bool:
        """Whether nobody has ever done anything here."""
        return self._command_log.size_bytes == 0 and not self._waiting

    def submit(self, command: Command, fields: Mapping[str, Any]) -> Future[Applied]:
        """Hand in a command that ``parse`` made of ``fields``; ``RoomFull`` if the room may not grow."""
        assert not isinstance(command, ForkAtOffset | ForkAtTime), "a fork makes another room"
        future: Future[Applied] = Future()
        with self._lock:
            self._require_working()
            if self._is_full and not isinstance(command, Pause):
                raise self._full()
            self._waiting.append(Submission(command, fields, future))
        self._wake(self)
        return future

    def moment(self) -> Moment:
        """The clock, the newest checkpoint and the end of the journal."""
        with self._lock:
            self._require_working()
            journal = self._timeline.journal
            return Moment(self._timeline.pace.facts(), journal.checkpoint_offset, journal.end_offset)

    def read_journal(self, offset: int, max_bytes: int) -> JournalChunk:
        """Whole events from ``offset`` on; as ``Journal.read``."""
        with self._lock:
            self._require_working()
            return self._timeline.journal.read(offset, max_bytes)

    def facts(self) -> dict[str, Any]:
        """What ``GET /api/rooms/<room>`` answers."""
        with self._lock:
            self._require_working()
            clock = self._timeline.pace.facts().as_json()
            journal = {"end_offset": self._timeline.journal.end_offset}
            return {"clock": clock, **self._timeline.cluster.facts(), "journal": journal}

    def picture(self) -> Picture:
        """Facts and state of the same moment."""
        with self._lock:
            return Picture(self.facts(), self._timeline.cluster.snapshot())

    def registry(self) -> dict[str, Any]:
        """The znode tree."""
        with self._lock:
            self._require_working()
            return self._timeline.cluster.registry_tree()

    def read_log(self, topic: str, partition: int, offset: int, max_bytes: int) -> bytes:
        """The bytes a consumer would fetch."""
        with self._lock:
            self._require_working()
            return self._timeline.cluster.read_log(topic, partition, offset, max_bytes)

    def past(self, fork: ForkCommand) -> tuple[PastPoint, list[LoggedCommand]]:
        """The point that a fork names, and all commands so far; a typed error if it does not lie in the past."""
        if isinstance(fork, ForkAtOffset):
            point = PastPoint(time_at(self.read_journal, fork.journal_offset), fork.journal_offset)
        else:
            moment = self.moment()
            if fork.at_us > moment.clock.now_us:
                raise InvalidCommand(
                    f"{fork.at_us} lies in the future: the room is at {moment.clock.now_us}",
                    "fork at a time from 0 to now",
                    command="fork",
                    field="at_us",
                    now_us=moment.clock.now_us,
                )
            point = PastPoint(fork.at_us, moment.end_offset + 1)
        with self._lock:
            self._require_working()
            return point, list(self._command_log)

    # --- what the pump does -----------------------------------------------------------------------------------------

    def slice(self, *, budget_us: int) -> bool:
        """Let virtual time pass and apply what waits; true if readers have something new to see.

        If the engine needs longer than ``budget_us`` of wall time, virtual time falls behind instead of everybody.
        Whatever goes wrong in here is this room's alone.
        """
        with self._lock:
            if self._faults:
                return False
            before = self.moment()
            try:
                self._let_time_pass(budget_us)
                served = self._serve_waiting()
                self._timeline.cluster.publish()
                self._weight.weigh_after(served)
                self._stand_still_if_full()
            except Exception as error:
                self._fail(error)
                return True
            after = self.moment()
            return before.end_offset != after.end_offset or before.clock.look != after.clock.look

    def close(self) -> None:
        """Let go of the files and leave them complete; who still waits is told that the server is going away."""
        with self._lock:
            if self._faults:
                return
            self._faults.append(ServerStopping("the room was put away", "ask again in a moment", room=self.record.room))
            self._refuse_waiting()
            self._timeline.close()
            self._command_log.close()

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
        """Write down, apply and answer the commands that wait; how many they were."""
        served = 0
        while self._waiting:
            batch = self._next_batch()
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
            served += len(batch)
        return served

    def _next_batch(self) -> list[Submission]:
        """The commands that can be written down together: time moves at none of them but the last."""
        batch: list[Submission] = []
        for submission in self._waiting:
            batch.append(submission)
            if isinstance(submission.command, Step):
                break
        return batch

    def _outcome(self, command: Command) -> int | OffsetscopeError:
        """Apply the command: when that was, or why it was refused and nothing happened."""
        self._timeline.run_until(self._timeline.cluster.now_us)
        try:
            self._timeline.apply(command)
        except OffsetscopeError as error:
            if not error.definite:
                raise
            return error
        return self._timeline.cluster.now_us

    # --- limits and faults ------------------------------------------------------------------------------------------

    @property
    def _is_full(self) -> bool:
        return self._weight.bytes > self._bytes_at_most

    def _stand_still_if_full(self) -> None:
        if self._is_full and self._timeline.pace.is_running:
            self._command_log.append([LoggedCommand(self._timeline.cluster.now_us, PAUSE_FIELDS)])
            self._timeline.apply(Pause())
            logger.warning("room %s has grown to %d bytes and stands still", self.record.room, self._weight.bytes)

    def _full(self) -> RoomFull:
        return RoomFull(
            f"the room's files take {self._weight.bytes} bytes; it may not grow any more",
            "go on in a new room, or fork this one at an earlier point",
            room=self.record.room,
            bytes=self._weight.bytes,
            bytes_at_most=self._bytes_at_most,
        )

    def _require_working(self) -> None:
        if self._faults:
            raise self._faults[0]

    def _fail(self, error: Exception) -> None:
        logger.error("room %s failed and stands still", self.record.room, exc_info=error)
        self._faults.append(
            RoomFailed(
                f"the room's engine failed ({type(error).__name__}) and stands still",
                "go on in a new room; the server's log says what happened",
                room=self.record.room,
            )
        )
        self._refuse_waiting()
        for part in (self._timeline, self._command_log):
            try:
                part.close()
            except Exception:
                logger.exception("room %s: its files were left as they are", self.record.room)

    def _refuse_waiting(self) -> None:
        while self._waiting:
            self._waiting.popleft().future.set_exception(self._faults[0])
