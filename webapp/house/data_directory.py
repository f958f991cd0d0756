"""The folder that holds the rooms, used by one server at a time."""

import os
import shutil
from pathlib import Path
from typing import Self

from engine.storage.disk import open_locked
from webapp.errors import DataDirectoryUnusable
from webapp.room.files import bytes_on_disk
from webapp.room.folders import RoomFolders
from webapp.room.record import RECORD_FILE, is_room_id

LOCK_FILE = "lock"
ROOMS_FOLDER = "rooms"
DOOMED_PREFIX = "doomed-"


class DataDirectory:
    """The data folder of a running server, locked until :meth:`close`."""

    def __init__(self, path: Path, lock_handle: int) -> None:
        self.path = path
        self._lock_handle = lock_handle

    @classmethod
    def open(cls, path: Path) -> Self:
        """Create the folder if it does not exist and lock it; raises ``DataDirectoryUnusable`` if that fails.

        It fails also while another server uses the folder. Rooms that a crash left half made or half deleted are
        removed.
        """
        try:
            (path / ROOMS_FOLDER).mkdir(parents=True, exist_ok=True)
            handle = open_locked(path / LOCK_FILE)
        except BlockingIOError as error:
            raise _unusable(path, "another server uses it", "stop that one, or choose another --data-dir") from error
        except OSError as error:
            raise _unusable(path, error.strerror or str(error), "choose another folder with --data-dir") from error
        opened = cls(path, handle)
        opened._sweep()
        return opened

    def room(self, room: str) -> Path:
        """Return the folder of a room, whether it exists or not; ``is_room_id(room)`` must be true."""
        assert is_room_id(room), room
        return self.path / ROOMS_FOLDER / room

    def rooms(self) -> list[str]:
        """Return the ids of all completely made rooms."""
        folders = (self.path / ROOMS_FOLDER).iterdir()
        return sorted(folder.name for folder in folders if is_room_id(folder.name) and (folder / RECORD_FILE).exists())

    def measure(self, room: str) -> tuple[int, bool]:
        """Return how many bytes a room has on disk, and whether a command was ever logged in it."""
        folder = self.room(room)
        return bytes_on_disk(folder), bytes_on_disk(RoomFolders(folder).commands) > 0

    def delete(self, room: str) -> None:
        """Delete a room's folder; the room stops existing at once.

        Windows cannot move a folder with an open file in it. There the room's record is deleted first, and files that
        cannot be removed yet are removed at the next start.
        """
        doomed = self.room(room).with_name(DOOMED_PREFIX + room)
        try:
            self.room(room).rename(doomed)
        except PermissionError:
            doomed = self.room(room)
            (doomed / RECORD_FILE).unlink()
        shutil.rmtree(doomed, ignore_errors=True)

    def close(self) -> None:
        """Unlock the folder for another server."""
        os.close(self._lock_handle)

    def _sweep(self) -> None:
        whole = set(self.rooms())
        for folder in (self.path / ROOMS_FOLDER).iterdir():
            is_half_made = is_room_id(folder.name) and folder.name not in whole
            if is_half_made or folder.name.startswith(DOOMED_PREFIX):
                shutil.rmtree(folder, ignore_errors=True)


def _unusable(path: Path, reason: str, remedy: str) -> DataDirectoryUnusable:
    return DataDirectoryUnusable(f"cannot use the data folder {path}: {reason}", remedy, path=str(path))
