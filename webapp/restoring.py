"""Bringing a room back from its seed and its commands."""

import logging
import shutil
from collections.abc import Iterable
from contextlib import suppress

from engine.errors import OffsetscopeError
from engine.journal.journal import Journal
from engine.message.format import PLAIN_OVERHEAD_BYTES
from webapp.command_log import CommandLog
from webapp.repeating import Repetition
from webapp.room_folders import RoomFolders
from webapp.room_record import RoomRecord
from webapp.suspension import MACHINE_FAULTS
from webapp.timeline import Timeline

CHUNK_BYTES = 16 * 1024 * 1024

logger = logging.getLogger(__name__)


def restore(record: RoomRecord, folders: RoomFolders, command_log: CommandLog, *, wall_us: int) -> Timeline:
    """The room as it was when its last command, or its last event that anybody could have read, had happened.

    The journal is told anew. It must begin with exactly what the former one held, because browsers have bookmarks in
    it; if it does not, that is logged, and the new one counts. Raises ``RoomDamaged`` if the command log cannot be read
    or a command in it cannot be repeated; the files are then kept. Raises ``MachineFault``, ``StorageFailed`` or
    ``OSError`` if the machine refuses something: the former journal stays for the next try then.
    """
    if command_log.bytes_cut:
        logger.warning("room %s: %d torn bytes cut off its commands", record.room, command_log.bytes_cut)
    _set_former_journal_aside(folders)
    timeline = Timeline(record, folders, wall_us=wall_us)
    try:
        repetition = Repetition(timeline)
        for logged in command_log:
            repetition.repeat(logged)
        _catch_up_with_former_journal(timeline, repetition, folders)
        _forget_former_journal(folders)
    except BaseException:
        timeline.close()
        raise
    timeline.pace = timeline.pace.anchored(timeline.cluster.now_us, wall_us)
    return timeline


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
        with suppress(FileNotFoundError):
            shutil.rmtree(folders.journal)
    elif folders.journal.exists():
        folders.journal.rename(folders.former_journal)


def _forget_former_journal(folders: RoomFolders) -> None:
    """At once, as far as the next restore can see: half a former journal would pass for the true one."""
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
        logger.warning("room %s: its former journal cannot be read (%s); it is told anew", room, error)
        return
    try:
        repetition.run_until(former.last_event_at_us())
        timeline.cluster.publish()
        differs_at = first_difference(former, timeline.journal)
        if differs_at < former.end_offset:
            logger.warning("room %s: the journal told anew differs from offset %d on", room, differs_at)
    finally:
        former.close()
