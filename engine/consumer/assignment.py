"""Range assignment: the arithmetic in the middle of the paper's Algorithm 1, as a pure function."""

from collections.abc import Sequence

from engine.ids import BrokerId, TopicPartition

Placed = tuple[BrokerId, TopicPartition]


def assign_range(partitions: Sequence[Placed], streams: Sequence[str]) -> dict[str, tuple[Placed, ...]]:
    """Assign every stream a range of adjacent ``partitions``; the first streams get one more if there is a remainder.

    Partitions are sorted as numbers by (broker, partition), streams as text. The paper divides |PT| by |CT| and
    assigns the remainder to no stream; with q, r = divmod(|PT|, |CT|) stream j takes q partitions from q*j + min(j, r)
    on, and one more if j < r (0.7: ZookeeperConsumerConnector.rebalance).
    """
    ordered_partitions = sorted(partitions)
    ordered_streams = sorted(streams)
    if not ordered_streams:
        return {}
    quotient, remainder = divmod(len(ordered_partitions), len(ordered_streams))
    shares = {}
    for index, stream in enumerate(ordered_streams):
        start = quotient * index + min(index, remainder)
        count = quotient + (1 if index < remainder else 0)
        shares[stream] = tuple(ordered_partitions[start : start + count])
    return shares
