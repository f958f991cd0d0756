"""The log: what it refuses, and how it is opened again."""

from pathlib import Path

import pytest

from engine.errors import InvalidMessage, LogClosed, LogGap, MessageTooLarge, StorageFailed
from engine.message.compression import deflate
from engine.message.format import GZIP, encode_magic_1
from engine.message.message_set import encode_message_set
from engine.storage.log import NOT_ROLLED, Appended, Log
from engine.storage.log_config import NEVER_BY_COUNT
from engine.storage.offsets import LATEST
from engine.storage.recovery import Recovery
from tests.support.disks import FaultyDisk
from tests.support.logs import MAGIC_1_42, bases, open_log

# --- refusing -------------------------------------------------------------------------------------------------------


def test_a_set_with_one_bad_message_is_not_appended_at_all(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, max_message_bytes=10)
    damaged = bytearray(encode_message_set([b"good", b"bad"]))
    damaged[-1] ^= 1
    with pytest.raises(InvalidMessage):
        log.append(bytes(damaged))
    with pytest.raises(MessageTooLarge):
        log.append(encode_message_set([b"good", b"eleven byte"]))
    assert (log.next_offset, log.unflushed_messages, log.segments[0].bytes) == (0, 0, 0)


@pytest.mark.parametrize("nothing", [b"", b"\0", b"\0\0\0"])
def test_an_empty_set_writes_nothing_and_rolls_and_flushes_a_full_segment(
    nothing: bytes, tmp_path: Path, disk: FaultyDisk
) -> None:
    # case 8, at the log; 0.7.2: Log.append calls maybeRoll whatever there is to append
    log = open_log(tmp_path, disk, segment_bytes=10, flush_messages=5)
    assert log.append(nothing) == Appended(0, 0, 0, (), NOT_ROLLED, flushed=True)
    log.append(encode_message_set([b"1"]))
    assert log.append(nothing) == Appended(10, 10, 0, (), NOT_ROLLED, flushed=False)
    log.append(encode_message_set([b"over the limit"]))
    assert log.append(nothing) == Appended(33, 33, 0, (), 33, flushed=True)
    assert log.append(nothing).rolled_base_offset == NOT_ROLLED
    assert bases(log) == [0, 33]


def test_a_partial_message_at_the_end_of_a_set_is_not_written(tmp_path: Path, disk: FaultyDisk) -> None:
    # 0.7.1: Log.append limits the buffer to its valid bytes
    log = open_log(tmp_path, disk)
    whole = encode_message_set([b"whole"])
    for tail in (b"\0", b"\0\0\0\3\0", encode_message_set([b"cut"])[:-1]):
        offset = log.next_offset
        assert log.append(whole + tail)[:4] == (offset, offset + len(whole), 1, (len(whole),))
    assert log.read(0, 1000) == whole * 3


def test_an_empty_compressed_set_is_written_and_flushed_like_any_other(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=2)
    nothing = encode_magic_1(deflate(b""), GZIP)
    assert log.append(nothing) == Appended(0, len(nothing), 0, (len(nothing),), NOT_ROLLED, flushed=False)
    assert (log.has_unflushed, log.unflushed_messages) == (True, 0)
    assert log.flush() == len(nothing)
    assert log.read(0, 1000) == nothing


def test_an_append_that_the_disk_refuses_moves_no_offset(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk)
    log.append(encode_message_set([b"kept"]))
    disk.refuse("append")
    with pytest.raises(StorageFailed):
        log.append(encode_message_set([b"refused"]))
    assert (log.next_offset, log.flushed_offset, log.unflushed_messages) == (13, 13, 0)
    disk.allow("append")
    assert log.append(encode_message_set([b"next"])).offset == 13
    log.close()
    assert open_log(tmp_path, disk).recovery == Recovery(0, "")


def test_a_segment_that_cannot_be_opened_leaves_the_log_as_it_was(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, segment_bytes=10)
    log.append(encode_message_set([b"over the limit"]))
    disk.refuse("open")
    with pytest.raises(StorageFailed):
        log.append(encode_message_set([b"next"]))
    assert (log.next_offset, bases(log)) == (23, [0])
    disk.allow("open")
    assert log.append(encode_message_set([b"next"])).rolled_base_offset == 23


