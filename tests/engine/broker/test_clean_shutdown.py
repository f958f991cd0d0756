"""The mark of a clean stop, and what a log that trusts it does not look at."""

from pathlib import Path

import pytest

from engine.broker.clean_shutdown import MARK_NAME, leave_mark, take_mark
from engine.errors import InvalidMessage, StorageFailed
from engine.message.format import iterate_shallow
from engine.message.message_set import encode_message_set
from engine.storage.log import Log
from engine.storage.log_config import LogConfig
from engine.storage.recovery import Recovery
from tests.support.disks import FaultyDisk, HandClock

LIMITS = LogConfig(1 << 30, 1, 1_000_000)


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


def test_the_clean_shutdown_mark_is_valid_for_one_start(tmp_path: Path, disk: FaultyDisk) -> None:
    assert not take_mark(tmp_path, disk)
    leave_mark(tmp_path, disk)
    assert (tmp_path / ".kafka_cleanshutdown").is_file()
    assert take_mark(tmp_path, disk)
    assert not (tmp_path / MARK_NAME).exists()
    assert not take_mark(tmp_path, disk)
    assert not disk.handles


def test_a_mark_that_cannot_be_removed_is_not_trusted(tmp_path: Path, disk: FaultyDisk) -> None:
    leave_mark(tmp_path, disk)
    disk.refuse("remove")
    with pytest.raises(StorageFailed, match="cannot remove"):
        take_mark(tmp_path, disk)


def test_a_mark_that_cannot_be_written_is_a_storage_failure(tmp_path: Path, disk: FaultyDisk) -> None:
    disk.refuse("open")
    with pytest.raises(StorageFailed):
        leave_mark(tmp_path, disk)


def test_a_log_that_was_closed_cleanly_is_not_checked_and_readers_find_its_damage(
    tmp_path: Path, disk: FaultyDisk
) -> None:
    # case 27
    log = Log.open(tmp_path, limits=LIMITS, disk=disk, now_us=HandClock())
    log.append(encode_message_set([b"aa", b"bb", b"cc"]))
    log.close()
    path = tmp_path / log.segments[0].file
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    disk.largest_read_bytes = 0
    again = Log.open(tmp_path, limits=LIMITS, disk=disk, closed_cleanly=True, now_us=HandClock())
    assert (again.recovery, again.next_offset, disk.largest_read_bytes) == (Recovery(0, ""), 33, 0)
    walk = iterate_shallow(again.read(0, 100), 0)
    assert next(walk)[2] == b"aa"
    with pytest.raises(InvalidMessage):
        next(walk)
