"""What a log needs of the file system, and the real thing.

The rest of storage sees a :class:`Disk` only, so that a test can hand in one that fails, writes half, or counts.
Every method raises ``OSError`` as the operating system does; who calls knows which log is concerned and turns
that into :class:`~engine.errors.StorageFailed`.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol

from engine.errors import MachineFault, StorageFailed


class Disk(Protocol):
    """A place for append-only files; ``handle`` is what :meth:`open` returned."""

    def make_directory(self, directory: Path) -> None:
        """Create ``directory`` and its parents; one that exists is fine."""

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
        directory.mkdir(parents=True, exist_ok=True)

    def names(self, directory: Path) -> list[str]:
        with os.scandir(directory) as entries:
            return [entry.name for entry in entries]

    def size(self, path: Path) -> int:
        return path.stat().st_size

    def open(self, path: Path) -> int:
        is_new = self._sync and not path.exists()
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        if is_new:
            self._sync_directory(path.parent)
        return handle

    def open_for_reading(self, path: Path) -> int:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def append(self, handle: int, data: bytes) -> None:
        written = os.write(handle, data)
        while written < len(data):  # a full disk or a signal may stop a write halfway
            written += os.write(handle, memoryview(data)[written:])

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        return os.pread(handle, size_bytes, position)

    def truncate(self, handle: int, size_bytes: int) -> None:
        os.ftruncate(handle, size_bytes)

    def sync(self, handle: int) -> None:
        if self._sync:
            os.fdatasync(handle)

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
        """A file's name is in its directory: without this a power cut may undo its coming or going."""
        if not self._sync:
            return
        handle = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


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