def test_a_directory_that_cannot_be_made_is_a_storage_failure(tmp_path: Path, disk: FaultyDisk) -> None:
    (tmp_path / "file").write_bytes(b"in the way")
    with pytest.raises(StorageFailed, match="cannot open"):
        open_log(tmp_path / "file" / "pageviews-0", disk)


# --- opening again --------------------------------------------------------------------------------------------------


def test_a_reopened_log_is_as_it_was(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, segment_bytes=30, flush_messages=NEVER_BY_COUNT)
    for number in range(10):
        log.append(encode_message_set([b"%d" % number]))
    before = log.segments
    log.close()
    log.close()
    again = open_log(tmp_path, disk)
    assert again.segments == before
    assert (again.first_offset, again.flushed_offset, again.next_offset) == (0, 100, 100)
    assert again.recovery == Recovery(0, "")


def test_a_closed_log_can_be_read_and_nothing_else(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path / "pageviews-0", disk)
    log.append(encode_message_set([b"there"]))
    log.close()
    assert log.read(0, 100) == encode_message_set([b"there"])
    assert not disk.handles
    for attempt in (lambda: log.append(b""), log.flush, log.lose_unflushed, log.delete_old):
        with pytest.raises(LogClosed, match="pageviews-0"):
            attempt()


def test_a_power_cut_loses_unflushed_bytes_and_closes_the_log(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=2)
    log.append(encode_message_set([b"a", b"b"]))
    log.append(encode_message_set([b"c"]))
    assert log.lose_unflushed() == 10
    with pytest.raises(LogClosed):
        log.flush()
    assert not disk.handles
    again = open_log(tmp_path, disk)
    assert (again.next_offset, again.flushed_offset) == (20, 20)
    assert again.recovery == Recovery(0, "")


def test_unflushed_bytes_that_survive_the_process_are_visible_after_reopening(tmp_path: Path, disk: FaultyDisk) -> None:
    log = open_log(tmp_path, disk, flush_messages=NEVER_BY_COUNT)
    log.append(encode_message_set([b"a", b"b"]))
    disk.crash()
    assert open_log(tmp_path, disk).flushed_offset == 20


def test_a_damaged_message_and_all_after_it_are_cut_when_the_log_is_opened(tmp_path: Path, disk: FaultyDisk) -> None:
    # case 26
    log = open_log(tmp_path, disk)
    log.append(encode_message_set([b"aa", b"bb", b"cc"]))
    disk.crash()
    path = tmp_path / "00000000000000000000.kafka"
    content = bytearray(path.read_bytes())
    content[20] ^= 1
    path.write_bytes(content)
    again = open_log(tmp_path, disk)
    assert again.recovery == Recovery(22, "the message at offset 11 is damaged: the payload does not match its CRC")
    assert (again.flushed_offset, again.next_offset, path.stat().st_size) == (11, 11, 11)
    assert again.offsets_before(LATEST, 1) == (11,)


def test_only_the_last_segment_is_checked_when_a_log_is_opened(
    twenty_messages: Log, tmp_path: Path, disk: FaultyDisk
) -> None:
    twenty_messages.close()
    first = tmp_path / "00000000000000000000.kafka"
    first.write_bytes(bytes(108))
    again = open_log(tmp_path, disk)
    assert again.recovery == Recovery(0, "")
    assert again.read(0, 1000) == bytes(108)


def test_a_gap_between_segments_is_refused_by_file_name(twenty_messages: Log, tmp_path: Path, disk: FaultyDisk) -> None:
    twenty_messages.close()
    (tmp_path / "00000000000000000108.kafka").write_bytes(MAGIC_1_42 * 8)
    with pytest.raises(LogGap, match=r"00000000000000000108\.kafka ends at offset 204, but the next") as caught:
        open_log(tmp_path, disk)
    assert caught.value.fields == {
        "file": "00000000000000000108.kafka",
        "next_offset": 204,
        "next_base_offset": 216,
    }
    assert not disk.handles


def test_files_that_are_not_segments_are_left_alone(tmp_path: Path, disk: FaultyDisk) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    log = open_log(tmp_path, disk)
    assert bases(log) == [0]
    assert (tmp_path / "notes.txt").read_text() == "mine"
