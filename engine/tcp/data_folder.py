"""The folder in which a broker keeps its logs, used by one broker at a time."""

import os
from pathlib import Path, PurePath
from typing import Final, Self

from engine.errors import InvalidName
from engine.ids import TopicPartition
from engine.storage.disk import open_locked, storage_failed
from engine.tcp.faults import DataFolderUnusable

LOCK_FILE: Final = ".lock"
SHOWN_CHARACTERS: Final = 80


class DataFolder:
    """A folder of directories ``<topic>-<partition>``, locked until :meth:`close`."""

    def __init__(self, path: Path, lock_handle: int) -> None:
        self.path = path
        self._lock_handle = lock_handle

    @classmethod
    def open(cls, path: Path) -> Self:
        """Create the folder if missing and lock it; raise :class:`DataFolderUnusable` if that fails."""
        try:
            path.mkdir(parents=True, exist_ok=True)
            return cls(path, open_locked(path / LOCK_FILE))
        except BlockingIOError as error:
            raise _unusable(path, "another broker uses it") from error
        except OSError as error:
            raise _unusable(path, error.strerror or str(error)) from error

    def log_directory(self, partition: TopicPartition) -> Path:
        """Return the directory of a partition's log, whether it exists or not.

        0.7 accepts every name, and so do we if a directory in this folder can have it. Raises
        :class:`~engine.errors.InvalidName` for ``.``, ``..`` and all that lead elsewhere or are not file names.
        """
        if not is_directory_name(self.path, partition):
            raise _refused(partition, "cannot be the name of a directory here")
        return self.path / str(partition)

    def new_log_directory(self, partition: TopicPartition) -> Path:
        """Return the :meth:`log_directory` of a partition that has no log yet.

        On a file system that does not distinguish two spellings (capitals, accents) it may be the directory of another
        topic: that raises :class:`~engine.errors.InvalidName` too. Raises :class:`~engine.errors.StorageFailed` for a
        name that is too long.
        """
        directory = self.log_directory(partition)
        try:
            is_of_another = directory.is_dir() and directory.name not in [entry.name for entry in self.path.iterdir()]
        except OSError as error:
            raise storage_failed(directory, "make", error) from error
        if is_of_another:
            raise _refused(partition, "differs only in its spelling from an existing topic")
        return directory

    def partitions(self) -> list[TopicPartition]:
        """Return every partition that has a directory, in order; other things in the folder are ignored."""
        found = [self._partition_of(entry.name) for entry in self.path.iterdir() if entry.is_dir()]
        return sorted(partition for partitions in found for partition in partitions)

    def close(self) -> None:
        """Release the lock, so that another broker can use the folder."""
        os.close(self._lock_handle)

    def _partition_of(self, name: str) -> list[TopicPartition]:
        """Return the partition whose directory has this name; none if a broker never gives such a name."""
        try:
            partition = TopicPartition.parse(name)
        except InvalidName:
            return []
        return [partition] if str(partition) == name and is_directory_name(self.path, partition) else []


def is_directory_name(folder: PurePath, partition: TopicPartition) -> bool:
    """Return whether a log can have this name directly in ``folder``, by the rules of the folder's kind of path."""
    name = str(partition)
    try:
        name.encode("utf-8")  # as clients write it
        os.fsencode(name)  # as this system does
    except UnicodeEncodeError:
        return False
    if partition.topic in ("", ".", "..") or "\0" in name:
        return False
    return (folder / name).name == name  # otherwise it has several parts, or a drive


def _refused(partition: TopicPartition, reason: str) -> InvalidName:
    topic = partition.topic[:SHOWN_CHARACTERS]
    return InvalidName(f"the topic {topic!r} {reason}", "choose another name", name=topic)


def _unusable(path: Path, reason: str) -> DataFolderUnusable:
    return DataFolderUnusable(
        f"cannot use the folder {path}: {reason}", "choose another with --data-dir", path=str(path)
    )
