"""The lifecycle of the rooms of a server: each is in one state, which changes behind one lock of its own.

The states follow each other: ``asleep`` (in its files only), ``restoring``, ``awake`` (in memory), ``closing``, then
``asleep`` again, and ``gone`` at the end. So no room is ever twice in memory over the same files.
"""

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from engine.errors import OffsetscopeError
from webapp.errors import RoomDamaged, UnknownRoom
from webapp.room.room import Room
from webapp.room.suspension import MACHINE_FAULTS, Suspension

State = Literal["asleep", "restoring", "awake", "closing", "gone"]

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Life:
    """The state of one room, and why it cannot be restored: for good (``damages``), or for now (``suspensions``)."""

    state: State
    lock: threading.Lock = field(default_factory=threading.Lock)
    damages: list[OffsetscopeError] = field(default_factory=list)
    suspensions: list[Suspension] = field(default_factory=list)


class Lifecycle:
    """The states of all rooms; every method may be called from any thread.

    ``restore`` reads a room from its files; it raises a fault of the machine if that may succeed later, and any other
    error if the files are damaged. ``on_awake`` is called with each room that was restored. ``wall_us`` is a monotonic
    clock.
    """

    def __init__(
        self,
        rooms: Iterable[str],
        *,
        restore: Callable[[str], Room],
        on_awake: Callable[[Room], None],
        wall_us: Callable[[], int],
    ) -> None:
        self._restore = restore
        self._on_awake = on_awake
        self._wall_us = wall_us
        self._lock = threading.Lock()  # of the two dictionaries
        self._lives = {room: _Life("asleep") for room in rooms}
        self._awake: dict[str, Room] = {}

    @property
    def count(self) -> int:
        """How many rooms there are, in memory or not."""
        return len(self._lives)

    def ids(self) -> list[str]:
        """Return the ids of all rooms."""
        with self._lock:
            return list(self._lives)

    def awake(self) -> dict[str, Room]:
        """Return the rooms in memory, suspended ones too, by id."""
        with self._lock:
            return dict(self._awake)

    def state_of(self, room_id: str) -> State:
        """Return the state of a room; ``gone`` for one that never was."""
        life = self._lives.get(room_id)
        return life.state if life else "gone"

    def add(self, room: Room) -> None:
        """Add a room that was just made."""
        with self._lock:
            self._lives[room.record.room] = _Life("awake")
            self._awake[room.record.room] = room

    def find(self, room_id: str) -> Room:
        """Return the room, restored from its files if it is not in memory or is suspended.

        Raises ``UnknownRoom``, ``RoomSuspended`` or the error that prevents its restore.
        """
        room = self._awake.get(room_id)
        return room if room is not None and not room.suspensions else self._restored(room_id)

    def is_awake(self, room: Room) -> bool:
        """Return whether the room is still in memory as this object."""
        return self._awake.get(room.record.room) is room

    def restore_suspended(self) -> None:
        """Restore the suspended rooms whose pause is over."""
        for room_id, room in self.awake().items():
            if room.suspensions:
                with suppress(OffsetscopeError):
                    self._restored(room_id)

    def unload(self, room: Room, is_in_use: Callable[[Room], bool]) -> bool:
        """Close a room and keep its files; return false if it was in use meanwhile, or is not in memory any more."""
        room_id = room.record.room
        life = self._lives.get(room_id)
        if life is None:
            return False
        with life.lock:
            with self._lock:
                if self._awake.get(room_id) is not room:
                    return False
                del self._awake[room_id]
                if is_in_use(room):
                    self._awake[room_id] = room
                    return False
            life.state = "closing"
            room.close()
            life.state = "asleep"
        return True

    def delete(self, room_id: str, delete_files: Callable[[], None]) -> None:
        """Close a room, and delete its files."""
        life = self._lives.get(room_id)
        if life is None:
            return
        with life.lock:
            life.state = "gone"
            with self._lock:
                room = self._awake.pop(room_id, None)
                self._lives.pop(room_id, None)
            if room is not None:
                room.close()
            delete_files()

    def _restored(self, room_id: str) -> Room:
        life = self._lives.get(room_id)
        if life is None:
            raise _unknown(room_id)
        with life.lock:
            if life.state == "gone":
                raise _unknown(room_id)
            for damage in life.damages:
                raise damage
            former = self._awake.get(room_id)
            if former is not None and not former.suspensions:
                return former
            life.state = "restoring"
            try:
                room = self._restored_in_time(life, room_id, former.suspensions if former is not None else ())
            except BaseException:
                life.state = "asleep" if former is None else "awake"
                raise
            with self._lock:
                self._awake[room_id] = room
            life.suspensions.clear()
            life.state = "awake"
        self._on_awake(room)
        return room

    def _restored_in_time(self, life: _Life, room_id: str, suspensions: Iterable[Suspension]) -> Room:
        """Restore a room, with pauses between failed attempts: ``RoomSuspended`` has the time of the next."""
        now_us = self._wall_us()
        if not life.suspensions:
            life.suspensions.extend(suspensions)
        for suspension in life.suspensions:
            if now_us < suspension.retry_at_us:
                raise suspension.error(room_id, now_us)
        try:
            return self._restore(room_id)
        except MACHINE_FAULTS as fault:
            latest = [suspension.next(fault, now_us) for suspension in life.suspensions]
            life.suspensions = latest or [Suspension.first(fault, now_us)]
            logger.warning("room %s cannot be restored yet: %s", room_id, fault)
            raise life.suspensions[0].error(room_id, now_us) from fault
        except OffsetscopeError as error:
            life.damages.append(error)
            logger.error("room %s cannot be restored: %s", room_id, error)
            raise
        except Exception as error:
            logger.exception("room %s cannot be restored", room_id)
            damage = RoomDamaged(
                f"the room cannot be restored ({type(error).__name__})",
                "make a new room; the files of this one are kept, and the server's log has the details",
                room=room_id,
            )
            life.damages.append(damage)
            raise damage from error


def _unknown(room_id: str) -> UnknownRoom:
    return UnknownRoom(f"there is no room {room_id[:40]!r}", "make a new one; unused rooms expire", room=room_id[:40])
