"""The file operations that a log needs, and their implementation by the operating system.

The rest of storage uses a :class:`Disk` only, so that a test can pass one that fails, writes half, or counts.
Every method raises ``OSError`` as the operating system does; the caller knows which log is concerned and raises
:class:`~engine.errors.StorageFailed` instead.

Linux, macOS, Windows and a browser's Python differ in what they can do with a file. Only the functions at the end of
this module handle those differences. They look up an optional name when it is used, so a test can remove it.
"""

import errno
import importlib
import os
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final, Protocol

from engine.errors import MachineFault, StorageFailed


class Disk(Protocol):
    """A store of append-only files; ``handle`` is what :meth:`open` returned."""

    def make_directory(self, directory: Path) -> None:
        """Create ``directory`` and its parents, durably; an existing one is fine."""

    def names(self, directory: Path) -> list[str]:
        """Return the names of the files in ``directory``, in no particular order."""

    def size(self, path: Path) -> int:
        """Return the size of a file in bytes."""

    def open(self, path: Path) -> int:
        """Open a file for reading and for writing at its end; create it, durably, if it is missing."""

    def open_for_reading(self, path: Path) -> int:
        """Open an existing file for reading only."""

    def append(self, handle: int, data: bytes) -> None:
        """Write all of ``data`` at the end of the file."""

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        """Return up to ``size_bytes`` from ``position`` on; b"" at the end of the file."""

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Truncate the file to ``size_bytes``."""

    def sync(self, handle: int) -> None:
        """Make what was written survive a power cut, then return."""

    def close(self, handle: int) -> None:
        """Close the handle."""

    def remove(self, path: Path) -> None:
        """Remove a file, durably."""

    def modified_us(self, path: Path) -> int:
        """Return when the file was last changed, or the time that :meth:`set_modified` set; microseconds."""

    def set_modified(self, path: Path, at_us: int) -> None:
        """Record that the file was last changed at ``at_us``.

        The system stamps files with its own clock. A log on virtual time sets the time of its own clock here, so that
        its segments keep their age when they are opened again.
        """


class OsDisk:
    """The disk of the operating system. With ``sync=False`` a flush is free and survives a crash, not a power cut."""

    def __init__(self, *, sync: bool) -> None:
        self._sync = sync

    def make_directory(self, directory: Path) -> None:
        missing = [each for each in (directory, *directory.parents) if not each.exists()] if self._sync else []
        directory.mkdir(parents=True, exist_ok=True)
        for each in missing:
            self._sync_directory(each.parent)

    def names(self, directory: Path) -> list[str]:
        with os.scandir(directory) as entries:
            return [entry.name for entry in entries]

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def open(self, path: Path) -> int:
        is_new = self._sync and not path.exists()
        handle = open_file(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        if is_new:
            self._sync_directory(path.parent)
        return handle

    def open_for_reading(self, path: Path) -> int:
        return open_file(path, os.O_RDONLY)

    def append(self, handle: int, data: bytes) -> None:
        written = os.write(handle, data)
        while written < len(data):  # a full disk or a signal may stop a write halfway
            written += os.write(handle, memoryview(data)[written:])

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        return read_at(handle, size_bytes, position)

    def truncate(self, handle: int, size_bytes: int) -> None:
        os.ftruncate(handle, size_bytes)

    def sync(self, handle: int) -> None:
        if self._sync:
            sync_data(handle)

    def close(self, handle: int) -> None:
        os.close(handle)

    def remove(self, path: Path) -> None:
        path.unlink()
        self._sync_directory(path.parent)

    def modified_us(self, path: Path) -> int:
        return path.stat().st_mtime_ns // 1000

    def set_modified(self, path: Path, at_us: int) -> None:
        os.utime(path, ns=(at_us * 1000, at_us * 1000))

    def _sync_directory(self, directory: Path) -> None:
        if self._sync:
            sync_directory(directory)


class _Machine:
    """A context in which every ``OSError`` becomes a :class:`~engine.errors.MachineFault`; it has no state."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, OSError):
            raise machine_fault(error.strerror or str(error)) from error


