"""Which segments retention deletes."""

import pytest

from engine.storage.retention import expired, surplus

WEEK_US = 604_800_000 * 1000


@pytest.mark.parametrize(("age_ms", "gone"), [(604_800_000, 0), (604_800_001, 1), (0, 0)])
def test_a_segment_of_exactly_the_age_stays(age_ms: int, gone: int) -> None:
    # case 31
    now_us = 1_700_000_000_000_000
    assert expired([now_us - age_ms * 1000], now_us, WEEK_US) == gone


def test_segments_are_deleted_oldest_first_and_none_after_one_that_stays() -> None:
    assert expired([1, 2, 90, 3], now_us=100, retention_us=20) == 2
    assert expired([1, 2, 3], now_us=100, retention_us=20) == 3
    assert expired([], now_us=100, retention_us=20) == 0


@pytest.mark.parametrize(
    ("sizes", "retention_bytes", "gone"),
    [
        ([100, 100, 100], 300, 0),
        ([100, 100, 100], 299, 0),
        ([100, 100, 100], 201, 0),
        ([100, 100, 100], 200, 1),
        ([100, 100, 50], 51, 1),
        ([100, 100, 50], 50, 2),
        ([100, 100, 0], 0, 3),
        ([100], 1, 0),
        ([], 10, 0),
    ],
)
def test_a_log_keeps_at_least_its_size(sizes: list[int], retention_bytes: int, gone: int) -> None:
    assert surplus(sizes, retention_bytes) == gone
