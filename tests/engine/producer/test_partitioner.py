"""To which partition a message goes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.cluster.cluster import Cluster
from engine.config import TINY
from engine.errors import InvalidPartition
from engine.ids import BrokerId
from engine.journal.journal import Journal
from engine.producer.async_queue import Record
from engine.producer.partitioner import checked_choice, java_string_hash, keyed_index, next_in_turn


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


def test_the_hash_whose_absolute_value_overflows_in_java_finds_a_partition_here() -> None:
    assert keyed_index("polygenelubricants", 3) == 2**31 % 3  # case 42; 0.7 raises InvalidPartition


@given(st.text(), st.integers(min_value=1, max_value=1000))
def test_a_key_always_goes_to_an_existing_partition(key: str, count: int) -> None:
    assert 0 <= keyed_index(key, count) < count


def test_round_robin_skips_partitions_that_are_not_there() -> None:
    assert [next_in_turn(after, [0, 2, 5]) for after in (0, 1, 2, 5, 9)] == [2, 2, 5, 0, 0]


def test_a_custom_partitioner_decides_for_keys(tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    cluster = Cluster(
        scenario="test", directory=tmp_path / "cluster", config=TINY, seed=1, journal=journal, start_us=0,
        key_partitioner=lambda key, count: len(key) % count,
    )  # fmt: skip
    cluster.add_broker(BrokerId(1))
    cluster.add_topic("clicks", [BrokerId(1)] * 3)
    cluster.run_until(10_000)
    producer = cluster.state.producer
    assert [producer.keyed_partition("clicks", key) for key in ("a", "bb", "ccc")] == [1, 2, 0]
    producer.send("clicks", [Record("bb", b"v")])
    cluster.run_until(20_000)
    assert [place["next_offset"] for place in cluster.facts()["topics"][0]["partitions"]] == [0, 0, 10]
    assert cluster.check() == []
    cluster.close()
    journal.close()


@pytest.mark.parametrize("chosen", [-1, 3])
def test_a_choice_outside_the_topic_is_refused(chosen: int) -> None:
    with pytest.raises(InvalidPartition) as fault:
        checked_choice(lambda key, count: chosen, "polygenelubricants", 3)
    assert fault.value.fields == {"key": "polygenelubricants", "partition": chosen}
