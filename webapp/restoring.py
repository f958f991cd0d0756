"""Bringing a room back from its seed and its commands, and making a new one out of another's past."""

import json
import logging
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from engine.config import SECOND_US
from engine.entries import PLAIN_OVERHEAD_BYTES
from engine.errors import OffsetscopeError
from engine.journal import Journal, JournalChunk
from webapp.command_log import CommandLog, LoggedCommand
from webapp.room_commands import parse
from webapp.room_folders import RoomFolders
from webapp.room_record import RoomRecord
from webapp.timeline import Timeline

CHUNK_BYTES = 16 * 1024 * 1024
STRETCH_US = 10 * SECOND_US

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PastPoint:
    """A point in a room's past: everything journaled before ``journal_offset``, and that was at ``at_us``."""

    at_us: int
    journal_offset: int


def restore(record: RoomRecord, folders: RoomFolders, command_log: CommandLog, *, wall_us: int) -> Timeline:
    """The room as it was when its last command, or its last event that anybody could have read, had happened.

    The journal is told anew. It must begin with exactly what the former one held, because browsers have bookmarks in
    it; if it does not, that is logged, and the new one counts. Raises what the engine raises if its files cannot be
    written, and ``RoomDamaged`` if the command log cannot be read.
    """
    if command_log.bytes_cut:
        logger.warning("room %s: %d torn bytes cut off its commands", record.room, command_log.bytes_cut)
    _set_former_journal_aside(folders)
    timeline = Timeline(record, folders, wall_us=wall_us)
    try:
        for logged in command_log:
            repeat(timeline, logged)
        _catch_up_with_former_journal(timeline, folders)
    except BaseException:
        timeline.close()
        raise
    timeline.pace = timeline.pace.anchored(timeline.cluster.now_us, wall_us)
    shutil.rmtree(folders.former_journal, ignore_errors=True)
    return timeline


def repeat(timeline: Timeline, logged: LoggedCommand) -> None:
    """Apply a command at the virtual time at which it was applied before; what was refused is refused again."""
    run_in_stretches(timeline, logged.at_us)
    try:
        timeline.apply(parse(logged.fields))
    except OffsetscopeError as error:
        logger.debug("room %s refuses %s again: %s", timeline.record.room, logged.fields, error)


def run_in_stretches(timeline: Timeline, at_us: int) -> None:
    """Let hours pass without holding all their events in memory."""
    while timeline.cluster.now_us + STRETCH_US < at_us:
        timeline.run_until(timeline.cluster.now_us + STRETCH_US)
        timeline.cluster.publish()
    timeline.run_until(at_us)


def repeat_until(timeline: Timeline, commands: Sequence[LoggedCommand], point: PastPoint) -> list[LoggedCommand]:
    """Repeat the commands that had been applied at ``point`` and return them; time is then ``point.at_us``.

    An instant is not divided, except between commands: what happened at ``at_us`` without a person has all happened.
    """
    repeated: list[LoggedCommand] = []
    for logged in commands:
        if logged.at_us > point.at_us:
            break
        run_in_stretches(timeline, logged.at_us)
        if logged.at_us == point.at_us and timeline.journal.next_offset >= point.journal_offset:
            break
        repeat(timeline, logged)
        repeated.append(logged)
    run_in_stretches(timeline, point.at_us)
    return repeated


def time_at(read: Callable[[int, int], JournalChunk], journal_offset: int) -> int:
    """Virtual time of the last event before ``journal_offset``, found by reading the journal from its beginning.

    Raises what ``Journal.read`` raises if no event starts or ends there.
    """
    read(journal_offset, 0)
    position = 0
    last_payload = b'{"at_us":0}'
    while position < journal_offset:
        chunk = read(position, min(CHUNK_BYTES, journal_offset - position))
        assert chunk.payloads, "an event ends at journal_offset"
        position = chunk.next_offset
        last_payload = chunk.payloads[-1]
    return int(json.loads(last_payload)["at_us"])


def first_difference(former: Journal, present: Journal) -> int:
    """The offset of the first event of ``former`` that ``present`` does not have; ``former``'s end if there is none."""
    offset = 0
    while offset < former.end_offset:
        if offset >= present.end_offset:
            return offset
        before, now = (journal.read(offset, CHUNK_BYTES).payloads for journal in (former, present))
        same = _common_events(before, now)
        offset += sum(PLAIN_OVERHEAD_BYTES + len(payload) for payload in before[:same])
        if same == 0 or same < min(len(before), len(now)):
            return offset
    return offset


def _common_events(before: Iterable[bytes], now: Iterable[bytes]) -> int:
    """How many events both begin with."""
    same = 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            break
        same += 1
    return same


def _set_former_journal_aside(folders: RoomFolders) -> None:
    """Keep the journal of the last run for comparison; one that an interrupted restore set aside is the true one."""
    if folders.former_journal.exists():
        shutil.rmtree(folders.journal, ignore_errors=True)
    elif folders.journal.exists():
        folders.journal.rename(folders.former_journal)


def _catch_up_with_former_journal(timeline: Timeline, folders: RoomFolders) -> None:
    room = timeline.record.room
    if not folders.former_journal.exists():
        timeline.cluster.publish()
        return
    try:
        former = Journal.open(folders.former_journal)
    except OffsetscopeError as error:
        timeline.cluster.publish()
        logger.warning("room %s: its former journal cannot be read (%s); it is told anew", room, error)
        return
    try:
        run_in_stretches(timeline, former.last_event_at_us())
        timeline.cluster.publish()
        differs_at = first_difference(former, timeline.journal)
        if differs_at < former.end_offset:
            logger.warning("room %s: the journal told anew differs from offset %d on", room, differs_at)
    finally:
        former.close()