MACHINE: Final = _Machine()


def machine_fault(reason: object) -> MachineFault:
    """Return the error for an operation that failed on the machine that runs the simulation."""
    return MachineFault(
        f"the machine that runs the simulation refused: {reason}",
        "free or repair what it lacks (descriptors, disk space, write permission)",
    )


def storage_failed(path: Path, action: str, reason: object) -> StorageFailed:
    """Return the error for a failed ``action`` on the file or directory at ``path``, named by its last two parts."""
    name = f"{path.parent.name}/{path.name}"
    return StorageFailed(
        f"cannot {action} {name}: {reason}",
        "free or repair the disk, then open the log again: recovery keeps every message that is whole",
        file=name,
    )


# --- differences between systems ------------------------------------------------------------------------------------


def optional_module(name: str) -> Any:
    """Import a module of the standard library; on a system that lacks it, return an empty module."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return ModuleType(name)


_fcntl: Final = optional_module("fcntl")  # not on Windows
_msvcrt: Final = optional_module("msvcrt")  # on Windows alone

_NO_FULL_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY})
_NO_DIRECTORY_SYNC: Final = frozenset({errno.EACCES, errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOTSUP})


def open_file(path: Path, flags: int) -> int:
    """Open a file in binary mode (else Windows translates line ends). Child processes do not inherit the handle."""
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o644)


def read_at(handle: int, size_bytes: int, position: int) -> bytes:
    """Return up to ``size_bytes`` from ``position`` on.

    Windows has no ``pread``, so this seeks there first. The handle is then for one thread at a time, as logs are.
    """
    if hasattr(os, "pread"):
        data: bytes = os.pread(handle, size_bytes, position)
        return data
    os.lseek(handle, position, os.SEEK_SET)
    return os.read(handle, size_bytes)


def sync_data(handle: int) -> None:
    """Make the bytes and the size of an open file survive a power cut, then return."""
    if hasattr(os, "fdatasync") and not hasattr(_fcntl, "F_FULLFSYNC"):
        os.fdatasync(handle)
    else:
        sync_file(handle)


def sync_file(handle: int) -> None:
    """Make an open file or directory survive a power cut as it is, then return.

    On macOS ``fsync`` leaves the bytes in the cache of the drive; F_FULLFSYNC flushes that too, on file systems that
    have it.
    """
    if hasattr(_fcntl, "F_FULLFSYNC"):
        try:
            _fcntl.fcntl(handle, _fcntl.F_FULLFSYNC)
        except OSError as error:
            if error.errno not in _NO_FULL_SYNC:
                raise
        else:
            return
    os.fsync(handle)


def sync_directory(directory: Path) -> None:
    """Make the names in ``directory`` durable: otherwise a power cut may undo the creation or removal of a file.

    Windows cannot open directories, and some file systems cannot sync them; names are as durable there as the system
    makes them.
    """
    try:
        handle = os.open(directory, os.O_RDONLY)
        try:
            sync_file(handle)
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno not in _NO_DIRECTORY_SYNC:
            raise


def open_locked(path: Path) -> int:
    """Open a file, created if missing, and lock it until the handle is closed or the process ends.

    Raises ``BlockingIOError`` if it is already locked, by this process or another. A browser's Python has no locks and
    no other processes; there the file is only opened.
    """
    handle = open_file(path, os.O_RDWR | os.O_CREAT)
    try:
        if hasattr(_fcntl, "flock"):
            _fcntl.flock(handle, _fcntl.LOCK_EX | _fcntl.LOCK_NB)
        elif hasattr(_msvcrt, "locking"):
            _lock_first_byte(handle)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _lock_first_byte(handle: int) -> None:
    """Lock the first byte of a file, as Windows locks files; the byte need not exist."""
    try:
        _msvcrt.locking(handle, _msvcrt.LK_NBLCK, 1)
    except PermissionError as error:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
