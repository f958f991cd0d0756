"""The bytes of one segment on disk."""

from pathlib import Path
from typing import Final

from engine.errors import StorageFailed
from engine.storage.disk import MACHINE, Disk, storage_failed

_NO_HANDLE: Final = -1


class SegmentFile:
    """A file that is appended to at its end and read at any position.

    It keeps a handle while it is written to; a sealed file opens one for each read, so that a long log does not
    use up the process's handles. Every method that touches the disk raises
    :class:`~engine.errors.StorageFailed` if the disk fails.
    """

    __slots__ = ("_damage", "_disk", "_handle", "path", "size_bytes")

    def __init__(self, path: Path, disk: Disk, *, sealed: bool) -> None:
        """Open the file at ``path``, creating it if it is missing and not ``sealed``."""
        self.path = path
        self._disk = disk
        self._handle = _NO_HANDLE
        self._damage = ""
        try:
            if not sealed:
                self._handle = disk.open(path)
            self.size_bytes = disk.size(path)
        except OSError as error:
            self.seal()
            raise storage_failed(path, "open", error) from error

    def append(self, data: bytes) -> None:
        """Write ``data`` at the end; a partial write is undone."""
        if self._damage:
            raise self._refusal()
        try:
            self._disk.append(self._handle, data)
        except OSError as error:
            self._undo_partial_write()
            raise storage_failed(self.path, "append to", error) from error
        self.size_bytes += len(data)

    def read(self, position: int, max_bytes: int) -> bytes:
        """Return the bytes from ``position`` on, ``max_bytes`` of them or up to the end of the file."""
        wanted_bytes = min(max_bytes, self.size_bytes - position)
        if wanted_bytes <= 0:
            return b""
        try:
            if self._handle != _NO_HANDLE:
                return self._read_all(self._handle, position, wanted_bytes)
            handle = self._disk.open_for_reading(self.path)
            try:
                return self._read_all(handle, position, wanted_bytes)
            finally:
                self._disk.close(handle)
        except OSError as error:
            raise storage_failed(self.path, "read", error) from error

    def read_unflushed(self, position: int, max_bytes: int) -> bytes:
        """Read from the file itself, bypassing the faults of its disk.

        Raises :class:`~engine.errors.MachineFault`.
        """
        wanted_bytes = max(0, min(max_bytes, self.size_bytes - position))
        with MACHINE, self.path.open("rb", buffering=0) as file:
            file.seek(position)
            return file.read(wanted_bytes)

    def truncate(self, size_bytes: int) -> None:
        """Truncate the file to its first ``size_bytes``."""
        try:
            self._disk.truncate(self._handle, size_bytes)
        except OSError as error:
            raise storage_failed(self.path, "truncate", error) from error
        self.size_bytes = size_bytes

    def sync(self) -> None:
        """Put all bytes on disk, then return.

        After a failure the system may have dropped the bytes and report success for the next attempt, so the file
        accepts no more writes from then on.
        """
        if self._damage:
            raise self._refusal()
        try:
            self._disk.sync(self._handle)
        except OSError as error:
            self._damage = "its bytes may not be on disk"
            raise storage_failed(self.path, "flush", error) from error

    def modified_us(self) -> int:
        """Return when the file was last changed, as the file system has it."""
        try:
            return self._disk.modified_us(self.path)
        except OSError as error:
            raise storage_failed(self.path, "read the time of", error) from error

    def set_modified(self, at_us: int) -> None:
        """Record in the file system that the file was last changed at ``at_us``."""
        try:
            self._disk.set_modified(self.path, at_us)
        except OSError as error:
            raise storage_failed(self.path, "set the time of", error) from error

    def remove(self) -> None:
        """Remove the file; it must not be used afterwards."""
        self.seal()
        try:
            self._disk.remove(self.path)
        except OSError as error:
            raise storage_failed(self.path, "remove", error) from error

    def seal(self) -> None:
        """Close the handle: from now on the file is only read."""
        if self._handle == _NO_HANDLE:
            return
        handle, self._handle = self._handle, _NO_HANDLE
        try:
            self._disk.close(handle)
        except OSError as error:
            raise storage_failed(self.path, "close", error) from error

    def _read_all(self, handle: int, position: int, wanted_bytes: int) -> bytes:
        data = self._disk.read(handle, wanted_bytes, position)
        while len(data) < wanted_bytes:  # a short read does not mean the end of the file
            more = self._disk.read(handle, wanted_bytes - len(data), position + len(data))
            if not more:
                raise storage_failed(self.path, "read", "the file is shorter than what was written to it")
            data += more
        return data

    def _undo_partial_write(self) -> None:
        try:
            self._disk.truncate(self._handle, self.size_bytes)
        except OSError:
            self._damage = "it ends in a partial write"

    def _refusal(self) -> StorageFailed:
        return storage_failed(self.path, "write to", self._damage)
