"""The log: rolling, flushing, the range of offsets."""

from pathlib import Path

import pytest

from engine.errors import LogClosed, MessageTooLarge, OffsetOutOfRange, StorageFailed
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.storage.log import NOT_ROLLED, Appended, Log, SegmentFacts
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig
from engine.storage.segment import SegmentSlice
from tests.support.disks import FaultyDisk, HandClock, SizesDisk
from tests.support.logs import MAGIC_1_42, bases, open_log

# --- rolling --------------------------------------------------------------------------------------------------------


def test_segments_begin_where_those_of_real_kafka_begin(twenty_messages: Log) -> None:
    # case 13
    assert twenty_messages.segments == (
        SegmentFacts("00000000000000000000.kafka", 0, 108),
        SegmentFacts("00000000000000000108.kafka", 108, 108),
        SegmentFacts("00000000000000000216.kafka", 216, 24),
    )
    assert twenty_messages.next_offset == 240
    assert twenty_messages.read(240, 1 << 20) == b""


def test_a_read_stops_at_the_end_of_a_segment(twenty_messages: Log) -> None:
    # case 17
    assert twenty_messages.read(0, 1 << 20) == MAGIC_1_42 * 9
    assert twenty_messages.read(108, 1 << 20) == MAGIC_1_42 * 9
    assert twenty_messages.read(216, 1 << 20) == MAGIC_1_42 * 2


@pytest.mark.parametrize(
    ("offset", "max_bytes"), [(0, 1 << 20), (12, 30), (100, 0), (108, 12), (230, 5), (240, 9), (0, -1)]
)
def test_a_slice_locates_the_bytes_that_a_read_returns(twenty_messages: Log, offset: int, max_bytes: int) -> None:
    found = twenty_messages.locate(offset, max_bytes)
    held = found.path.read_bytes()[found.position : found.position + found.size_bytes]
    assert held == twenty_messages.read(offset, max_bytes)


def test_a_slice_ends_at_the_flushed_bytes(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=2)
    for _ in range(3):
        log.append(MAGIC_1_42)
    assert log.locate(0, 1 << 20) == SegmentSlice(tmp_path / "00000000000000000000.kafka", 0, 24)
    with pytest.raises(OffsetOutOfRange):
        log.locate(25, 1)


def test_a_segment_over_its_limit_is_closed_by_the_next_append_and_not_before(tmp_path: Path, disk: FaultyDisk) -> None:
    # case 21
    log = open_log(tmp_path, disk, segment_bytes=130)
    entry = encode_message_set([b"12345"])
    appended = [log.append(entry) for _ in range(10)]
    assert [SegmentFacts("00000000000000000000.kafka", 0, 140)] == list(log.segments)
    assert {each.rolled_base_offset for each in appended} == {NOT_ROLLED}
    assert log.append(entry).rolled_base_offset == 140
    assert bases(log) == [0, 140]


def test_a_segment_of_exactly_its_limit_is_not_full(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, segment_bytes=100)
    log.append(encode_message_set([b"x" * 91]))
    log.append(encode_message_set([b""]))
    assert bases(log) == [0]
    log.append(encode_message_set([b""]))
    assert bases(log) == [0, 109]


def test_a_log_reports_how_much_fits_before_it_rolls(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, segment_bytes=20)
    assert log.bytes_before_roll == 20
    log.append(encode_message_set([b"x" * 11]))
    assert log.bytes_before_roll == 0
    assert log.append(encode_message_set([b""])).rolled_base_offset == NOT_ROLLED
    assert log.bytes_before_roll == -9
    assert log.append(encode_message_set([b""])).rolled_base_offset == 29
    assert log.bytes_before_roll == 11


def test_a_set_is_never_split_however_large(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, segment_bytes=20)
    large = encode_message_set([b"x" * 50] * 10)
    for _ in range(3):
        log.append(large)
    assert [segment.bytes for segment in log.segments] == [590, 590, 590]


def test_unflushed_bytes_count_for_rolling_and_rolling_flushes_them(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, segment_bytes=20, flush_messages=NEVER_BY_COUNT)
    for _ in range(2):
        log.append(encode_message_set([b"1234"]))
    assert log.flushed_offset == 0
    third = log.append(encode_message_set([b"5"]))
    assert third == Appended(26, 36, 1, (10,), 26, flushed=False)
    assert (log.flushed_offset, log.next_offset, log.unflushed_messages) == (26, 36, 1)


def test_only_the_last_segment_keeps_a_handle(twenty_messages: Log, disk: FaultyDisk) -> None:
    assert len(disk.handles) == 1
    twenty_messages.read(0, 10)
    assert len(disk.handles) == 1
    twenty_messages.close()
    assert not disk.handles


# --- flushing -------------------------------------------------------------------------------------------------------


def test_messages_become_visible_when_enough_of_them_wait(tmp_path: Path, disk: FaultyDisk) -> None:
    # case 22
    log = open_log(tmp_path, disk, flush_messages=3)
    entry = encode_message_set([b"test"])
    assert [log.append(entry).flushed for _ in range(2)] == [False, False]
    assert log.read(0, 1 << 20) == b""
    with pytest.raises(OffsetOutOfRange):
        log.read(13, 1 << 20)
    assert (log.flushed_offset, log.has_unflushed) == (0, True)
    assert log.append(entry).flushed
    assert log.read(0, 1 << 20) == entry * 3
    assert (log.flushed_offset, log.has_unflushed) == (39, False)


