"""A mirror: a consumer of one datacenter whose application is a producer into another (0.7: MirrorMaker).

The consuming half is a :class:`~engine.consumer.Consumer` like any other: the mirrors of a group share the partitions
out. The producing half is here. Messages have no keys any more, so partition p of a topic goes to partition p mod n of
its copy: every key stays in one partition and in order, and where n divides the number of partitions of the source, it
is also where a producer of the copy would send that key.

Positions are committed after everything before them has been handed over to the wire, so a mirror that crashes sends
some messages twice and loses none. As in the paper nobody acknowledges: what the wire or a dying broker loses behind
that is lost, and the audit shows it. A partition whose broker is not in the registry is not read on until it is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine import events
from engine.config import Config
from engine.events import Emit
from engine.ids import BrokerId, ConsumerId, TopicPartition
from engine.message import DeepMessage, encode_message_set
from engine.network import Latency, Network
from engine.numbers import Numbers
from engine.protocol import ProduceRequest
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import Conversation, RegistryClient
from engine.registry.session import Ends
from engine.scheduler import ProcessTime, Timer

Layout = Callable[[str], Sequence[BrokerId]]


def address_of(consumer: ConsumerId) -> str:
    """The address of a mirror's producing half on the network, and its name in the registry there."""
    return f"mirror:{consumer}"


@dataclass(frozen=True, slots=True)
class Route:
    """Where a group of mirrors takes its topics: their copies, and the registry that knows the brokers of those."""

    copies: Mapping[str, str]
    registry: str


@dataclass(frozen=True, slots=True)
class World:
    """What a mirror needs around it."""

    config: Config
    network: Network
    emit: Emit
    numbers: Numbers
    layout: Layout


@dataclass(slots=True)
class _Waiting:
    """Messages of one partition of the source that wait for company."""

    offset: int
    next_offset: int
    linger: Timer
    payloads: list[bytes] = field(default_factory=list)


class Mirror:
    """The producing half of one mirror process, an :class:`~engine.application.Application`."""

    def __init__(
        self, consumer: ConsumerId, time: ProcessTime, on_ready: Callable[[], None], route: Route, world: World
    ) -> None:
        self.address = address_of(consumer)
        self._consumer = consumer
        self._time = time
        self._on_ready = on_ready
        self._route = route
        self._world = world
        self._latency = Latency(world.config.network_latency_us, world.config.latency_jitter_permille)
        self._waiting: dict[TopicPartition, _Waiting] = {}
        self._live_brokers: frozenset[int] = frozenset()
        ends = Ends(self._watch_brokers, self._open, lambda: None)
        self._registry = RegistryClient(self.address, time, world.network, world.config, ends, route.registry)
        world.network.attach(self.address, self)
        self._open()

    def _open(self) -> None:
        self._registry.open()

    # --- application ---

    def accepts(self, partition: TopicPartition) -> bool:
        """Whether the registry lists the broker that the partition goes to."""
        return self._broker_of(self.copy_of(partition)) in self._live_brokers

    def take(self, partition: TopicPartition, messages: Sequence[DeepMessage]) -> None:
        """Collect messages; a set leaves when it is full or its first message has lingered long enough."""
        most = self._world.config.deployment.mirror_batch_messages
        for message in messages:
            waiting = self._waiting.get(partition) or self._begin(partition, message.offset)
            waiting.payloads.append(message.payload)
            waiting.next_offset = message.next_offset
            if len(waiting.payloads) >= most:
                self._ship(partition)

    def hand_over(self) -> None:
        """Send everything that still waits."""
        for partition in list(self._waiting):
            self._ship(partition)

    def forget(self) -> None:
        """Send nothing of what waits: its positions were not committed, another mirror takes it up."""
        for waiting in self._waiting.values():
            waiting.linger.cancel()
        self._waiting.clear()

    def leave(self) -> None:
        """Close the session in the other datacenter, without waiting for the answer."""
        self.forget()
        self._registry.close()
        self._end()

    def vanish(self) -> None:
        """Fall silent."""
        self.forget()
        self._end()

    def _end(self) -> None:
        self._registry.abandon()
        self._world.network.detach(self.address)

    # --- producing ---

    def copy_of(self, partition: TopicPartition) -> TopicPartition:
        """Where a partition's messages go."""
        topic = self._route.copies[partition.topic]
        return TopicPartition(topic, partition.partition % len(self._world.layout(topic)))

    def _broker_of(self, copy: TopicPartition) -> BrokerId:
        return self._world.layout(copy.topic)[copy.partition]

    def _begin(self, partition: TopicPartition, offset: int) -> _Waiting:
        linger_us = self._world.config.deployment.mirror_linger_us
        linger = self._time.after(linger_us, lambda: self._ship(partition))
        self._waiting[partition] = _Waiting(offset, offset, linger)
        return self._waiting[partition]

    def _ship(self, partition: TopicPartition) -> None:
        waiting = self._waiting.pop(partition)
        waiting.linger.cancel()
        message_set = encode_message_set(waiting.payloads)
        copy = self.copy_of(partition)
        broker = self._broker_of(copy)
        batch = self._world.numbers.next("batch")
        destination = f"broker:{broker}"
        due_us = self._world.network.due_us(self.address, destination, self._latency)
        mirrored = events.BatchMirrored(
            self._time.now_us,
            due_us,
            batch,
            self._consumer.group,
            self._consumer.name,
            partition.topic,
            partition.partition,
            waiting.offset,
            waiting.next_offset,
            copy.topic,
            copy.partition,
            broker,
            len(waiting.payloads),
            len(message_set),
        )
        self._world.emit(mirrored)
        request = ProduceRequest(batch, copy, len(waiting.payloads), message_set, acknowledge=False)
        self._world.network.send_drawn(self.address, destination, request, f"batch:{batch}", mirrored, due_us)

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Hear the registry, as soon as the process is awake."""
        if self._time.stalled:
            self._time.after(0, lambda: self.receive(source, message))
        elif not self._registry.heard(message):
            self._world.emit(events.WatchDelivered(self._time.now_us, message.watch))
            self._watch_brokers()

    def bounced(self, destination: str, message: Any) -> None:
        """A set found no broker: it is lost."""
        if isinstance(message, ProduceRequest):
            copy = message.partition
            where = copy.topic, copy.partition, self._broker_of(copy)
            lost = events.BatchLost(self._time.now_us, message.batch, *where, message.messages, "broker_down")
            self._world.emit(lost)

    def _watch_brokers(self) -> None:
        self._registry.start(self._read_brokers())

    def _read_brokers(self) -> Conversation:
        (listed,) = yield (ops.WatchChildren(paths.BROKERS),)
        assert isinstance(listed, tuple)
        self._live_brokers = frozenset(int(name) for name in listed)
        self._on_ready()
