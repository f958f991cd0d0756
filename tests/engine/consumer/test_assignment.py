"""Range assignment: which stream gets which partitions."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from engine.consumer.assignment import assign_range
from engine.ids import BrokerId, TopicPartition


def placed(broker: int, count: int) -> list[tuple[BrokerId, TopicPartition]]:
    return [(BrokerId(broker), TopicPartition("t", number)) for number in range(count)]


def shares(partitions: int, *streams: str) -> list[list[int]]:
    assigned = assign_range(placed(0, partitions), streams)
    return [[one.partition for _, one in assigned[stream]] for stream in sorted(streams)]


def test_the_first_streams_get_one_partition_more_when_they_do_not_divide_evenly() -> None:
    assert shares(10, "c0", "c1", "c2") == [[0, 1, 2, 3], [4, 5, 6], [7, 8, 9]]  # cases 45 and 46
    assert [len(share) for share in shares(10, "c0", "c1", "c2", "c3")] == [3, 3, 2, 2]


def test_surplus_streams_get_nothing() -> None:
    sizes = [len(share) for share in shares(10, *(f"c{number:02}" for number in range(12)))]
    assert sizes == [1] * 10 + [0, 0]  # case 45


def test_partitions_sort_as_numbers_and_streams_as_text() -> None:
    # Case 48 says what 0.7 does: it sorts partitions as text, "0-10" before "0-2". We decided otherwise.
    five = [f"c{number}" for number in range(5)]
    assert shares(12, *five) == [[0, 1, 2], [3, 4, 5], [6, 7], [8, 9], [10, 11]]
    assert shares(12, "c-10", "c-2") == [[0, 1, 2, 3, 4, 5], [6, 7, 8, 9, 10, 11]]
    partitions = [*placed(10, 1), *placed(2, 1)]
    assert assign_range(partitions, ["a", "b"])["a"] == ((BrokerId(2), TopicPartition("t", 0)),)


def test_without_streams_nothing_is_assigned() -> None:
    assert assign_range(placed(0, 3), []) == {}


@given(st.integers(0, 60), st.integers(1, 20), st.randoms())
def test_every_partition_has_exactly_one_owner_however_the_input_is_shuffled(
    partitions: int, streams: int, chance: Random
) -> None:
    everything = placed(1, partitions)
    names = [f"c{number}" for number in range(streams)]
    straight = assign_range(everything, names)
    chance.shuffle(everything)
    chance.shuffle(names)
    assert assign_range(everything, names) == straight
    owned = [one for share in straight.values() for one in share]
    assert sorted(owned) == sorted(everything)
    sizes = [len(share) for share in straight.values()]
    assert max(sizes) - min(sizes) <= 1
