"""The path table of 0.7 (utils/ZkUtils): the nodes and their values.

==================================  =============================================  ==========
path                                value                                          kind
==================================  =============================================  ==========
/brokers/ids/B                      ``creator:host:port``                          ephemeral
/brokers/topics/T/B                 the numbers of T's partitions on B, ``0,3``    ephemeral
/consumers/G/ids/C                  ``{ "topic": streams }``                       ephemeral
/consumers/G/owners/T/B-P           the stream that owns it, ``C-0``               ephemeral
/consumers/G/offsets/T/B-P          the next offset to read, decimal               persistent
==================================  =============================================  ==========

We differ from 0.7 in one value: it writes *how many* partitions of T broker B holds and numbers them from 0 on
each broker; our partitions are numbered across the topic, so the node lists the numbers.
"""

import json
from collections.abc import Iterable, Mapping

from engine.ids import BrokerId, ConsumerId, GroupId, TopicPartition

BROKERS = "/brokers/ids"
TOPICS = "/brokers/topics"


def broker(broker_id: BrokerId) -> str:
    """The node of a live broker."""
    return f"{BROKERS}/{broker_id}"


def topic(name: str) -> str:
    """The parent of a topic's broker nodes; consumers watch its children."""
    return f"{TOPICS}/{name}"


def topic_broker(name: str, broker_id: BrokerId) -> str:
    """The node that says which partitions of a topic a broker holds."""
    return f"{TOPICS}/{name}/{broker_id}"


def members(group: GroupId) -> str:
    """The parent of a group's member nodes; members watch its children."""
    return f"/consumers/{group}/ids"


def member(consumer: ConsumerId) -> str:
    """The node of a live member of a group."""
    return f"/consumers/{consumer.group}/ids/{consumer.name}"


def owner(group: GroupId, partition: TopicPartition, broker_id: BrokerId) -> str:
    """The node whose value is the stream that owns a partition."""
    return f"/consumers/{group}/owners/{partition.topic}/{broker_id}-{partition.partition}"


def offset(group: GroupId, partition: TopicPartition, broker_id: BrokerId) -> str:
    """The node whose value is a group's committed offset in a partition."""
    return f"/consumers/{group}/offsets/{partition.topic}/{broker_id}-{partition.partition}"


def stream(consumer_name: str, number: int = 0) -> str:
    """The id of a consumer's stream, the unit that owns partitions (0.7: consumer thread id)."""
    return f"{consumer_name}-{number}"


def stream_consumer(stream_id: str) -> str:
    """The consumer's name in a stream's id."""
    return stream_id.rpartition("-")[0]


def encode_subscription(streams: Mapping[str, int]) -> str:
    """A member node's value, written as 0.7 writes it: ``{ "pageviews": 1 }`` (consumer/TopicCount)."""
    return "{ " + ",".join(f'"{name}": {count}' for name, count in streams.items()) + " }"


def decode_subscription(value: str) -> dict[str, int]:
    """How many streams a member has for each topic."""
    return {str(topic): int(streams) for topic, streams in json.loads(value).items()}


def encode_partitions(numbers: Iterable[int]) -> str:
    """A topic's broker node's value: partition numbers with commas."""
    return ",".join(str(number) for number in numbers)


def decode_partitions(value: str) -> tuple[int, ...]:
    """The partition numbers in a topic's broker node."""
    return tuple(int(number) for number in value.split(",")) if value else ()
