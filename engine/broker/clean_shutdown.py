"""The mark that a broker leaves in its data directory when it stops in good order (0.7: KafkaServer)."""

from pathlib import Path
from typing import Final

from engine.storage.disk import Disk, storage_failed

MARK_NAME: Final = ".kafka_cleanshutdown"


def leave_mark(directory: Path, disk: Disk) -> None:
    """Say that every log in ``directory`` was flushed and closed; :class:`~engine.errors.StorageFailed` if refused."""
    path = directory / MARK_NAME
    try:
        disk.close(disk.open(path))
    except OSError as error:
        raise storage_failed(path, "write", error) from error


def take_mark(directory: Path, disk: Disk) -> bool:
    """Whether the mark was there. It is gone now, so that it vouches for one start only.

    Raises :class:`~engine.errors.StorageFailed`; the logs are not to be opened then, as the mark may still stand
    when they are no longer as it says.
    """
    path = directory / MARK_NAME
    try:
        if MARK_NAME not in disk.names(directory):
            return False
        disk.remove(path)
    except OSError as error:
        raise storage_failed(path, "take away", error) from error
    return True
