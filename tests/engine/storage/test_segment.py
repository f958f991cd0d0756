"""A segment: names, and what readers see of it."""

import os
from pathlib import Path

import pytest

from engine.errors import StorageFailed
from engine.storage.segment import Segment, base_offsets, segment_name
from tests.support.disks import FaultyDisk


def test_a_segment_is_named_by_its_first_offset_in_twenty_digits() -> None:
    assert segment_name(0) == "00000000000000000000.kafka"
    assert segment_name(2050706778) == "00000000002050706778.kafka"


def test_base_offsets_come_in_order_and_other_files_are_left_alone() -> None:
    names = ["00000000000000000216.kafka", "00000000000000000000.kafka", "0.kafka", "notes.txt", "x" * 20 + ".kafka"]
    assert base_offsets(names) == [0, 216]
    assert base_offsets(["00000000000000000007.kafka.bak"]) == []


def test_readers_see_what_is_flushed_and_no_more(tmp_path: Path) -> None:
    segment = Segment(tmp_path, 1000, FaultyDisk(), sealed=False)
    segment.append(b"0123456789", 0)
    assert (segment.next_offset, segment.flushed_offset) == (1010, 1000)
    assert segment.read(1000, 100) == b""
    segment.flush()
    segment.append(b"unflushed", 0)
    assert segment.flushed_offset == 1010
    assert segment.read(1004, 3) == b"456"
    assert segment.read(1004, 100) == b"456789"
    assert segment.read(1010, 100) == b""


def test_a_power_cut_loses_the_unflushed_bytes(tmp_path: Path) -> None:
    segment = Segment(tmp_path, 0, FaultyDisk(), sealed=False)
    segment.append(b"kept", 0)
    segment.flush()
    segment.append(b"lost bytes", 0)
    assert segment.lose_unflushed() == 10
    assert (tmp_path / segment_name(0)).read_bytes() == b"kept"
    assert segment.next_offset == 4


def test_bytes_in_a_segment_when_it_is_opened_count_as_flushed(tmp_path: Path) -> None:
    (tmp_path / segment_name(50)).write_bytes(b"0123")
    segment = Segment(tmp_path, 50, FaultyDisk(), sealed=False)
    assert (segment.next_offset, segment.flushed_offset) == (54, 54)
    assert segment.read(50, 10) == b"0123"


class WindowsDisk(FaultyDisk):
    """A disk that sets the time of a file when a handle to it is closed, whatever it was set to before."""

    def __init__(self) -> None:
        super().__init__()
        self.paths: dict[int, Path] = {}

    def open(self, path: Path) -> int:
        handle = super().open(path)
        self.paths[handle] = path
        return handle

    def close(self, handle: int) -> None:
        super().close(handle)
        os.utime(self.paths.pop(handle))


def test_a_segment_keeps_its_time_where_closing_a_file_changes_it(tmp_path: Path) -> None:
    segment = Segment(tmp_path, 0, WindowsDisk(), sealed=False)
    segment.append(b"bytes", 5_000_000)
    segment.flush()
    segment.seal()
    assert (tmp_path / segment_name(0)).stat().st_mtime_ns == 5_000_000_000


def test_a_segment_that_cannot_be_dated_is_closed(tmp_path: Path) -> None:
    disk = FaultyDisk()
    segment = Segment(tmp_path, 0, disk, sealed=False)
    segment.append(b"bytes", 5_000_000)
    disk.refuse("set_modified")
    with pytest.raises(StorageFailed):
        segment.seal()
    assert disk.handles == set()
