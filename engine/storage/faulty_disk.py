"""The disk of a simulated broker: files on the machine's disk, and the faults that a command asks for.

This module keeps two kinds of faults apart. A simulated fault is an ``OSError``, as a broker's own disk would raise it:
the log turns it into :class:`~engine.errors.StorageFailed`, the broker halts, and the journal records it. A fault of
the machine that runs the simulation becomes :class:`~engine.errors.MachineFault`, which no simulated process catches.
"""

import errno
import os
from pathlib import Path
from typing import Final, Literal, get_args

from engine.message.format import LENGTH_BYTES
from engine.storage.disk import MACHINE, Disk

DiskFault = Literal["", "append", "flush", "read"]
"""Which operation of a disk fails, "" if all of them work."""
DISK_FAULTS: Final[tuple[DiskFault, ...]] = get_args(DiskFault)


class SimulatedDiskFault(OSError):
    """The failure of a disk operation that a command asked for."""

    def __init__(self, number: int) -> None:
        super().__init__(number, os.strerror(number))


class FaultyDisk:
    """A :class:`~engine.storage.disk.Disk` that wraps another one and can be made to fail.

    While it is ``full``, an append writes half of its bytes and fails; truncating the file removes them again.
    ``fails`` names an operation that fails with an input/output error:

    - ``append``: half of the first message is written, and a truncate does not remove these bytes;
    - ``flush``: bytes that were appended since the last flush cannot be made durable;
    - ``read``: nothing can be read.
    """

    def __init__(self, machine: Disk) -> None:
        self.full = False
        self.fails: DiskFault = ""
        self._machine = machine
        self._unsynced: set[int] = set()
        self._torn: dict[int, bytes] = {}

    def make_directory(self, directory: Path) -> None:
        with MACHINE:
            self._machine.make_directory(directory)

    def names(self, directory: Path) -> list[str]:
        with MACHINE:
            return self._machine.names(directory)

    def size(self, path: Path) -> int:
        with MACHINE:
            return self._machine.size(path)

    def open(self, path: Path) -> int:
        with MACHINE:
            return self._machine.open(path)

    def open_for_reading(self, path: Path) -> int:
        with MACHINE:
            return self._machine.open_for_reading(path)

    def append(self, handle: int, data: bytes) -> None:
        self._unsynced.add(handle)
        if self.fails == "append":
            self._torn[handle] = data[: (LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "big")) // 2]
            self._append(handle, self._torn[handle])
            raise SimulatedDiskFault(errno.EIO)
        if self.full:
            self._append(handle, data[: len(data) // 2])
            raise SimulatedDiskFault(errno.ENOSPC)
        self._append(handle, data)

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        if self.fails == "read":
            raise SimulatedDiskFault(errno.EIO)
        with MACHINE:
            return self._machine.read(handle, size_bytes, position)

    def truncate(self, handle: int, size_bytes: int) -> None:
        with MACHINE:
            self._machine.truncate(handle, size_bytes)
        if handle in self._torn:
            self._append(handle, self._torn[handle])

    def sync(self, handle: int) -> None:
        if self.fails == "flush" and handle in self._unsynced:
            raise SimulatedDiskFault(errno.EIO)
        with MACHINE:
            self._machine.sync(handle)
        self._unsynced.discard(handle)

    def close(self, handle: int) -> None:
        self._unsynced.discard(handle)
        self._torn.pop(handle, None)
        with MACHINE:
            self._machine.close(handle)

    def remove(self, path: Path) -> None:
        with MACHINE:
            self._machine.remove(path)

    def modified_us(self, path: Path) -> int:
        with MACHINE:
            return self._machine.modified_us(path)

    def set_modified(self, path: Path, at_us: int) -> None:
        with MACHINE:
            self._machine.set_modified(path, at_us)

    def _append(self, handle: int, data: bytes) -> None:
        with MACHINE:
            self._machine.append(handle, data)
