"""The check shared by all commands that name a message by its offset."""

from engine.cluster.cluster import Cluster
from engine.errors import OffsetInsideMessage, OffsetOutOfRange, WrongState
from engine.ids import TopicPartition
from engine.storage.boundaries import boundaries_around, starts_a_message


def check_offset(cluster: Cluster, partition: TopicPartition, offset: int) -> None:
    """Raise unless a consumer can start at ``offset``: it must be the start of a flushed message, or the flushed end.

    Raises :class:`WrongState` (the broker is not running), :class:`OffsetOutOfRange`, :class:`OffsetInsideMessage`.
    """
    broker = cluster.state.broker_of(partition)
    if not broker.alive:
        raise WrongState(f"broker {broker.broker} is not running", "start it first", broker=broker.broker)
    log = broker.logs[partition]
    if not log.first_offset <= offset <= log.flushed_offset:
        raise OffsetOutOfRange(
            f"offset {offset} is not in {partition}",
            f"choose from {log.first_offset} to {log.flushed_offset}",
            offset=offset,
            first_offset=log.first_offset,
            flushed_offset=log.flushed_offset,
        )
    if not starts_a_message(log, offset):
        before, after = boundaries_around(log, offset)
        raise OffsetInsideMessage(
            f"offset {offset} of {partition} lies inside the message at {before}",
            f"use {before} or {after}",
            offset=offset,
            message_offset=before,
            next_offset=after,
        )
