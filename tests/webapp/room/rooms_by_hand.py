"""Rooms without a server: the test moves the clock and calls the slices that the pump would call."""

from collections.abc import Callable
from pathlib import Path

from tests.webapp.support import HandClock
from webapp.room.command_log import CommandLog
from webapp.room.folders import RoomFolders
from webapp.room.record import RoomRecord, Start, hash_key
from webapp.room.restore import restore
from webapp.room.room import Room
from webapp.room.timeline import Timeline

KEY = "the key"
ROOM = "aaaabbbbcccc"


def record(start: Start = "running", seed: int = 1, scenario: str = "pageviews") -> RoomRecord:
    return RoomRecord(ROOM, scenario, seed, start, hash_key(KEY), 0)


def new_room(
    directory: Path,
    clock: HandClock,
    start: Start = "running",
    *,
    bytes_at_most: int = 1 << 30,
    wake: Callable[[Room], None] = lambda room: None,
) -> Room:
    folders = RoomFolders(directory)
    timeline = Timeline(record(start), folders, wall_us=clock())
    commands = CommandLog.open(folders.commands, now_us=HandClock())
    return Room(timeline, commands, wake=wake, wall_us=clock, bytes_at_most=bytes_at_most)


def restored_room(directory: Path, clock: HandClock, start: Start = "running") -> Room:
    folders = RoomFolders(directory)
    commands = CommandLog.open(folders.commands, now_us=HandClock())
    timeline = restore(record(start), folders, commands, wall_us=clock())
    return Room(timeline, commands, wake=lambda room: None, wall_us=clock, bytes_at_most=1 << 30)
