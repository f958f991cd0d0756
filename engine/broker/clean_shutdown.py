"""The clean-shutdown mark that a broker leaves in its data directory when it stops cleanly (0.7: KafkaServer)."""

from pathlib import Path
from typing import Final

from engine.storage.disk import Disk, storage_failed

MARK_NAME: Final = ".kafka_cleanshutdown"


def leave_mark(directory: Path, disk: Disk) -> None:
    """Mark every log in ``directory`` as flushed and closed; raise :class:`~engine.errors.StorageFailed` on failure."""
    path = directory / MARK_NAME
    try:
        disk.close(disk.open(path))
    except OSError as error:
        raise storage_failed(path, "write", error) from error


def take_mark(directory: Path, disk: Disk) -> bool:
    """Remove the mark, so that it is valid for one start only; return whether it was there.

    Raises :class:`~engine.errors.StorageFailed`. The logs must not be opened then: the mark may stay on disk when it is
    no longer true.
    """
    path = directory / MARK_NAME
    try:
        if MARK_NAME not in disk.names(directory):
            return False
        disk.remove(path)
    except OSError as error:
        raise storage_failed(path, "remove", error) from error
    return True
