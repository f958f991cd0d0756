"""All rooms of a server: making, finding, unloading and deleting them."""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import islice

from engine.config import NEVER_US
from engine.storage.disk import MACHINE
from webapp.errors import TooManyRooms
from webapp.house.data_directory import DataDirectory
from webapp.house.forks import ForksUnderWay, ForkUnderWay
from webapp.house.lifecycle import Lifecycle
from webapp.house.quotas import ForkTurns, RoomsPerMinute
from webapp.house.usage import SpaceLimits, UsageFile
from webapp.room.command_log import CommandLog, LoggedCommand
from webapp.room.commands import ForkCommand
from webapp.room.folders import RoomFolders
from webapp.room.record import RoomRecord, Start, hash_key, new_room_id, random_key
from webapp.room.replay import Repetition
from webapp.room.restore import restore
from webapp.room.room import PAUSE_FIELDS, Room
from webapp.room.timeline import Timeline
from webapp.settings import Settings

SECOND_US = 1_000_000
PORTION_COMMANDS = 64
"""How many commands of a fork are held and written at a time."""

MakeKey = Callable[[str], str]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MadeRoom:
    """A room that was just made, and its presenter key, which is shown this once."""

    room: Room
    presenter_key: str


class Rooms:
    """The rooms of one data folder; every method may be called from any thread.

    A room is restored on a request for it. Without requests and viewers its time stops after a while, it is unloaded
    after a longer while, and deleted after a very long one. A suspended room is restored when that is possible again,
    by a request or by :meth:`run_housekeeping`. ``is_watched`` returns whether a room has viewers; ``wake`` notifies
    the pump.
    """

    def __init__(
        self,
        directory: DataDirectory,
        settings: Settings,
        *,
        wall_us: Callable[[], int],
        wake: Callable[[Room], None],
        is_watched: Callable[[Room], bool],
    ) -> None:
        self._directory = directory
        self._settings = settings
        self._wall_us = wall_us
        self._wake = wake
        self._is_watched = is_watched
        self._per_minute = RoomsPerMinute(settings.rooms_per_minute_and_address, wall_us=wall_us)
        self._forks_per_minute = RoomsPerMinute(settings.forks_per_minute_and_address, kind="forks", wall_us=wall_us)
        self.forks = ForksUnderWay()
        self._fork_turns = ForkTurns(settings.forks_at_once, timeout_s=settings.fork_timeout_s)
        known = directory.rooms()
        self._lifecycle = Lifecycle(known, restore=self._restored, on_awake=wake, wall_us=wall_us)
        self._usage = UsageFile.open(directory.path, known, measure=directory.measure, clock_us=wall_us)
        self._space = SpaceLimits(
            rooms=settings.rooms_at_most,
            rooms_per_client=settings.rooms_per_client_at_most,
            size_bytes=settings.disk_bytes_at_most,
            size_bytes_per_client=settings.disk_bytes_per_client_at_most,
        )
        self._making = threading.Lock()

    # --- making -----------------------------------------------------------------------------------------------------

    def make(self, scenario: str, seed: int, start: Start, *, address: str, make_key: MakeKey = random_key) -> MadeRoom:
        """Make a new room; raises ``UnknownScenario``, ``RoomsTooFast`` or ``TooManyRooms``.

        ``make_key`` makes its presenter key of its id.
        """
        record, presenter_key = self._new_record(scenario, seed, start, address, make_key)

        def begin(folders: RoomFolders, command_log: CommandLog) -> Timeline:
            return Timeline(record, folders, wall_us=self._wall_us())

        return MadeRoom(self._make(record, begin), presenter_key)

    def fork(self, origin: Room, fork: ForkCommand, *, address: str, make_key: MakeKey = random_key) -> MadeRoom:
        """Make a new room with the state of ``origin`` at a point in its past, paused.

        It replays that past, which takes some seconds for an hour; ``forks`` has the progress meanwhile. Few forks
        replay at a time. Raises as :meth:`make`, with a lower limit for ``RoomsTooFast``, ``TooManyForks`` if its turn
        does not come in time, and ``ForkGivenUp`` if it was cancelled.
        """
        self._forks_per_minute.count(address)
        past = origin.past(fork)
        point = past.point
        parent = origin.record
        record, presenter_key = self._new_record(parent.scenario, parent.seed, parent.start, address, make_key)
        record = replace(record, forked_from=parent.room, forked_at_us=point.at_us)

        def begin(folders: RoomFolders, command_log: CommandLog) -> Timeline:
            timeline = Timeline(record, folders, wall_us=self._wall_us())
            pause = LoggedCommand(point.at_us, PAUSE_FIELDS)

            def note() -> None:
                under_way.note(timeline.journal.next_offset, timeline.cluster.now_us)

            try:
                repetition = Repetition(timeline, after_bite=note)
                replay = repetition.repeat_until(origin.commands(), point)
                while portion := list(islice(replay, PORTION_COMMANDS)):
                    command_log.append(portion)
                command_log.append([pause])
                repetition.repeat(pause)
            except BaseException:
                timeline.close()
                raise
            return timeline

        under_way = ForkUnderWay(journal_bytes_in_all=past.journal_bytes, at_us=point.at_us)
        with self.forks.one(parent.room, fork.ticket, under_way), self._fork_turns.one(under_way.require_wanted):
            return MadeRoom(self._make(record, begin), presenter_key)

    def _new_record(
        self, scenario: str, seed: int, start: Start, address: str, make_key: MakeKey
    ) -> tuple[RoomRecord, str]:
        """Return the record of a new room and its key, and hold a place for it; ``_discard`` frees that."""
        self._per_minute.count(address)
        room_id = new_room_id()
        with self._making:
            self._make_place(address)
            self._usage.add(room_id, address)
        presenter_key = make_key(room_id)
        return RoomRecord(room_id, scenario, seed, start, hash_key(presenter_key), int(time.time())), presenter_key

    def _make(self, record: RoomRecord, begin: Callable[[RoomFolders, CommandLog], Timeline]) -> Room:
        """Make the room's files; its record is written last, so that a crash leaves a whole room or none.

        Raises ``MachineFault`` or ``StorageFailed`` on a fault of the machine.
        """
        path = self._directory.room(record.room)
        folders = RoomFolders(path)
        with MACHINE, ExitStack() as undoing:
            undoing.callback(self._discard, record.room)
            path.mkdir()
            command_log = CommandLog.open(folders.commands, now_us=self._wall_us)
            undoing.callback(command_log.close)
            timeline = begin(folders, command_log)
            undoing.callback(timeline.close)
            room = self._room(timeline, command_log)
            record.write(path)
            undoing.pop_all()
        self._lifecycle.add(room)
        self._wake(room)
        return room

    def _discard(self, room_id: str) -> None:
        """Delete a half-made room; files that cannot be deleted are deleted when the server starts."""
        self._usage.remove(room_id)
        with suppress(OSError):
            self._directory.delete(room_id)

    def _room(self, timeline: Timeline, command_log: CommandLog) -> Room:
        return Room(
            timeline,
            command_log,
            wake=self._wake,
            wall_us=self._wall_us,
            bytes_at_most=self._settings.room_bytes_at_most,
        )

    def _make_place(self, client: str) -> None:
        """Make space for one more room of a client by deleting others; raises ``TooManyRooms`` if none may be deleted.

        A room with viewers stays, and so does one that was changed and then used a short while ago.
        """
        while not self._usage.has_space(client, self._space):
            for room_id in self._usage.to_evict(client, self._space):
                if self._lifecycle.state_of(room_id) != "gone" and not self._is_in_use(room_id):
                    logger.info("room %s makes way for a new one, after %d s unused", *self._idle(room_id))
                    self._delete(room_id)
                    break
            else:
                raise TooManyRooms(
                    "the server has no space for another room, and all that could make way are in use",
                    "use a room that you have, or try again later",
                    rooms_at_most=self._space.rooms,
                    rooms_per_client_at_most=self._space.rooms_per_client,
                )

    def _is_in_use(self, room_id: str) -> bool:
        awake = self._lifecycle.awake().get(room_id)
        if awake is not None and self._is_watched(awake):
            return True
        is_touched = self._usage.is_touched(room_id) if awake is None else not awake.is_untouched
        return is_touched and self._usage.idle_s(room_id) < self._settings.sleep_after_s

    def _idle(self, room_id: str) -> tuple[str, int]:
        return room_id, self._usage.idle_s(room_id)

    # --- finding ----------------------------------------------------------------------------------------------------

    def find(self, room_id: str) -> Room:
        """Return the room, restored from its files if it is not in memory, and record that it is in use.

        Raises ``UnknownRoom``, ``RoomSuspended``, ``RoomDamaged`` or the error that prevented its restore.
        """
        while True:
            room = self._lifecycle.find(room_id)
            was_idle = self._is_idle(room)
            room.last_seen_us = self._wall_us()
            self._usage.note_use(room_id)
            if self._lifecycle.is_awake(room):  # not unloaded before its use was recorded
                break
        if was_idle:
            self._wake(room)
        return room

    def _restored(self, room_id: str) -> Room:
        """Restore a room from its files."""
        path = self._directory.room(room_id)
        begin_s = time.monotonic()
        with MACHINE, ExitStack() as undoing:
            record = RoomRecord.read(path)
            command_log = CommandLog.open(RoomFolders(path).commands, now_us=self._wall_us)
            undoing.callback(command_log.close)
            timeline = restore(record, RoomFolders(path), command_log, wall_us=self._wall_us())
            undoing.callback(timeline.close)
            room = self._room(timeline, command_log)
            undoing.pop_all()
        logger.info("room %s restored in %.2f s", room_id, time.monotonic() - begin_s)
        return room

    # --- unloading and deleting -------------------------------------------------------------------------------------

    @property
    def known(self) -> int:
        """How many rooms there are, in memory or on disk."""
        return self._lifecycle.count

    def awake(self) -> list[Room]:
        """Return the rooms in which time may pass: those with a viewer or a recent request."""
        return [room for room in self._in_memory() if not self._is_idle(room) or self._is_watched(room)]

    @property
    def pending_bytes(self) -> int:
        """How many bytes of messages all rooms in memory hold in memory only."""
        return sum(room.pending_bytes for room in self._in_memory())

    def run_housekeeping(self) -> None:
        """Unload rooms unused for a while, restore suspended ones, delete those unused for long, store the usage."""
        for room in self._in_memory():
            self._note_usage(room)
        for room, seen_us in self._idle_rooms():
            self._unload(room, seen_us)
        self._lifecycle.restore_suspended()
        for room_id in self._expired():
            logger.info("room %s has expired, after %d s unused while this server ran", *self._idle(room_id))
            self._delete(room_id)
        if self._usage.is_save_due:
            self._save_usage()

    def close(self) -> None:
        """Close all rooms; their files are complete. A room that cannot be closed does not keep others from it."""
        for room in self._in_memory():
            try:
                self._unload(room, NEVER_US)
            except Exception:
                logger.exception("room %s cannot be closed", room.record.room)
        self._save_usage()

    def _in_memory(self) -> list[Room]:
        return list(self._lifecycle.awake().values())

    def _note_usage(self, room: Room) -> None:
        room_id = room.record.room
        self._usage.note_size(room_id, room.size_bytes, is_touched=not room.is_untouched)
        if self._is_watched(room):
            self._usage.note_use(room_id)

    def _idle_rooms(self) -> list[tuple[Room, int]]:
        """Return the unwatched rooms, and when they were last used, that are idle or exceed the number in memory."""
        rooms = self._in_memory()
        unwatched = [(room, room.last_seen_us) for room in rooms if not self._is_watched(room)]
        unwatched.sort(key=lambda seen: seen[1])
        surplus = max(0, len(rooms) - self._settings.rooms_in_memory_at_most)
        begin_us = self._wall_us() - self._settings.unload_after_s * SECOND_US
        return [seen for index, seen in enumerate(unwatched) if index < surplus or seen[1] <= begin_us]

    def _is_idle(self, room: Room) -> bool:
        return self._wall_us() - room.last_seen_us >= self._settings.sleep_after_s * SECOND_US

    def _unload(self, room: Room, seen_us: int) -> None:
        """Put a room away that was last used at ``seen_us``, unless it was used again."""
        room_id = room.record.room
        if self._lifecycle.unload(room, lambda room: room.last_seen_us > seen_us):
            size_bytes, is_touched = self._directory.measure(room_id)
            self._usage.note_size(room_id, size_bytes, is_touched=is_touched)

    def _save_usage(self) -> None:
        try:
            self._usage.save()
        except OSError as error:
            logger.warning("the usage of the rooms cannot be stored, and is tried again: %s", error)

    def _expired(self) -> list[str]:
        in_memory = self._lifecycle.awake()
        away = [room_id for room_id in self._lifecycle.ids() if room_id not in in_memory]
        return [room_id for room_id in away if self._usage.idle_s(room_id) > self._expiry_s(room_id)]

    def _expiry_s(self, room_id: str) -> int:
        settings = self._settings
        if self._usage.is_touched(room_id):
            return settings.room_expires_after_s
        return min(settings.untouched_room_expires_after_s, settings.room_expires_after_s)

    def _delete(self, room_id: str) -> None:
        self._lifecycle.delete(room_id, lambda: self._directory.delete(room_id))
        self._usage.remove(room_id)
