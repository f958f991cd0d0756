"""What a log does as time passes: flushes, rolls, retention, and offsets before a time."""

from pathlib import Path

import pytest

from engine.config import NEVER_US, UNLIMITED_BYTES
from engine.errors import LogClosed, OffsetOutOfRange, StorageFailed
from engine.message.message_set import encode_message_set
from engine.storage.log import Log, SegmentFacts
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig
from engine.storage.offsets import EARLIEST, LATEST
from tests.support.disks import FaultyDisk, HandClock

MAGIC_1_42 = bytes.fromhex("000000080100" + "3224b088" + "3432")
ENTRY = encode_message_set([b"test"])
HOUR_US = 3_600_000_000


@pytest.fixture
def disk() -> FaultyDisk:
    return FaultyDisk()


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def open_log(
    directory: Path,
    disk: FaultyDisk,
    clock: HandClock,
    *,
    segment_bytes: int = 20,
    flush_messages: int = 1,
    flush_interval_us: int = NEVER_US,
    roll_interval_us: int = NEVER_US,
    retention_us: int = NEVER_US,
    retention_bytes: int = UNLIMITED_BYTES,
    closed_cleanly: bool = False,
) -> Log:
    limits = LogConfig(
        segment_bytes, flush_messages, 1_000_000, flush_interval_us, roll_interval_us, retention_us, retention_bytes
    )
    return Log.open(directory, limits=limits, disk=disk, now_us=clock, closed_cleanly=closed_cleanly)


def append_at(log: Log, clock: HandClock, *times_us: int) -> None:
    """Append an entry of 13 bytes at each time; two make a segment full."""
    for at_us in times_us:
        clock.now_us = at_us
        log.append(ENTRY)


def bases(log: Log) -> list[int]:
    return [segment.base_offset for segment in log.segments]


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


# --- offsets before a time ------------------------------------------------------------------------------------------


