"""Where messages begin: found by the lengths alone, whatever is between them."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.storage import boundaries
from engine.storage.boundaries import WALK_BYTES, boundaries_around, starts_a_message
from engine.storage.log import Log
from tests.support.disks import FaultyDisk
from tests.support.logs import open_log

LARGE = encode_message_set([bytes(100_000)])
SMALL = encode_message_set([b"small"])


def log_with(directory: Path, sets: list[bytes], *, segment_bytes: int = 1 << 30) -> Log:
    log = open_log(directory, FaultyDisk(), segment_bytes=segment_bytes)
    for message_set in sets:
        log.append(message_set)
    return log


def overwrite(directory: Path, position: int, data: bytes) -> None:
    """Change bytes of the first segment on disk, behind the log's back."""
    with (directory / "00000000000000000000.kafka").open("r+b") as file:
        file.seek(position)
        file.write(data)


@pytest.mark.parametrize(
    "sets", [[SMALL, LARGE, SMALL], [LARGE, LARGE, LARGE], [SMALL, SMALL, encode_compressed_set([b"a"])]]
)
def test_every_offset_has_the_message_starts_around_it_however_large_the_messages(
    tmp_path: Path, sets: list[bytes]
) -> None:
    log = log_with(tmp_path, sets)
    start = 0
    for message_set in sets:
        end = start + len(message_set)
        for offset in (start, start + 1, (start + end) // 2, end - 1):
            assert boundaries_around(log, offset) == (start, end)
            assert starts_a_message(log, offset) == (offset == start)
        start = end
    assert starts_a_message(log, log.flushed_offset)


def test_a_walk_passes_a_message_as_long_as_one_of_its_reads(tmp_path: Path) -> None:
    for extra in (-1, 0, 1):
        exact = encode_message_set([bytes(WALK_BYTES - 9 + extra)])
        log = log_with(tmp_path / str(extra), [exact, SMALL])
        assert boundaries_around(log, len(exact) - 1) == (0, len(exact))
        assert boundaries_around(log, len(exact)) == (len(exact), len(exact) + len(SMALL))


@pytest.mark.parametrize("position", [4, 5, 8, 9, 13])
def test_damage_between_two_lengths_changes_no_boundary(tmp_path: Path, position: int) -> None:
    log = log_with(tmp_path, [SMALL, SMALL, SMALL])
    overwrite(tmp_path, position, b"\xff")
    assert [offset for offset in range(43) if starts_a_message(log, offset)] == [0, 14, 28, 42]
    assert boundaries_around(log, 5) == (0, 14)
    assert boundaries_around(log, 20) == (14, 28)


@pytest.mark.parametrize("length", ["00000000", "ffffffff", "7fffffff", "00001000"])
def test_an_impossible_length_ends_the_walk_at_the_end_of_its_segment(tmp_path: Path, length: str) -> None:
    log = log_with(tmp_path, [SMALL, SMALL + SMALL, SMALL], segment_bytes=40)
    assert [segment.base_offset for segment in log.segments] == [0, 42]
    overwrite(tmp_path, 14, bytes.fromhex(length))
    assert [offset for offset in range(57) if starts_a_message(log, offset)] == [0, 14, 42, 56]
    assert boundaries_around(log, 28) == (14, 42)
    assert boundaries_around(log, 43) == (42, 56)


def test_a_walk_reads_headers_and_not_the_whole_of_large_messages(tmp_path: Path) -> None:
    log = log_with(tmp_path, [LARGE] * 5)
    disk = FaultyDisk()
    again = open_log(tmp_path, disk)
    disk.largest_read_bytes = 0
    assert boundaries_around(again, 5 * len(LARGE) - 1) == (4 * len(LARGE), 5 * len(LARGE))
    assert disk.largest_read_bytes <= WALK_BYTES
    log.close()


@settings(max_examples=60, deadline=None)
@given(sizes=st.lists(st.integers(0, 60), min_size=1, max_size=12), segment_bytes=st.integers(1, 200), data=st.data())
def test_boundaries_are_the_ends_of_messages_in_any_log(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], segment_bytes: int, data: st.DataObject
) -> None:
    sets = [encode_message_set([bytes(size)]) for size in sizes]
    log = log_with(tmp_path_factory.mktemp("log"), sets, segment_bytes=segment_bytes)
    ends = [0]
    for message_set in sets:
        ends.append(ends[-1] + len(message_set))
    offset = data.draw(st.integers(0, ends[-1] - 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(boundaries, "WALK_BYTES", data.draw(st.integers(10, 100)))
        found = boundaries_around(log, offset)
    assert found == (max(end for end in ends if end <= offset), min(end for end in ends if end > offset))
    log.close()
