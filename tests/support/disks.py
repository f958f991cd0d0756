"""Disks for tests: the real files, with faults planted and handles counted."""

import errno
import os
from pathlib import Path

from engine.storage.disk import OsDisk


class FaultyDisk(OsDisk):
    """The real files, with what a test wants to observe or to break.

    ``refuse(action)`` makes the named method fail from the next call on, ``allow`` makes it work again. A refused
    ``append`` writes half of its bytes first, as a disk that fills up does.
    """

    def __init__(self) -> None:
        super().__init__(sync=False)
        self.handles: set[int] = set()
        self.largest_read_bytes = 0
        self.syncs = 0
        self._refused: set[str] = set()

    def refuse(self, action: str) -> None:
        self._refused.add(action)

    def allow(self, action: str) -> None:
        self._refused.discard(action)

    def crash(self) -> None:
        """Close all handles, as the end of the process does; the bytes written so far stay in the files."""
        while self.handles:
            self.close(next(iter(self.handles)))

    def open(self, path: Path) -> int:
        self._check("open")
        return self._opened(super().open(path))

    def open_for_reading(self, path: Path) -> int:
        self._check("open_for_reading")
        return self._opened(super().open_for_reading(path))

    def append(self, handle: int, data: bytes) -> None:
        if "append" in self._refused:
            super().append(handle, data[: len(data) // 2])
        self._check("append")
        super().append(handle, data)

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        self._check("read")
        self.largest_read_bytes = max(self.largest_read_bytes, size_bytes)
        return super().read(handle, size_bytes, position)

    def truncate(self, handle: int, size_bytes: int) -> None:
        self._check("truncate")
        super().truncate(handle, size_bytes)

    def sync(self, handle: int) -> None:
        self._check("sync")
        self.syncs += 1
        super().sync(handle)

    def close(self, handle: int) -> None:
        super().close(handle)
        self.handles.discard(handle)

    def remove(self, path: Path) -> None:
        self._check("remove")
        super().remove(path)

    def modified_us(self, path: Path) -> int:
        self._check("modified_us")
        return super().modified_us(path)

    def set_modified(self, path: Path, at_us: int) -> None:
        self._check("set_modified")
        super().set_modified(path, at_us)

    def _opened(self, handle: int) -> int:
        self.handles.add(handle)
        return handle

    def _check(self, action: str) -> None:
        if action in self._refused:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class SizesDisk:
    """A disk that keeps the sizes of its files and not their content, for logs of gigabytes."""

    def __init__(self) -> None:
        self.sizes: dict[Path, int] = {}
        self._open: list[Path] = []

    def make_directory(self, directory: Path) -> None:
        pass

    def names(self, directory: Path) -> list[str]:
        return [path.name for path in self.sizes if path.parent == directory]

    def size(self, path: Path) -> int:
        return self.sizes[path]

    def open(self, path: Path) -> int:
        self.sizes.setdefault(path, 0)
        self._open.append(path)
        return len(self._open) - 1

    def open_for_reading(self, path: Path) -> int:
        raise AssertionError(path)

    def append(self, handle: int, data: bytes) -> None:
        self.sizes[self._open[handle]] += len(data)

    def read(self, handle: int, size_bytes: int, position: int) -> bytes:
        raise AssertionError(handle, size_bytes, position)

    def truncate(self, handle: int, size_bytes: int) -> None:
        self.sizes[self._open[handle]] = size_bytes

    def sync(self, handle: int) -> None:
        pass

    def close(self, handle: int) -> None:
        pass

    def remove(self, path: Path) -> None:
        del self.sizes[path]

    def modified_us(self, path: Path) -> int:
        raise AssertionError(path)

    def set_modified(self, path: Path, at_us: int) -> None:
        pass


class HandClock:
    """A clock that moves only when a test moves it; microseconds."""

    def __init__(self, now_us: int = 0) -> None:
        self.now_us = now_us

    def __call__(self) -> int:
        return self.now_us
