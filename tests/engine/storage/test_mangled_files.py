"""Mangled folders of logs: a log opens with its whole messages, or the error names the file."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidMessage, LogGap, OffsetscopeError, StorageFailed, UnsupportedCodec
from engine.message.format import MAX_OVERHEAD_BYTES, iterate_shallow
from engine.message.message_set import encode_compressed_set, encode_message_set, iterate_deep
from engine.storage import recovery
from engine.storage.log import Log
from engine.storage.log_config import LogConfig
from engine.storage.segment import segment_name
from tests.support.disks import FaultyDisk, HandClock

LIMITS = LogConfig(segment_bytes=60, flush_messages=1, max_message_bytes=1000)
Mangle = Callable[[Path, st.DataObject], None]


def written(directory: Path, sets: list[bytes]) -> bytes:
    """Write a log and close it; return all its bytes."""
    log = Log.open(directory, limits=LIMITS, disk=FaultyDisk(), now_us=HandClock())
    for one in sets:
        log.append(one)
    log.close()
    return b"".join(path.read_bytes() for path in sorted(directory.iterdir()))


def change_bytes(directory: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(directory.iterdir())))
    content = bytearray(path.read_bytes())
    for at in data.draw(st.lists(st.integers(0, max(0, len(content) - 1)), min_size=1, max_size=5)):
        if content:
            content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)


def cut_short(directory: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(directory.iterdir())))
    path.write_bytes(path.read_bytes()[: data.draw(st.integers(0, path.stat().st_size))])


def add_bytes(directory: Path, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(directory.iterdir())))
    path.write_bytes(path.read_bytes() + data.draw(st.binary(min_size=1, max_size=80)))


def take_a_file(directory: Path, data: st.DataObject) -> None:
    data.draw(st.sampled_from(sorted(directory.iterdir()))).unlink()


def add_a_file(directory: Path, data: st.DataObject) -> None:
    names = st.one_of(
        st.integers(0, 2**63 - 1).map(segment_name),
        st.sampled_from([".kafka", "1.kafka", "-0000000000000000001.kafka", "notes.txt", segment_name(0) + "~"]),
    )
    (directory / data.draw(names)).write_bytes(data.draw(st.binary(max_size=40)))


MANGLES: list[Mangle] = [change_bytes, cut_short, add_bytes, take_a_file, add_a_file]
message_sets = st.lists(st.binary(max_size=30), min_size=1, max_size=3)


@settings(max_examples=150, deadline=None)
@given(
    sets=st.lists(st.one_of(message_sets.map(encode_message_set), message_sets.map(encode_compressed_set)), max_size=8),
    mangles=st.lists(st.sampled_from(MANGLES), min_size=1, max_size=3),
    data=st.data(),
)
def test_a_mangled_log_opens_with_its_whole_messages_or_names_the_file(
    sets: list[bytes], mangles: list[Mangle], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "topic-0"
        written(directory, sets)
        for mangle in mangles:
            if list(directory.iterdir()):
                mangle(directory, data)
        disk = FaultyDisk()
        blamed = ""
        try:
            log = Log.open(directory, limits=LIMITS, disk=disk, now_us=HandClock())
        except (LogGap, StorageFailed) as error:
            blamed = str(error.fields["file"]).rpartition("/")[2]
        assert disk.largest_read_bytes <= max(recovery.CHUNK_BYTES, MAX_OVERHEAD_BYTES)
        if blamed:
            assert blamed in {path.name for path in directory.iterdir()}
            assert disk.handles == set()
        else:
            check_usable(log, directory)


def test_a_set_whose_codec_byte_was_changed_is_kept_by_recovery_and_reported_by_readers(tmp_path: Path) -> None:
    # 0.7: the CRC covers the payload alone, and recovery looks at nothing else
    content = bytearray(encode_compressed_set([b""]))
    for codec, error in ((2, UnsupportedCodec), (3, InvalidMessage)):
        content[5] = codec
        directory = tmp_path / str(codec)
        directory.mkdir()
        (directory / segment_name(0)).write_bytes(content)
        log = Log.open(directory, limits=LIMITS, disk=FaultyDisk(), now_us=HandClock())
        assert log.recovery.bytes_cut == 0
        with pytest.raises(error) as caught:
            list(iterate_deep(log.read(0, 1000), 0))
        assert caught.value.fields["offset"] == 0
        check_usable(log, directory)


def check_usable(log: Log, directory: Path) -> None:
    """Check that the last segment is whole, that appends continue after it and that a second recovery does nothing."""
    last = log.segments[-1]
    kept = log.read(last.base_offset, 10**9)
    assert sum(next_offset - offset for offset, next_offset, _, _ in iterate_shallow(kept, last.base_offset)) == len(
        kept
    )
    assert log.flushed_offset == log.next_offset == last.base_offset + len(kept)
    try:
        list(iterate_deep(kept, last.base_offset))
    except (InvalidMessage, UnsupportedCodec) as error:  # an entry whose CRC is good, but not what is in it
        offsets = [entry[0] for entry in iterate_shallow(kept, last.base_offset) if entry[3]]
        assert error.fields["offset"] in offsets  # noqa: PT017
    appended = log.append(encode_message_set([b"after all that"]))
    assert log.read(appended.offset, 100) == encode_message_set([b"after all that"])
    log.close()
    again = Log.open(directory, limits=LIMITS, disk=FaultyDisk(), now_us=HandClock())
    assert again.recovery.bytes_cut == 0
    assert again.next_offset == appended.next_offset
    again.close()


@settings(max_examples=100, deadline=None)
@given(sets=st.lists(message_sets.map(encode_message_set), min_size=1, max_size=8), data=st.data())
def test_a_log_cut_anywhere_in_its_last_file_keeps_every_whole_message_before(
    sets: list[bytes], data: st.DataObject
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "topic-0"
        content = written(directory, sets)
        last = max(directory.iterdir())
        base = int(last.name.removesuffix(".kafka"))
        size = data.draw(st.integers(0, last.stat().st_size))
        last.write_bytes(last.read_bytes()[:size])
        log = Log.open(directory, limits=LIMITS, disk=FaultyDisk(), now_us=HandClock())
        ends = [entry[1] for entry in iterate_shallow(content, 0)]
        assert log.next_offset == max([base, *(end for end in ends if end <= base + size)])
        log.close()


def test_an_entry_that_claims_two_gigabytes_is_rejected_without_a_large_read(tmp_path: Path) -> None:
    directory = tmp_path / "topic-0"
    directory.mkdir()
    whole = encode_message_set([b"whole"])
    (directory / segment_name(0)).write_bytes(whole + bytes.fromhex("7fffffff00") + bytes(600_000))
    disk = FaultyDisk()
    log = Log.open(directory, limits=LIMITS, disk=disk, now_us=HandClock())
    assert log.next_offset == len(whole)
    assert disk.largest_read_bytes <= recovery.CHUNK_BYTES
    log.close()


def test_the_error_for_a_segment_that_cannot_be_opened_names_it(tmp_path: Path) -> None:
    directory = tmp_path / "topic-0"
    (directory / segment_name(0)).mkdir(parents=True)
    with pytest.raises(OffsetscopeError) as caught:
        Log.open(directory, limits=LIMITS, disk=FaultyDisk(), now_us=HandClock())
    assert caught.value.fields == {"file": f"topic-0/{segment_name(0)}"}
