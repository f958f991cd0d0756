"""Atomic writes, so that a crash leaves the old file or the new one and never a mix, and folder sizes."""

import os
from collections.abc import Callable
from pathlib import Path

from engine.storage.disk import sync_directory, sync_file

WEIGH_EVERY_US = 2_000_000
WEIGH_EVERY_CHANGES = 16


def write_atomically(path: Path, data: bytes) -> None:
    """Replace ``path`` by a file with ``data``; it survives a power cut once this returns."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        sync_file(file.fileno())
    temporary.replace(path)
    sync_directory(path.parent)


class FolderWeight:
    """The size of a folder in bytes, when it was last measured; ``wall_us`` is a monotonic clock."""

    def __init__(self, directory: Path, *, wall_us: Callable[[], int]) -> None:
        self._directory = directory
        self._wall_us = wall_us
        self.bytes = 0
        self.weigh()

    def weigh(self) -> None:
        """Measure now."""
        self.bytes = bytes_on_disk(self._directory)
        self._weighed_at_us = self._wall_us()
        self._changes = 0

    def weigh_after(self, changes: int) -> None:
        """Count ``changes`` more, and measure if there were many or some time has passed since the last time."""
        self._changes += changes
        if self._changes >= WEIGH_EVERY_CHANGES or self._wall_us() - self._weighed_at_us > WEIGH_EVERY_US:
            self.weigh()


def bytes_on_disk(directory: Path) -> int:
    """Return the size of all files below ``directory``; files deleted meanwhile do not count."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += (Path(folder) / name).stat().st_size
            except FileNotFoundError:
                continue
    return total
