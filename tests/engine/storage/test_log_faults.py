"""A log whose disk refuses: the error, what readers still see, and what is there after it is opened again."""

from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.message.message_set import encode_message_set
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig
from tests.support.disks import FaultyDisk, HandClock
from tests.support.logs import bases, open_log

ENTRY = encode_message_set([b"test"])


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


def filled(directory: Path, disk: FaultyDisk, entries: int, segment_bytes: int = 20) -> Log:
    """Make segments of two entries each, 26 bytes."""
    log = open_log(directory, disk, segment_bytes=segment_bytes)
    for _ in range(entries):
        log.append(ENTRY)
    return log


def test_a_write_that_fails_halfway_leaves_nothing_and_the_next_one_goes_to_the_same_place(
    tmp_path: Path, disk: FaultyDisk
) -> None:
    log = filled(tmp_path, disk, 1, segment_bytes=1000)
    for _ in range(2):
        disk.refuse("append")
        with pytest.raises(StorageFailed, match="append to"):
            log.append(ENTRY * 3)
        with pytest.raises(StorageFailed, match="append to"):
            log.append_payloads([b"test"])
        disk.allow("append")
        assert (log.next_offset, log.flushed_offset, log.has_unflushed) == (13, 13, False)
        assert log.read(0, 100) == ENTRY
    assert log.append(ENTRY).offset == 13
    log.close()
    assert open_log(tmp_path, disk).read(0, 100) == ENTRY * 2


def test_a_log_whose_flush_failed_refuses_appends_and_shows_what_it_showed(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=2)
    log.append(ENTRY * 2)
    log.append(ENTRY)
    disk.refuse("sync")
    with pytest.raises(StorageFailed, match="flush"):
        log.append(ENTRY)
    disk.allow("sync")
    for attempt in (log.flush, lambda: log.append(ENTRY), lambda: log.append_payloads([b"test"])):
        with pytest.raises(StorageFailed, match="may not be on disk"):
            attempt()
    assert (log.flushed_offset, log.read(0, 100)) == (26, ENTRY * 2)
    with pytest.raises(StorageFailed):
        log.close()
    assert not disk.handles
    again = open_log(tmp_path, disk)
    assert again.read(0, 100) == ENTRY * 4  # the operating system had kept them
    assert again.append(ENTRY).offset == 52


@pytest.mark.parametrize("action", ["open_for_reading", "read"])
def test_a_segment_that_cannot_be_read_is_reported_each_time_and_the_log_keeps_working(
    tmp_path: Path, disk: FaultyDisk, action: str
) -> None:
    log = filled(tmp_path, disk, 5)
    disk.refuse(action)
    for _ in range(2):
        with pytest.raises(StorageFailed) as caught:
            log.read(26, 100)
        assert caught.value.fields == {"file": f"{tmp_path.name}/00000000000000000026.kafka"}
    assert log.append(ENTRY).offset == 65
    disk.allow(action)
    assert log.read(26, 100) == ENTRY * 2
    assert len(disk.handles) == 1


def test_a_missing_segment_is_reported_and_its_neighbours_are_read(tmp_path: Path, disk: FaultyDisk) -> None:
    log = filled(tmp_path, disk, 5)
    (tmp_path / "00000000000000000026.kafka").unlink()
    with pytest.raises(StorageFailed, match=r"26\.kafka"):
        log.read(30, 100)
    assert (log.read(0, 100), log.read(52, 100)) == (ENTRY * 2, ENTRY)


@pytest.mark.parametrize("action", ["open", "set_modified"])
@pytest.mark.parametrize("rolled", [0, 1], ids=["first roll", "second roll"])
def test_a_roll_that_the_disk_refuses_leaks_no_handle_and_is_retried_at_the_next_append(
    tmp_path: Path, disk: FaultyDisk, action: str, rolled: int
) -> None:
    log = filled(tmp_path, disk, 2 + 2 * rolled)
    end = log.next_offset
    for _ in range(2):
        disk.refuse(action)
        with pytest.raises(StorageFailed):
            log.append(ENTRY)
        disk.allow(action)
        assert (log.next_offset, len(disk.handles)) == (end, 1)
    assert log.append(ENTRY).rolled_base_offset == end
    assert bases(log) == [*range(0, end, 26), end]
    log.close()
    again = open_log(tmp_path, disk)
    assert (again.next_offset, again.recovery.bytes_cut) == (end + 13, 0)


def test_a_segment_that_cannot_be_removed_stays_and_is_removed_the_next_time(tmp_path: Path, disk: FaultyDisk) -> None:
    filled(tmp_path, disk, 5).close()
    limits = LogConfig(20, NEVER_BY_COUNT, 1000, retention_bytes=13)
    log = Log.open(tmp_path, limits=limits, disk=disk, now_us=HandClock())
    disk.refuse("remove")
    with pytest.raises(StorageFailed, match="remove"):
        log.delete_old()
    assert log.read(0, 100) == ENTRY * 2
    disk.allow("remove")
    assert [segment.base_offset for segment in log.delete_old()] == [0, 26]
    assert log.read(52, 100) == ENTRY


def test_a_crash_after_the_second_roll_keeps_every_whole_message(tmp_path: Path, disk: FaultyDisk) -> None:
    for opened in range(3):
        log = open_log(tmp_path, disk, segment_bytes=20)
        assert log.recovery.bytes_cut == (5 if opened else 0)
        assert log.next_offset == 65 * opened
        for _ in range(5):
            log.append(ENTRY)
        disk.crash()
        with (tmp_path / log.segments[-1].file).open("ab") as file:
            file.write(ENTRY[:5])
