"""The folder in which a broker keeps its logs, used by one broker at a time."""

import fcntl
import os
from pathlib import Path
from typing import Final, Self

from engine.errors import OffsetscopeError
from engine.ids import TopicPartition, checked_topic
from engine.tcp.faults import DataFolderUnusable

LOCK_FILE: Final = ".lock"


class DataFolder:
    """A folder of directories ``<topic>-<partition>``, locked until :meth:`close`."""

    def __init__(self, path: Path, lock_handle: int) -> None:
        self.path = path
        self._lock_handle = lock_handle

    @classmethod
    def open(cls, path: Path) -> Self:
        """Make the folder if need be and lock it; :class:`DataFolderUnusable` if that cannot be done."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            handle = os.open(path / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(handle)
            raise _unusable(path, "another broker uses it") from error
        return cls(path, handle)

    def log_directory(self, partition: TopicPartition) -> Path:
        return self.path / str(partition)

    def partitions(self) -> list[TopicPartition]:
        """Every partition that has a directory; other things in the folder are none of ours."""
        found = [_partition_of(entry.name) for entry in self.path.iterdir() if entry.is_dir()]
        return sorted(partition for partitions in found for partition in partitions)

    def close(self) -> None:
        """Let another broker have it."""
        os.close(self._lock_handle)


def _partition_of(name: str) -> list[TopicPartition]:
    """The partition whose directory has this name; none if no broker would name one so."""
    try:
        partition = TopicPartition.parse(name)
        checked_topic(partition.topic)
    except OffsetscopeError:
        return []
    return [partition] if str(partition) == name else []


def _unusable(path: Path, reason: str) -> DataFolderUnusable:
    return DataFolderUnusable(
        f"cannot use the folder {path}: {reason}", "choose another with --data-dir", path=str(path)
    )
