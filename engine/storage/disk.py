"""What a log needs of the file system, and the real thing.

The rest of storage sees a :class:`Disk` only, so that a test can hand in one that fails, writes half, or counts.
Every method raises ``OSError`` as the operating system does; who calls knows which log is concerned and turns
that into :class:`~engine.errors.StorageFailed`.

Linux, macOS, Windows and a browser's Python differ in what they can do with a file. Those differences are met in the
functions at the end of this module and nowhere else. They look for a name when it is used, so a test can take it away.
"""

import errno
import importlib
import os
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any, Final, Protocol

from engine.errors import MachineFault, StorageFailed


class Disk(Protocol):
    """A place for append-only files; ``handle`` is what :meth:`open` returned."""

    def make_directory(self, directory: Path) -> None:
        """Create ``directory`` and its parents, durably; one that exists is fine."""

    def names(self, directory: Path) -> list[str]:
        """The names of the files in ``directory``, in no order."""

    def size(self, path: Path) -> int:
        """Bytes in a file."""

    def open(self, path: Path) -> int:
        """Open a file for reading and for writing at its end; create it, durably, if it is not there."""

    def open_for_reading(self, path: Path) -> int:
        """Open a file that exists, for reading alone."""

    def append(self, handle: int, data: bytes) -> None:
        """Write all of ``data`` at the end of the file."""

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        """Up to ``size_bytes`` from ``position`` on; b"" at the end of the file."""

    def truncate(self, handle: int, size_bytes: int) -> None:
        """Cut the file to ``size_bytes``."""

    def sync(self, handle: int) -> None:
        """Return when what was written survives a power cut."""

    def close(self, handle: int) -> None:
        """Give the handle back."""

    def remove(self, path: Path) -> None:
        """Take a file away, durably."""

    def modified_us(self, path: Path) -> int:
        """When the file was last changed, or what :meth:`set_modified` said of it; microseconds."""

    def set_modified(self, path: Path, at_us: int) -> None:
        """Write down that the file was last changed at ``at_us``.

        The system stamps files with its own clock. A log whose time is virtual says here what its clock says, so that
        its segments' ages survive being opened again.
        """


class OsDisk:
    """The operating system's files. With ``sync=False`` a flush costs nothing and survives a crash, not a power cut."""

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
    """The error for something that the machine refused to a simulation."""
    return MachineFault(
        f"the machine that runs the simulation refused: {reason}",
        "free or repair what it lacks (descriptors, disk space, write permission)",
    )


def storage_failed(path: Path, action: str, reason: object) -> StorageFailed:
    """The error for a refused ``action`` on the file or directory at ``path``, named by its last two parts."""
    name = f"{path.parent.name}/{path.name}"
    return StorageFailed(
        f"cannot {action} {name}: {reason}",
        "free or repair the disk, then open the log again: recovery keeps every message that is whole",
        file=name,
    )


# --- where systems differ -------------------------------------------------------------------------------------------


def optional_module(name: str) -> Any:
    """A module of the standard library that some systems lack; there, a module without any names."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return ModuleType(name)


_fcntl: Final = optional_module("fcntl")  # not on Windows
_msvcrt: Final = optional_module("msvcrt")  # on Windows alone

_NO_FULL_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOTTY})
_NO_DIRECTORY_SYNC: Final = frozenset({errno.EACCES, errno.EBADF, errno.EINVAL, errno.EISDIR, errno.ENOTSUP})


def open_file(path: Path, flags: int) -> int:
    """Open a file of bytes: Windows would translate line ends otherwise. Child processes do not inherit the handle."""
    return os.open(path, flags | getattr(os, "O_BINARY", 0), 0o644)


def read_at(handle: int, size_bytes: int, position: int) -> bytes:
    """Up to ``size_bytes`` from ``position`` on.

    Windows has no ``pread``, so there the handle is moved first. It is then for one thread at a time, as logs are.
    """
    if hasattr(os, "pread"):
        data: bytes = os.pread(handle, size_bytes, position)
        return data
    os.lseek(handle, position, os.SEEK_SET)
    return os.read(handle, size_bytes)


def sync_data(handle: int) -> None:
    """Return when the bytes of an open file, and how many there are, survive a power cut."""
    if hasattr(os, "fdatasync") and not hasattr(_fcntl, "F_FULLFSYNC"):
        os.fdatasync(handle)
    else:
        sync_file(handle)


def sync_file(handle: int) -> None:
    """Return when an open file or directory survives a power cut as it is.

    On macOS ``fsync`` leaves the bytes in the cache of the drive; F_FULLFSYNC empties that too, on file systems that
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
    """Make the names in ``directory`` durable: without this a power cut may undo that a file came or went.

    Windows opens no directories, and some file systems sync none; names are as durable there as the system makes
    them.
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
    """Open a file, made if need be, and lock it until the handle is closed or the process ends.

    Raises ``BlockingIOError`` if it is locked already, by this process or another. A browser's Python has no locks and
    no other process; there the file is only opened.
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
    """What Windows has for a lock on a file; the byte need not be there."""
    try:
        _msvcrt.locking(handle, _msvcrt.LK_NBLCK, 1)
    except PermissionError as error:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN)) from error
