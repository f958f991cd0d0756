"""A mirror: a consumer of one datacenter whose application is a producer into another (0.7: MirrorMaker).

The consuming half is a :class:`Consumer` like any other: the mirrors of a group share the partitions
out. The producing half is here: it collects messages into sets, and :mod:`~engine.pipeline.mirror_sending` sends those.

Positions are committed after everything before them has been handed over to the wire, so a mirror that crashes sends
some messages twice and loses none. A partition whose broker is not in the registry is not read on until it is. Where
acknowledgements are asked for, positions are committed behind acknowledged messages only.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.events.registry import WatchDelivered
from engine.ids import ConsumerId, TopicPartition
from engine.message.decoding import Message
from engine.message.message_set import DeepMessage
from engine.pipeline.mirror_sending import MirrorSending, Route, World, address_of
from engine.protocol.messages import ProduceRequest, ProduceResponse
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import Conversation, RegistryClient
from engine.registry.session import SessionListener
from engine.runtime.network import Unheard
from engine.runtime.scheduler import ProcessTime, Timer


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
        self._time = time
        self._on_ready = on_ready
        self._world = world
        self._waiting: dict[TopicPartition, _Waiting] = {}
        self._sending = MirrorSending(consumer, time, route, world, reaches=self._reaches, on_free=self._go_on)
        self._unheard: deque[Unheard] = deque()
        self._live_brokers: frozenset[int] = frozenset()
        listener = SessionListener(self._watch_brokers, self._open, lambda: None)
        self._registry = RegistryClient(self.address, time, world.network, world.config, listener, route.registry)
        world.network.attach(self.address, self)
        self._open()

    def _open(self) -> None:
        self._registry.open()

    # --- application ---

    def accepts(self, partition: TopicPartition) -> bool:
        """Whether the registry lists the broker that the partition goes to, and it owes us no acknowledgement."""
        return not self._sending.is_unsure(partition) and self._reaches(partition)

    def take(self, partition: TopicPartition, offset: int, messages: Sequence[Message]) -> None:
        """Collect messages; a set leaves when it is full or its first message has lingered long enough."""
        most = self._world.config.deployment.mirror_batch_messages
        for next_offset, payload in messages:
            waiting = self._waiting.get(partition) or self._begin(partition, [])
            waiting.messages.append(DeepMessage(offset, next_offset, payload))
            offset = next_offset
            if len(waiting.messages) >= most:
                self._ship(partition)

    def hand_over(self) -> None:
        """Send everything that still waits, as far as acknowledgements are not to be waited for."""
        for partition in list(self._waiting):
            self._ship(partition)

    def settled_offset(self, partition: TopicPartition, consumed_offset: int) -> int:
        """Where the first message begins that is not acknowledged, or still waits."""
        if self._sending.is_unsure(partition):
            return self._sending.first_unsure_offset(partition)
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
        for partition in [*self._waiting, *self._sending.unsure_partitions()]:
            self._drop(partition)

    def _drop(self, partition: TopicPartition) -> None:
        if partition in self._waiting:
            self._waiting.pop(partition).linger.cancel()
        self._sending.drop(partition)

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

    def _reaches(self, partition: TopicPartition) -> bool:
        """Whether the registry there lists the broker that a partition goes to."""
        return self._sending.broker_of(partition) in self._live_brokers

    def _begin(self, partition: TopicPartition, messages: list[DeepMessage]) -> _Waiting:
        linger_us = self._world.config.deployment.mirror_linger_us
        linger = self._time.after(linger_us, lambda: self._ship(partition))
        self._waiting[partition] = _Waiting(messages, linger)
        return self._waiting[partition]

    def _ship(self, partition: TopicPartition) -> None:
        """Send what waits of a partition, or let it wait while something before it is not acknowledged."""
        if self._sending.is_unsure(partition):
            return
        waiting = self._waiting.pop(partition)
        waiting.linger.cancel()
        most = self._world.config.deployment.mirror_batch_messages
        if len(waiting.messages) > most:
            self._begin(partition, waiting.messages[most:])
        self._sending.send(partition, waiting.messages[:most])

    def _go_on(self, partition: TopicPartition) -> None:
        """Send what has waited long enough for this, and take more."""
        most = self._world.config.deployment.mirror_batch_messages
        waiting = self._waiting.get(partition)
        if waiting is not None and (len(waiting.messages) >= most or not waiting.linger.pending):
            self._ship(partition)
        self._on_ready()

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Hear the registry, and brokers if acknowledgements were asked for, as soon as the process is awake."""
        if self._time.stalled:
            self._unheard.append(Unheard(source, message, self._world.network.put_off()))
            self._time.after(0, self._hear)
        elif isinstance(message, ProduceResponse):
            self._sending.take_acknowledgement(message)
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
            self._sending.bounced(message)

    def _watch_brokers(self) -> None:
        self._registry.start(self._read_brokers())

    def _read_brokers(self) -> Conversation:
        (listed,) = yield (ops.WatchChildren(paths.BROKERS),)
        assert isinstance(listed, tuple)
        self._live_brokers = frozenset(int(name) for name in listed)
        self._on_ready()
