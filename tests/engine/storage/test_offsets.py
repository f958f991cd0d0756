"""Which offsets a log had before a time."""

import pytest

from engine.storage.offsets import EARLIEST, LATEST, offsets_before, offsets_of_missing_log

KNOWN = [(0, 10), (108, 20), (216, 30), (240, 40)]


@pytest.mark.parametrize(
    ("time_us", "most", "expected"),
    [
        (LATEST, 10, (240, 216, 108, 0)),  # case 13
        (LATEST, 1, (240,)),
        (LATEST, 0, ()),
        (LATEST, -1, ()),
        (EARLIEST, 10, (0,)),
        (40, 10, (240, 216, 108, 0)),
        (39, 10, (216, 108, 0)),
        (30, 2, (216, 108)),
        (10, 10, (0,)),
        (9, 10, ()),
        (-3, 10, ()),
    ],
)
def test_the_newest_offset_known_at_a_time_comes_first(time_us: int, most: int, expected: tuple[int, ...]) -> None:
    assert offsets_before(KNOWN, time_us, most) == expected


def test_a_segment_that_is_newer_than_its_successor_hides_no_other_segment() -> None:
    assert offsets_before([(0, 10), (108, 99), (216, 30)], 35, 10) == (216, 108, 0)


def test_a_partition_without_a_log_begins_and_ends_at_zero() -> None:
    # case 15
    assert offsets_of_missing_log(LATEST) == (0,)
    assert offsets_of_missing_log(EARLIEST) == (0,)
    assert offsets_of_missing_log(1_000_000) == ()
