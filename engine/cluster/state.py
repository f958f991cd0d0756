"""The parts of a cluster, for the code that changes them and the code that reads them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from engine.broker.broker import Broker
from engine.cluster.deployment import LIVE, Deployment
from engine.cluster.lag import CommittedPosition, WorkDone
from engine.cluster.message_index import MessageIndex
from engine.config import Config
from engine.consumer.application import MakeApplication, just_reading
from engine.consumer.consumer import Consumer
from engine.errors import UnknownBroker, UnknownConsumer, UnknownGroup, UnknownPartition, UnknownTopic
from engine.ids import BrokerId, ConsumerId, GroupId, TopicPartition
from engine.producer.producer import Producer
from engine.registry import paths
from engine.registry.server import RegistryServer
from engine.runtime.network import Network
from engine.runtime.process import Machine
from engine.runtime.scheduler import Scheduler

NO_STREAM = paths.stream("")


@dataclass(slots=True)
class Group:
    """A consumer group: what it subscribes to, and its consumers in order of joining, ended ones included."""

    topics: tuple[str, ...]
    consumers: dict[str, Consumer] = field(default_factory=dict)
    application: MakeApplication = just_reading


@dataclass(slots=True)
class ClusterState:
    """Everything a cluster is made of. ``topics[t][p]`` is the broker that holds partition p of topic t.

    ``fetching`` says which consumer of a group fetches a partition, as far as the journal says; a suspended consumer
    may not know yet that another one owns its partitions. ``session_ends_us`` holds, for the address of a crashed
    process, when its session will expire. The lag observer keeps ``committed`` and ``done``.
    """

    scenario: str
    seed: int
    machine: Machine
    registry: RegistryServer
    producer: Producer
    topics: dict[str, tuple[BrokerId, ...]]
    brokers: dict[BrokerId, Broker] = field(default_factory=dict)
    groups: dict[GroupId, Group] = field(default_factory=dict)
    message_indexes: dict[TopicPartition, MessageIndex] = field(default_factory=dict)
    committed: dict[tuple[GroupId, TopicPartition], CommittedPosition] = field(default_factory=dict)
    done: dict[GroupId, WorkDone] = field(default_factory=dict)
    fetching: dict[tuple[GroupId, TopicPartition], str] = field(default_factory=dict)
    session_ends_us: dict[str, int] = field(default_factory=dict)
    deployment: Deployment = field(default_factory=Deployment)

    @property
    def config(self) -> Config:
        """The settings."""
        return self.machine.config

    @property
    def scheduler(self) -> Scheduler:
        """The event loop of the cluster."""
        return self.machine.scheduler

    @property
    def network(self) -> Network:
        """The network between all processes."""
        return self.machine.network

    @property
    def registries(self) -> list[RegistryServer]:
        """Every registry, that of the live datacenter first."""
        return [self.registry, *self.deployment.registries.values()]

    def datacenter_of(self, broker: BrokerId) -> str:
        """The datacenter of a broker."""
        return self.deployment.placements.get(broker, LIVE)

    def registry_of_topic(self, topic: str) -> RegistryServer:
        """The registry of a topic: that of its brokers' datacenter."""
        datacenter = self.datacenter_of(self.topics[topic][0])
        return self.registry if datacenter == LIVE else self.deployment.registries[datacenter]

    def registry_of_group(self, group: GroupId) -> RegistryServer:
        """The registry of a group: that of its topics, which are all in one datacenter."""
        return self.registry_of_topic(self.groups[group].topics[0])

    def owner_of(self, group: GroupId, partition: TopicPartition) -> str:
        """The consumer that the registry names as a partition's owner; "" if there is none."""
        path = paths.owner(group, partition, self.topics[partition.topic][partition.partition])
        return paths.stream_consumer(self.registry_of_group(group).value(path, NO_STREAM))

    def committed_offset(self, group: GroupId, partition: TopicPartition) -> int:
        """A group's committed offset in a partition; the log's first offset while the registry has none."""
        path = paths.offset(group, partition, self.topics[partition.topic][partition.partition])
        first_offset = self.broker_of(partition).logs[partition].first_offset
        return int(self.registry_of_group(group).value(path, str(first_offset)))

    def topic_brokers(self, topic: str) -> tuple[BrokerId, ...]:
        """The brokers of a topic's partitions; :class:`UnknownTopic`."""
        if topic not in self.topics:
            raise UnknownTopic(f"there is no topic {topic!r}", _known("topics", self.topics), topic=topic)
        return self.topics[topic]

    def partition(self, topic: str, number: int) -> TopicPartition:
        """A partition that exists; :class:`UnknownTopic`, :class:`UnknownPartition`."""
        count = len(self.topic_brokers(topic))
        if not 0 <= number < count:
            raise UnknownPartition(
                f"topic {topic} has no partition {number}", f"use 0 to {count - 1}", topic=topic, partition=number
            )
        return TopicPartition(topic, number)

    def broker(self, broker: int) -> Broker:
        """A broker that exists; :class:`UnknownBroker`."""
        if broker not in self.brokers:
            known = [str(one) for one in self.brokers]
            raise UnknownBroker(f"there is no broker {broker}", _known("brokers", known), broker=broker)
        return self.brokers[BrokerId(broker)]

    def broker_of(self, partition: TopicPartition) -> Broker:
        """The broker that holds a partition."""
        return self.brokers[self.topics[partition.topic][partition.partition]]

    def group(self, group: str) -> Group:
        """A group that exists; :class:`UnknownGroup`."""
        if group not in self.groups:
            raise UnknownGroup(f"there is no group {group!r}", _known("groups", list(self.groups)), group=group)
        return self.groups[GroupId(group)]

    def consumer(self, consumer: ConsumerId) -> Consumer:
        """A consumer that is listed, running or ended; :class:`UnknownGroup`, :class:`UnknownConsumer`."""
        consumers = self.group(consumer.group).consumers
        if consumer.name not in consumers:
            raise UnknownConsumer(
                f"group {consumer.group!r} has no consumer {consumer.name!r}",
                _known("consumers", list(consumers)),
                group=consumer.group,
                consumer=consumer.name,
            )
        return consumers[consumer.name]

    def all_consumers(self) -> list[Consumer]:
        """Every listed consumer, group by group."""
        return [consumer for group in self.groups.values() for consumer in group.consumers.values()]

    def all_partitions(self) -> list[TopicPartition]:
        """Every partition, topic by topic."""
        return [TopicPartition(topic, number) for topic, held in self.topics.items() for number in range(len(held))]


def _known(what: str, names: Sequence[str] | dict[str, tuple[BrokerId, ...]]) -> str:
    return f"known {what}: " + (", ".join(names) if names else "none yet")
