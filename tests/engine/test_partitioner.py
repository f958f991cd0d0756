"""Where a message goes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.partitioner import java_string_hash, keyed_index, next_in_turn


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("test", 3556498),
        ("user-1", -836031825),
        ("polygenelubricants", -(2**31)),
        ("", 0),
        ("é", 233),
        ("😀", 0xD83D * 31 + 0xDE00),
    ],
)
def test_a_key_hashes_as_a_java_string_does(key: str, expected: int) -> None:
    assert java_string_hash(key) == expected  # case 42


@pytest.mark.parametrize(
    ("key", "count", "expected"),
    [
        ("test", 3, 1),
        ("test", 4, 2),
        ("test", 5, 3),
        ("test", 10, 8),
        ("user-1", 3, 0),
        ("user-1", 4, 1),
        ("user-1", 10, 5),
    ],
)
def test_a_key_goes_where_the_absolute_hash_says(key: str, count: int, expected: int) -> None:
    assert keyed_index(key, count) == expected  # case 42


def test_the_hash_that_has_no_positive_twin_in_java_finds_a_partition_here() -> None:
    assert keyed_index("polygenelubricants", 3) == 2**31 % 3  # case 42; 0.7 raises InvalidPartition


@given(st.text(), st.integers(min_value=1, max_value=1000))
def test_a_key_never_leaves_the_partitions(key: str, count: int) -> None:
    assert 0 <= keyed_index(key, count) < count


def test_turns_pass_over_partitions_that_are_not_there() -> None:
    assert [next_in_turn(after, [0, 2, 5]) for after in (0, 1, 2, 5, 9)] == [2, 2, 5, 0, 0]
