"""A mirror: a consumer of one datacenter whose application is a producer into another (0.7: MirrorMaker).

The consuming half is a :class:`Consumer` like any other: the mirrors of a group share the partitions
out. The producing half is here: it collects messages into sets and sends those through
:class:`~engine.producer.in_flight.InFlightBatches`, as the producer does.

Messages have no keys any more, so partition p of a topic goes to partition p mod n of its copy: every key stays in one
partition and in order, and where n divides the number of partitions of the source, it is also where a producer of the
copy would send that key.

As in the paper nobody acknowledges: what the wire or a dying broker loses is lost, and the audit shows it. A mirror
that asks for acknowledgements (ours, not 0.7's) has one set of a partition in flight at a time, and retries it until
the broker has it. Then what is lost is what a broker had acknowledged and not flushed when it crashed, and more comes
twice.

Positions are committed after everything before them has been handed over to the wire, so a mirror that crashes sends
some messages twice and loses none. A partition whose broker is not in the registry is not read on until it is. Where
acknowledgements are asked for, positions are committed behind acknowledged messages only.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.config import Config
from engine.events.base import Emit
from engine.events.pipeline import BatchMirrored
from engine.events.registry import WatchDelivered
from engine.ids import ConsumerId, TopicPartition
from engine.message.message_set import DeepMessage, Message, encode_message_set
from engine.producer.in_flight import UNLIMITED_RETRIES, Delivery, Departure, InFlightBatches, Layout, Surroundings
from engine.protocol.messages import ProduceRequest, ProduceResponse
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import Conversation, RegistryClient
from engine.registry.session import SessionListener
from engine.runtime.network import Network, Unheard
from engine.runtime.scheduler import ProcessTime, Timer
from engine.runtime.sequence_numbers import SequenceNumbers


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
    numbers: SequenceNumbers
    layout: Layout
    acknowledgement: Callable[[], str]
    """Whether the mirrors ask for acknowledgements now: ``none`` or ``broker``."""


@dataclass(frozen=True, slots=True)
class MirroredBatch:
    """A message set with the messages ``offset`` to ``next_offset`` of a source partition, for its copy."""

    consumer: ConsumerId
    source: TopicPartition
    offset: int
    next_offset: int
    partition: TopicPartition
    messages: int
    message_set: bytes

    def sent(self, departure: Departure) -> BatchMirrored:
        """An attempt at sending it."""
        return BatchMirrored(
            departure.at_us,
            departure.due_us,
            departure.number,
            self.consumer.group,
            self.consumer.name,
            self.source.topic,
            self.source.partition,
            self.offset,
            self.next_offset,
            self.partition.topic,
            self.partition.partition,
            departure.broker,
            self.messages,
            len(self.message_set),
        )


@dataclass(slots=True)
class _Waiting:
    """Messages of one partition of the source that wait for company."""

    messages: list[DeepMessage]
    linger: Timer


class Mirror:
    """The producing half of one mirror process, an :class:`~engine.consumer.application.Application`."""

    def __init__(
        self, consumer: ConsumerId, time: ProcessTime, on_ready: Callable[[], None], route: Route, world: World
    ) -> None:
        self.address = address_of(consumer)
        self._consumer = consumer
        self._time = time
        self._on_ready = on_ready
        self._route = route
        self._world = world
        self._waiting: dict[TopicPartition, _Waiting] = {}
        around = Surroundings(world.config, time, world.network, world.emit, world.numbers, world.layout)
        self._in_flight = InFlightBatches[MirroredBatch](
            self.address, around, self._delivery, lambda partition: on_ready(), self._reaches
        )
        self._unheard: deque[Unheard] = deque()
        self._live_brokers: frozenset[int] = frozenset()
        listener = SessionListener(self._watch_brokers, self._open, lambda: None)
        self._registry = RegistryClient(self.address, time, world.network, world.config, listener, route.registry)
        world.network.attach(self.address, self)
        self._open()

    def _open(self) -> None:
        self._registry.open()

    def _delivery(self) -> Delivery:
        return Delivery(self._world.acknowledgement(), UNLIMITED_RETRIES)

    # --- application ---

    def accepts(self, partition: TopicPartition) -> bool:
        """Whether the registry lists the broker that the partition goes to, and it owes us no acknowledgement."""
        return not self._in_flight.is_busy(partition) and self._reaches(partition)

    def take(self, partition: TopicPartition, offset: int, messages: Sequence[Message]) -> None:
        """Collect messages; a set leaves when it is full or its first message has lingered long enough."""
        most = self._world.config.deployment.mirror_batch_messages
        for message in messages:
            waiting = self._waiting.get(partition) or self._begin(partition)
            waiting.messages.append(DeepMessage._make(message))
            if len(waiting.messages) >= most:
                self._ship(partition)

    def hand_over(self) -> None:
        """Send everything that still waits, behind what is not acknowledged yet."""
        for partition in list(self._waiting):
            self._ship(partition)

    def settled_offset(self, partition: TopicPartition, consumed_offset: int) -> int:
        """Where the first message begins that is not acknowledged, or still waits."""
        if self._in_flight.is_busy(partition):
            return self._in_flight.oldest(partition).offset
        if partition in self._waiting:
            return self._waiting[partition].messages[0].offset
        return consumed_offset

    def release(self) -> None:
        """Hand everything over; or nothing where acknowledgements would come too late: another takes it up."""
        if self._world.acknowledgement() == "none":
            self.hand_over()

    def move(self, partition: TopicPartition) -> None:
        """Hand over what waits, where no acknowledgement follows; else drop it, with what is not acknowledged."""
        if self._world.acknowledgement() == "none" and partition in self._waiting:
            self._ship(partition)
        self._drop(partition)

    def forget(self) -> None:
        """Send nothing of what waits, and nothing again: its positions were not committed, another takes it up."""
        for partition in [*self._waiting, *self._in_flight.busy_lanes]:
            self._drop(partition)

    def _drop(self, partition: TopicPartition) -> None:
        if partition in self._waiting:
            self._waiting.pop(partition).linger.cancel()
        self._in_flight.drop(partition)

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
        """Nobody takes what waited for the process to wake up."""
        self._registry.abandon()
        self._world.network.detach(self.address)
        for unheard in self._unheard:
            unheard.take()
            self._world.network.give_up(unheard.message)

    # --- collecting ---

    def _copy_of(self, partition: TopicPartition) -> TopicPartition:
        """Where a partition's messages go."""
        topic = self._route.copies[partition.topic]
        return TopicPartition(topic, partition.partition % len(self._world.layout(topic)))

    def _reaches(self, partition: TopicPartition) -> bool:
        """Whether the registry there lists the broker that a partition goes to."""
        topic, number = self._copy_of(partition)
        return self._world.layout(topic)[number] in self._live_brokers

    def _begin(self, partition: TopicPartition) -> _Waiting:
        linger_us = self._world.config.deployment.mirror_linger_us
        waiting = _Waiting([], self._time.after(linger_us, lambda: self._ship(partition)))
        self._waiting[partition] = waiting
        return waiting

    def _ship(self, partition: TopicPartition) -> None:
        """Send what waits of a partition."""
        waiting = self._waiting.pop(partition)
        waiting.linger.cancel()
        messages = waiting.messages
        message_set = encode_message_set([message.payload for message in messages])
        offset, next_offset = messages[0].offset, messages[-1].next_offset
        copy = self._copy_of(partition)
        batch = MirroredBatch(self._consumer, partition, offset, next_offset, copy, len(messages), message_set)
        self._in_flight.send(partition, batch)

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Hear the registry, and brokers if acknowledgements were asked for, as soon as the process is awake."""
        if self._time.stalled:
            self._unheard.append(Unheard(source, message, self._world.network.put_off()))
            self._time.after(0, self._hear)
        elif isinstance(message, ProduceResponse):
            self._in_flight.take_acknowledgement(message)
        elif not self._registry.heard(message):
            self._world.emit(WatchDelivered(self._time.now_us, message.watch))
            self._watch_brokers()

    def _hear(self) -> None:
        unheard = self._unheard.popleft()
        unheard.take()
        self.receive(unheard.source, unheard.message)

    def bounced(self, destination: str, message: Any) -> None:
        """A set found no broker."""
        if isinstance(message, ProduceRequest):
            self._in_flight.bounced(message)

    def _watch_brokers(self) -> None:
        self._registry.start(self._read_brokers())

    def _read_brokers(self) -> Conversation:
        (listed,) = yield (ops.WatchChildren(paths.BROKERS),)
        assert isinstance(listed, tuple)
        self._live_brokers = frozenset(int(name) for name in listed)
        self._on_ready()
