"""A mirror: a consumer of one datacenter whose application is a producer into another (0.7: MirrorMaker).

The consuming half is a :class:`Consumer` like any other: the mirrors of a group share the
partitions. The producing half is here: it collects messages into sets and sends those through
:class:`~engine.producer.in_flight.InFlightBatches`, as the producer does.

Stored messages have no keys, so partition p of a topic goes to partition p mod n of its copy. Every key stays in one
partition and in order. Where n divides the number of partitions of the source, it is also the partition that a producer
of the copy would choose for that key.

As in the paper there are no acknowledgements: what the network or a crashing broker loses is lost, and the audit shows
it. A mirror that asks for acknowledgements (ours, not 0.7's) has one set of a partition in flight at a time, and
retries it until it is acknowledged. Then only what a broker had acknowledged and not flushed when it crashed is lost,
and more messages arrive twice.

An offset is committed after everything before it has been sent, so a mirror that crashes sends some messages twice and
loses none. A partition is not read while the registry does not list the broker of its copy. With acknowledgements,
offsets are committed after acknowledged messages only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.events.pipeline import BatchMirrored
from engine.ids import ConsumerId, TopicPartition
from engine.message.message_set import DeepMessage, Message, encode_message_set
from engine.producer.in_flight import UNLIMITED_RETRIES, Attempt, Delivery, InFlightBatches, Layout, SendingProcess
from engine.registry.live_brokers import LiveBrokers
from engine.runtime.process import Machine, ProcessTime
from engine.runtime.scheduler import Timer


def address_of(consumer: ConsumerId) -> str:
    """The address of a mirror's producing half on the network, and its name in the registry there."""
    return f"mirror:{consumer}"


@dataclass(frozen=True, slots=True)
class Route:
    """The target of a group of mirrors: the copy of each topic, and the registry that lists the brokers of the copies.

    ``acknowledgement`` says whether the mirrors ask for acknowledgements now: ``none`` or ``broker``.
    """

    copies: Mapping[str, str]
    registry: str
    layout: Layout
    acknowledgement: Callable[[], str]


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

    def sent(self, attempt: Attempt) -> BatchMirrored:
        """Make the event of an attempt to send it."""
        return BatchMirrored(
            attempt.at_us,
            attempt.due_us,
            attempt.number,
            self.consumer.group,
            self.consumer.name,
            self.source.topic,
            self.source.partition,
            self.offset,
            self.next_offset,
            self.partition.topic,
            self.partition.partition,
            attempt.broker,
            self.messages,
            len(self.message_set),
        )


@dataclass(slots=True)
class _Waiting:
    """Messages of one source partition that wait for their set to fill; the ``linger`` timer sends them before that."""

    messages: list[DeepMessage]
    linger: Timer


class Mirror(SendingProcess[MirroredBatch]):
    """The producing half of one mirror process, an :class:`~engine.consumer.application.Application`."""

    def __init__(
        self, consumer: ConsumerId, machine: Machine, time: ProcessTime, on_ready: Callable[[], None], route: Route
    ) -> None:
        """Share ``time`` with the consuming half; ``on_ready`` is called when more messages may be accepted."""
        super().__init__(address_of(consumer), machine, time)
        self._consumer = consumer
        self._route = route
        self._settings = machine.config.deployment
        self._waiting: dict[TopicPartition, _Waiting] = {}
        self._in_flight = InFlightBatches[MirroredBatch](
            self, route.layout, self._delivery, lambda partition: on_ready(), self._reaches
        )
        self._live_brokers = LiveBrokers(self, on_ready, route.registry)
        self.attach()
        self._live_brokers.open()

    def _delivery(self) -> Delivery:
        return Delivery(self._route.acknowledgement(), UNLIMITED_RETRIES)

    # --- application ---

    def accepts(self, partition: TopicPartition) -> bool:
        """Whether the registry lists the broker of the partition's copy, and no acknowledgement is outstanding."""
        return not self._in_flight.is_busy(partition) and self._reaches(partition)

    def take(self, partition: TopicPartition, offset: int, messages: Sequence[Message]) -> None:
        """Collect messages; a set is sent when it is full or its first message has lingered long enough."""
        most = self._settings.mirror_batch_messages
        for message in messages:
            waiting = self._waiting.get(partition) or self._begin(partition)
            waiting.messages.append(DeepMessage._make(message))
            if len(waiting.messages) >= most:
                self._send_set(partition)

    def flush(self) -> None:
        """Send everything that still waits, after what is not acknowledged yet."""
        for partition in list(self._waiting):
            self._send_set(partition)

    def offset_to_commit(self, partition: TopicPartition, consumed_offset: int) -> int:
        """The offset of the first message that is not acknowledged or still waits, else the consumed position."""
        if self._in_flight.is_busy(partition):
            return self._in_flight.oldest(partition).offset
        if partition in self._waiting:
            return self._waiting[partition].messages[0].offset
        return consumed_offset

    def release(self) -> None:
        """Send what waits; with acknowledgements, which would come too late, nothing: the next owner sends it."""
        if self._route.acknowledgement() == "none":
            self.flush()

    def move(self, partition: TopicPartition) -> None:
        """Send what waits if no acknowledgement follows; else drop it, with what is not acknowledged."""
        if self._route.acknowledgement() == "none" and partition in self._waiting:
            self._send_set(partition)
        self._drop(partition)

    def forget(self) -> None:
        """Drop what waits and retry nothing: the offsets were not committed, so the next owner sends it."""
        for partition in [*self._waiting, *self._in_flight.busy_partitions]:
            self._drop(partition)

    def _drop(self, partition: TopicPartition) -> None:
        if partition in self._waiting:
            self._waiting.pop(partition).linger.cancel()
        self._in_flight.drop(partition)

    def close(self) -> None:
        """Close the session in the other datacenter, without waiting for the response."""
        self.forget()
        self._live_brokers.close()
        self._end()

    def crash(self) -> None:
        """Crash with the process: send nothing more."""
        self.forget()
        self._end()

    def _end(self) -> None:
        self._live_brokers.abandon()
        self.detach()

    # --- collecting ---

    def _copy_of(self, partition: TopicPartition) -> TopicPartition:
        """Return the partition of the copy that a source partition's messages go to."""
        topic = self._route.copies[partition.topic]
        return TopicPartition(topic, partition.partition % len(self._route.layout(topic)))

    def _reaches(self, partition: TopicPartition) -> bool:
        """Whether the copy's registry lists the broker that a partition goes to."""
        topic, number = self._copy_of(partition)
        return self._route.layout(topic)[number] in self._live_brokers

    def _begin(self, partition: TopicPartition) -> _Waiting:
        linger_us = self._settings.mirror_linger_us
        waiting = _Waiting([], self.time.after(linger_us, lambda: self._send_set(partition)))
        self._waiting[partition] = waiting
        return waiting

    def _send_set(self, partition: TopicPartition) -> None:
        """Send the waiting messages of a partition as one set."""
        waiting = self._waiting.pop(partition)
        waiting.linger.cancel()
        messages = waiting.messages
        message_set = encode_message_set([message.payload for message in messages])
        offset, next_offset = messages[0].offset, messages[-1].next_offset
        copy = self._copy_of(partition)
        batch = MirroredBatch(self._consumer, partition, offset, next_offset, copy, len(messages), message_set)
        self._in_flight.send(partition, batch)
