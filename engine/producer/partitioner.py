"""The partition of a message: chosen by its key's hash, or without a key round robin or at random."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from random import Random

from engine.errors import InvalidPartition
from engine.runtime.random_draws import draw_below

KeyPartitioner = Callable[[str, int], int]
"""Chooses a key's partition, given how many there are; 0.7: producer.Partitioner, set by ``partitioner.class``."""


def java_string_hash(key: str) -> int:
    """Java's ``String.hashCode``: h = 31*h + c over UTF-16 code units, a signed 32-bit number.

    Implemented here because 0.7's DefaultPartitioner hashes keys with it, and because Python's own ``hash`` of
    a text differs from run to run.
    """
    units = key.encode("utf-16-be", "surrogatepass")
    value = 0
    for index in range(0, len(units), 2):
        value = (31 * value + (units[index] << 8 | units[index + 1])) & 0xFFFFFFFF
    return value - (1 << 32) if value >= 1 << 31 else value


def keyed_index(key: str, count: int) -> int:
    """The index of a key among ``count`` partitions: ``abs(hash) % count``, so never negative.

    0.7 differs for one hash only: Java's ``abs(-2**31)`` stays negative and raises InvalidPartition there.
    """
    return abs(java_string_hash(key)) % count


def next_in_turn(after: int, candidates: Sequence[int]) -> int:
    """Return the first of the sorted ``candidates`` above ``after``, or the first of all if there is none."""
    index = bisect_right(candidates, after)
    return candidates[index] if index < len(candidates) else candidates[0]


def next_by_chance(chance: Random, candidates: Sequence[int]) -> int:
    """Draw one of ``candidates`` at random (the paper's choice for messages without a key)."""
    return candidates[draw_below(chance, len(candidates))]


def checked_choice(partitioner: KeyPartitioner, key: str, count: int) -> int:
    """Return a partitioner's choice for a key; raise :class:`InvalidPartition` if it is not in [0, count)."""
    chosen = partitioner(key, count)
    if not 0 <= chosen < count:
        raise InvalidPartition(
            f"the partitioner chose {chosen} of {count} partitions for {key[:60]!r}",
            f"let it return 0 to {count - 1}",
            key=key[:60],
            partition=chosen,
        )
    return chosen