def test_a_flush_counts_the_messages_inside_a_compressed_set(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=5)
    assert log.append(encode_compressed_set([b"a"] * 4)).messages == 4
    assert (log.unflushed_messages, log.flushed_offset) == (4, 0)
    assert log.append(encode_message_set([b"b"])).flushed
    assert log.unflushed_messages == 0


def test_a_flush_reaches_the_disk_before_readers_see_it(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=NEVER_BY_COUNT)
    log.append(encode_message_set([b"test"]))
    disk.refuse("sync")
    with pytest.raises(StorageFailed):
        log.flush()
    assert log.flushed_offset == 0
    assert log.read(0, 100) == b""


def test_a_flush_without_new_bytes_does_not_sync(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    log.append(encode_message_set([b"test"]))
    syncs = disk.syncs
    assert log.flush() == 13
    assert disk.syncs == syncs


def test_the_result_of_an_append_describes_what_happened(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=3)
    assert log.append(encode_message_set([b"a", b"bb"])) == Appended(0, 21, 2, (10, 11), NOT_ROLLED, flushed=False)
    assert log.append(encode_message_set([b"c"])) == Appended(21, 31, 1, (10,), NOT_ROLLED, flushed=True)


# --- the range of offsets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [-1, 40, 1 << 62])
def test_an_offset_outside_the_log_is_refused_with_its_range(offset: int, tmp_path: Path, disk: FaultyDisk) -> None:
    # case 36
    log = open_log(tmp_path, disk)
    log.append(encode_message_set([b"test"] * 3))
    with pytest.raises(OffsetOutOfRange) as caught:
        log.read(offset, 100)
    assert caught.value.fields == {"offset": offset, "first_offset": 0, "flushed_offset": 39}
    assert log.read(39, 100) == b""


def test_a_log_may_begin_at_any_offset(tmp_path: Path, disk: FaultyDisk) -> None:
    (tmp_path / "00000000000000000500.kafka").write_bytes(encode_message_set([b"test"]))
    log = open_log(tmp_path, disk)
    assert (log.first_offset, log.flushed_offset, log.next_offset) == (500, 513, 513)
    assert log.append(encode_message_set([b"test"])).offset == 513
    with pytest.raises(OffsetOutOfRange) as caught:
        log.read(499, 100)
    assert caught.value.fields["first_offset"] == 500


def test_a_read_may_begin_and_end_inside_a_message(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    encoded = encode_message_set([b"test", b"more"])
    log.append(encoded)
    assert log.read(3, 15) == encoded[3:18]
    assert log.read(3, 0) == b""


def test_a_read_takes_no_more_from_the_file_than_it_was_asked_for(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    log.append(encode_message_set([b"x" * 1000] * 100))
    log.read(5000, 300)
    assert disk.largest_read_bytes == 300


# --- payloads of our own --------------------------------------------------------------------------------------------


def test_payloads_are_written_as_their_message_set_would_be(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    payloads = [b"a", b"", b"longer than the others"]
    assert [log.append_payloads(each) for each in (payloads, [b"single"], [], payloads * 20)] == [0, 50, 65, 65]
    assert log.read(0, 1 << 20) == encode_message_set([*payloads, b"single", *payloads * 20])


def test_payloads_roll_and_flush_as_message_sets_do(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, segment_bytes=20, flush_messages=3)
    log.append_payloads([b"1234"] * 2)
    assert (log.flushed_offset, log.unflushed_messages) == (0, 2)
    log.append_payloads([b"1234"])
    assert bases(log) == [0, 26]
    assert (log.flushed_offset, log.unflushed_messages) == (26, 1)
    log.append_payloads([b"1234"] * 2)
    assert log.flushed_offset == 65


def test_payloads_over_the_limit_are_refused_all_or_none(tmp_path: Path, disk: FaultyDisk) -> None:
    # case 33
    log = open_log(tmp_path, disk, max_message_bytes=5)
    with pytest.raises(MessageTooLarge) as caught:
        log.append_payloads([b"You", b"change"])
    assert caught.value.fields == {"offset": 0, "payload_bytes": 6, "max_message_bytes": 5}
    assert log.next_offset == 0
    log.append_payloads([b"You", b"bethe"])
    assert log.next_offset == 26


def test_a_closed_log_takes_no_payloads(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    log.close()
    with pytest.raises(LogClosed):
        log.append_payloads([b"x"])


# --- gigabytes ------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("batch_messages", "segments"),
    [
        (1, [(0, 1_073_741_889), (1_073_741_889, 1_016_258_111)]),
        (50, [(0, 1_073_747_950), (1_073_747_950, 1_016_252_050)]),
    ],
)
def test_ten_million_messages_are_two_segments(batch_messages: int, segments: list[tuple[int, int]]) -> None:
    # case 37. Far from the limit a large set has the effect of many small ones, so small sets are used only near it.
    log = Log.open(
        Path("/big-0"), limits=LogConfig(1 << 30, NEVER_BY_COUNT, 1000), disk=SizesDisk(), now_us=HandClock()
    )
    left = 10_000_000
    stride = [b"x" * 200] * 500
    while left:
        near = 0 <= (1 << 30) - log.next_offset < 2 * 500 * 209
        step = min(batch_messages if near else len(stride), left)
        log.append_payloads(stride[:step])
        left -= step
    assert log.next_offset == 2_090_000_000
    assert [(segment.base_offset, segment.bytes) for segment in log.segments] == segments
