"""Restoring a room from its seed and its commands."""

import logging
import shutil
from collections.abc import Iterable
from contextlib import suppress

from engine.errors import OffsetscopeError
from engine.journal.journal import Journal
from engine.message.format import MAGIC_0_OVERHEAD_BYTES
from webapp.errors import RoomDamaged
from webapp.room.command_log import CommandLog
from webapp.room.folders import RoomFolders
from webapp.room.record import RoomRecord
from webapp.room.replay import Repetition
from webapp.room.suspension import MACHINE_FAULTS
from webapp.room.timeline import Timeline

CHUNK_BYTES = 16 * 1024 * 1024

logger = logging.getLogger(__name__)


def restore(record: RoomRecord, folders: RoomFolders, command_log: CommandLog, *, wall_us: int) -> Timeline:
    """Restore a room up to its last command or its last readable event, whichever is later.

    The journal is rebuilt by replay. It must begin with exactly the former journal, because browsers have offsets in
    it; if it does not, that is logged, and the new journal counts. Raises ``MachineFault``, ``StorageFailed`` or
    ``OSError`` on a fault of the machine; the former journal then stays for the next attempt.

    If the command log is damaged, or a command in it cannot be replayed, the room is restored up to the command
    before, and paused; ``command_log.damages`` says why. All files are then kept, the former journal too.
    """
    if command_log.bytes_cut:
        logger.warning("room %s: %d torn bytes truncated from its command log", record.room, command_log.bytes_cut)
    _set_former_journal_aside(folders)
    try:
        timeline = _replayed(record, folders, command_log, wall_us)
    except RoomDamaged as unrepeatable:
        command_log.end_before(unrepeatable)
        shutil.rmtree(folders.journal)
        timeline = _replayed(record, folders, command_log, wall_us)
    for damage in command_log.damages:
        logger.error("room %s is read-only: %s", record.room, damage)
    return timeline


def _replayed(record: RoomRecord, folders: RoomFolders, command_log: CommandLog, wall_us: int) -> Timeline:
    timeline = Timeline(record, folders, wall_us=wall_us)
    try:
        repetition = Repetition(timeline)
        for logged in command_log:
            repetition.repeat(logged)
        if command_log.damages:
            timeline.cluster.publish()
            timeline.pace = timeline.pace.pause()
        else:
            _catch_up_with_former_journal(timeline, repetition, folders)
            _delete_former_journal(folders)
    except BaseException:
        timeline.close()
        raise
    timeline.pace = timeline.pace.anchored(timeline.cluster.now_us, wall_us)
    return timeline


def first_difference(former: Journal, present: Journal) -> int:
    """Return the offset of the first event of ``former`` that ``present`` lacks; ``former``'s end if there is none."""
    offset = 0
    while offset < former.end_offset:
        if offset >= present.end_offset:
            return offset
        before, now = (journal.read(offset, CHUNK_BYTES).payloads for journal in (former, present))
        same = _common_events(before, now)
        offset += sum(MAGIC_0_OVERHEAD_BYTES + len(payload) for payload in before[:same])
        if same == 0 or same < min(len(before), len(now)):
            return offset
    return offset


def _common_events(before: Iterable[bytes], now: Iterable[bytes]) -> int:
    """Return how many events both have in common at the beginning."""
    same = 0
    for old, new in zip(before, now, strict=False):
        if old != new:
            break
        same += 1
    return same


def _set_former_journal_aside(folders: RoomFolders) -> None:
    """Keep the last run's journal for comparison; one that an interrupted restore set aside takes precedence."""
    if folders.former_journal.exists():
        with suppress(FileNotFoundError):
            shutil.rmtree(folders.journal)
    elif folders.journal.exists():
        folders.journal.rename(folders.former_journal)


def _delete_former_journal(folders: RoomFolders) -> None:
    """Delete the former journal, renamed first: the next restore must not take a half-deleted one for the whole."""
    shutil.rmtree(folders.obsolete_journal, ignore_errors=True)
    if folders.former_journal.exists():
        folders.former_journal.rename(folders.obsolete_journal)
        shutil.rmtree(folders.obsolete_journal, ignore_errors=True)


def _catch_up_with_former_journal(timeline: Timeline, repetition: Repetition, folders: RoomFolders) -> None:
    room = timeline.record.room
    if not folders.former_journal.exists():
        timeline.cluster.publish()
        return
    try:
        former = Journal.open(folders.former_journal)
    except MACHINE_FAULTS:
        raise
    except OffsetscopeError as error:
        timeline.cluster.publish()
        logger.warning("room %s: its former journal cannot be read (%s) and is rebuilt", room, error)
        return
    try:
        repetition.run_until(former.last_event_at_us())
        timeline.cluster.publish()
        differs_at = first_difference(former, timeline.journal)
        if differs_at < former.end_offset:
            logger.warning("room %s: the rebuilt journal differs from offset %d on", room, differs_at)
    finally:
        former.close()