def test_offsets_before_a_time_are_those_of_real_kafka(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    # case 13
    log = open_log(tmp_path, disk, clock, segment_bytes=100)
    clock.now_us = HOUR_US
    for _ in range(20):
        log.append(MAGIC_1_42)
    clock.now_us = 2 * HOUR_US
    assert log.offsets_before(LATEST, 10) == (240, 216, 108, 0)
    assert log.offsets_before(2 * HOUR_US - 1, 10) == (216, 108, 0)
    assert log.offsets_before(2 * HOUR_US, 10) == (240, 216, 108, 0)
    assert log.offsets_before(EARLIEST, 10) == (0,)
    assert log.read(240, 1 << 20) == b""


def test_a_log_without_a_message_has_one_offset(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    # case 15
    log = open_log(tmp_path, disk, clock)
    assert log.offsets_before(LATEST, 10) == (0,)
    assert log.offsets_before(EARLIEST, 10) == (0,)
    assert log.read(0, 100) == b""


def test_a_segment_has_the_time_of_its_last_append(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock)
    append_at(log, clock, 100, 200, 300, 400, 500)
    assert bases(log) == [0, 26, 52]
    clock.now_us = 1000
    assert log.offsets_before(199, 10) == ()
    assert log.offsets_before(200, 10) == (0,)
    assert log.offsets_before(400, 10) == (26, 0)
    assert log.offsets_before(999, 10) == (52, 26, 0)
    assert log.offsets_before(999, 2) == (52, 26)


def test_offsets_of_unflushed_messages_are_not_returned(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    # case 22
    log = open_log(tmp_path, disk, clock, segment_bytes=1000, flush_messages=3)
    append_at(log, clock, 10, 20)
    assert log.offsets_before(LATEST, 10) == (0,)
    append_at(log, clock, 30)
    assert log.offsets_before(LATEST, 10) == (39, 0)


def test_segment_times_survive_reopening(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock)
    append_at(log, clock, 100, 200, 300, 400, 500)
    log.close()
    clock.now_us = 10_000
    again = open_log(tmp_path, disk, clock)
    assert again.offsets_before(200, 10) == (0,)
    assert again.offsets_before(499, 10) == (26, 0)
    assert again.offsets_before(500, 10) == (52, 26, 0)


def test_times_before_the_epoch_are_valid(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock)
    append_at(log, clock, -60_000_000, -59_000_000)
    log.close()
    clock.now_us = 0
    again = open_log(tmp_path, disk, clock)
    assert again.offsets_before(-59_000_001, 10) == ()
    assert again.offsets_before(-59_000_000, 10) == (0,)


def test_a_power_cut_also_discards_the_times_of_lost_messages(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock, segment_bytes=1000, flush_messages=2)
    append_at(log, clock, 100, 200, 300)
    log.lose_unflushed()
    clock.now_us = 1000
    assert open_log(tmp_path, disk, clock).offsets_before(200, 10) == (0,)


def test_a_log_that_recovery_truncates_has_the_time_of_the_recovery(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock)
    append_at(log, clock, 100)
    log.close()
    with (tmp_path / log.segments[0].file).open("ab") as file:
        file.write(b"\0")
    clock.now_us = 1000
    again = open_log(tmp_path, disk, clock)
    assert again.recovery.bytes_cut == 1
    assert again.offsets_before(999, 10) == ()
    assert again.offsets_before(1000, 10) == (13, 0)


# --- flushing by time -----------------------------------------------------------------------------------------------


def test_a_message_becomes_visible_with_the_first_tick_after_the_interval(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    # case 23
    log = open_log(tmp_path, disk, clock, flush_messages=NEVER_BY_COUNT, flush_interval_us=3_000_000)
    append_at(log, clock, 1_000)
    clock.now_us = 2_999_999
    assert not log.flush_if_due()
    assert log.read(0, 100) == b""
    with pytest.raises(OffsetOutOfRange):
        log.read(13, 100)
    clock.now_us = 3_000_000
    assert log.flush_if_due()
    assert log.read(0, 100) == ENTRY


def test_a_tick_with_nothing_to_flush_does_nothing(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock, flush_messages=NEVER_BY_COUNT, flush_interval_us=1000)
    syncs = disk.syncs
    clock.now_us = 5000
    assert not log.flush_if_due()
    assert disk.syncs == syncs
    append_at(log, clock, 5001)
    assert log.flush_if_due()  # the last flush was long ago, so the flush does not wait for another interval


def test_a_flush_by_count_postpones_the_next_flush_by_time(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock, segment_bytes=1000, flush_messages=2, flush_interval_us=1000)
    append_at(log, clock, 900, 900, 950)
    clock.now_us = 1899
    assert not log.flush_if_due()
    clock.now_us = 1900
    assert log.flush_if_due()


# --- rolling by age -------------------------------------------------------------------------------------------------


def test_a_segment_rolls_when_its_first_append_is_too_long_ago(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock, segment_bytes=1000, roll_interval_us=100)
    append_at(log, clock, 1000, 1100)
    assert bases(log) == [0]
    append_at(log, clock, 1101)
    assert bases(log) == [0, 26]
    append_at(log, clock, 1201)
    assert bases(log) == [0, 26]


def test_an_empty_segment_does_not_age(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock, segment_bytes=1000, roll_interval_us=100)
    append_at(log, clock, 5000)
    assert bases(log) == [0]


def test_the_age_of_a_segment_restarts_when_it_is_reopened(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock, segment_bytes=1000, roll_interval_us=100)
    append_at(log, clock, 1000)
    log.close()
    again = open_log(tmp_path, disk, clock, segment_bytes=1000, roll_interval_us=100)
    append_at(again, clock, 2000, 2100)
    assert bases(again) == [0]
    append_at(again, clock, 2101)
    assert bases(again) == [0, 39]


# --- retention by time ----------------------------------------------------------------------------------------------


def test_whole_segments_are_deleted_when_their_last_append_is_too_long_ago(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    # case 31
    log = open_log(tmp_path, disk, clock, retention_us=604_800_000_000)
    append_at(log, clock, 0, 1000, 2000, 3000, 4000)
    clock.now_us = 604_800_001_000
    assert log.delete_old() == ()
    clock.now_us += 1
    assert log.delete_old() == (SegmentFacts("00000000000000000000.kafka", 0, 26),)
    assert files(tmp_path) == ["00000000000000000026.kafka", "00000000000000000052.kafka"]
    assert (log.first_offset, log.next_offset) == (26, 65)
    assert log.read(26, 100) == ENTRY * 2
    with pytest.raises(OffsetOutOfRange) as caught:
        log.read(25, 100)
    assert caught.value.fields["first_offset"] == 26
    assert log.offsets_before(EARLIEST, 1) == (26,)


def test_when_all_segments_are_too_old_an_empty_one_remains_at_the_end(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock, retention_us=1000)
    append_at(log, clock, 0, 1, 2)
    clock.now_us = 5000
    assert [segment.base_offset for segment in log.delete_old()] == [0, 26]
    assert log.segments == (SegmentFacts("00000000000000000039.kafka", 39, 0),)
    assert (log.first_offset, log.flushed_offset, log.next_offset) == (39, 39, 39)
    assert log.read(39, 100) == b""
    assert log.append(ENTRY).offset == 39
    log.close()
    assert open_log(tmp_path, disk, clock).first_offset == 39


def test_a_single_empty_segment_is_kept_and_dated_as_new(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock, retention_us=1000)
    clock.now_us = 5000
    assert log.delete_old() == ()
    assert files(tmp_path) == ["00000000000000000000.kafka"]
    clock.now_us = 5500
    assert log.offsets_before(4999, 1) == ()
    assert log.offsets_before(5000, 1) == (0,)


def test_segments_age_while_the_log_is_not_open(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock)
    append_at(log, clock, 0, 1, 2)
    log.close()
    clock.now_us = 1001
    again = open_log(tmp_path, disk, clock, retention_us=1000)
    assert again.delete_old() == ()
    clock.now_us = 1002
    assert [segment.base_offset for segment in again.delete_old()] == [0]


def test_unflushed_messages_are_not_deleted(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock, flush_messages=NEVER_BY_COUNT, retention_us=1000)
    append_at(log, clock, 0)
    clock.now_us = 5000
    assert log.delete_old() == ()
    assert (log.first_offset, log.next_offset, log.unflushed_messages) == (0, 13, 1)


def test_a_log_without_limits_keeps_everything(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock)
    append_at(log, clock, 0, 1, 2)
    clock.now_us = NEVER_US
    assert log.delete_old() == ()


# --- retention by size ----------------------------------------------------------------------------------------------


def test_the_oldest_segments_are_deleted_while_enough_is_left(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock, retention_bytes=40)
    append_at(log, clock, *range(7))
    assert [segment.bytes for segment in log.segments] == [26, 26, 26, 13]
    assert [segment.base_offset for segment in log.delete_old()] == [0]
    assert sum(segment.bytes for segment in log.segments) == 65
    assert log.delete_old() == ()


def test_a_log_that_may_keep_nothing_keeps_an_empty_segment(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock, retention_bytes=0)
    append_at(log, clock, 0, 1, 2)
    assert len(log.delete_old()) == 2
    assert (bases(log), files(tmp_path)) == ([39], ["00000000000000000039.kafka"])
    assert log.delete_old() == ()


def test_limits_of_time_and_size_apply_together(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    log = open_log(tmp_path, disk, clock, retention_us=1000, retention_bytes=30)
    append_at(log, clock, 0, 1, 500, 501, 502, 503, 504)
    clock.now_us = 1200
    assert [segment.base_offset for segment in log.delete_old()] == [0, 26]
    assert bases(log) == [52, 78]


# --- when the disk refuses ------------------------------------------------------------------------------------------


def test_the_removal_of_a_segment_is_tried_again_after_a_failure(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock, retention_us=1000)
    append_at(log, clock, 0, 1, 2)
    clock.now_us = 5000
    disk.refuse("remove")
    with pytest.raises(StorageFailed, match="cannot remove"):
        log.delete_old()
    assert log.first_offset == 0
    assert log.read(0, 13) == ENTRY
    disk.allow("remove")
    assert [segment.base_offset for segment in log.delete_old()] == [0, 26]


def test_a_file_whose_time_cannot_be_read_is_a_storage_failure(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock, retention_us=1000)
    append_at(log, clock, 0, 1, 2)
    log.close()
    disk.refuse("modified_us")
    with pytest.raises(StorageFailed, match="cannot read the time of"):
        open_log(tmp_path, disk, clock)
    assert not disk.handles


def test_a_file_that_cannot_be_dated_is_a_storage_failure(tmp_path: Path, disk: FaultyDisk, clock: HandClock) -> None:
    disk.refuse("set_modified")
    with pytest.raises(StorageFailed, match="cannot set the time of"):
        open_log(tmp_path, disk, clock)
    assert not disk.handles


def test_a_roll_whose_new_file_cannot_be_dated_closes_that_file(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock)
    log.append(ENTRY * 3)
    held = set(disk.handles)
    disk.refuse("set_modified")
    for _ in range(3):
        with pytest.raises(StorageFailed):
            log.append(ENTRY)
        assert disk.handles == held
    disk.allow("set_modified")
    assert log.append(ENTRY).offset == 3 * len(ENTRY)
    log.close()
    assert not disk.handles


def test_a_closed_log_neither_deletes_segments_nor_returns_offsets(
    tmp_path: Path, disk: FaultyDisk, clock: HandClock
) -> None:
    log = open_log(tmp_path, disk, clock)
    log.close()
    for attempt in (log.delete_old, lambda: log.offsets_before(LATEST, 1)):
        with pytest.raises(LogClosed):
            attempt()
