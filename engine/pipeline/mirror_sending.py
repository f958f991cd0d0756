"""Sets of a mirror on their way into the other datacenter: put on the wire, told lost, sent again where that is asked.

Messages have no keys any more, so partition p of a topic goes to partition p mod n of its copy: every key stays in one
partition and in order, and where n divides the number of partitions of the source, it is also where a producer of the
copy would send that key.

As in the paper nobody acknowledges: what the wire or a dying broker loses is lost, and the audit shows it. A mirror
that asks for acknowledgements (ours, not 0.7's) sends one set of a partition at a time, and sends it again until the
broker has it. Then what is lost is what a broker had acknowledged and not flushed when it crashed; more comes twice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from engine.config import Config
from engine.events.base import Emit
from engine.events.pipeline import BatchMirrored
from engine.events.producing import AcknowledgementReceived, BatchLost
from engine.ids import BrokerId, ConsumerId, TopicPartition
from engine.message.message_set import DeepMessage, encode_message_set
from engine.protocol.messages import NOBODY, ProduceRequest, ProduceResponse
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import ProcessTime, Timer
from engine.runtime.sequence_numbers import SequenceNumbers

Layout = Callable[[str], Sequence[BrokerId]]


PAUSED = 0


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
class _Unsure:
    """A set of one partition of the source that is not acknowledged yet: ``timer`` ends the patience, or the pause.

    ``batch`` is 0 in the pause before it is sent again.
    """

    messages: Sequence[DeepMessage]
    batch: int
    timer: Timer


class MirrorSending:
    """What one mirror has on the wire. ``reaches`` says whether a partition's broker is known to be there, and
    ``on_free`` is told that a partition owes no acknowledgement any more and may be sent on.
    """

    def __init__(
        self,
        consumer: ConsumerId,
        time: ProcessTime,
        route: Route,
        world: World,
        *,
        reaches: Callable[[TopicPartition], bool],
        on_free: Callable[[TopicPartition], None],
    ) -> None:
        self.address = address_of(consumer)
        self._consumer = consumer
        self._time = time
        self._route = route
        self._world = world
        self._reaches = reaches
        self._on_free = on_free
        self._latency = Latency(world.config.network_latency_us, world.config.latency_jitter_permille)
        self._unsure: dict[TopicPartition, _Unsure] = {}

    def copy_of(self, partition: TopicPartition) -> TopicPartition:
        """Where a partition's messages go."""
        topic = self._route.copies[partition.topic]
        return TopicPartition(topic, partition.partition % len(self._world.layout(topic)))

    def broker_of(self, partition: TopicPartition) -> BrokerId:
        """The broker that has the copy of a partition."""
        return self._broker_with(self.copy_of(partition))

    def is_unsure(self, partition: TopicPartition) -> bool:
        """Whether a set of the partition is not acknowledged yet."""
        return partition in self._unsure

    def first_unsure_offset(self, partition: TopicPartition) -> int:
        """Where that set begins; there must be one."""
        return self._unsure[partition].messages[0].offset

    def unsure_partitions(self) -> Iterable[TopicPartition]:
        """The partitions with such a set."""
        return tuple(self._unsure)

    def drop(self, partition: TopicPartition) -> None:
        """Send nothing of a partition again."""
        if partition in self._unsure:
            self._unsure.pop(partition).timer.cancel()

    def send(self, partition: TopicPartition, messages: Sequence[DeepMessage]) -> None:
        """Put a set on the wire under a new number."""
        world = self._world
        message_set = encode_message_set([message.payload for message in messages])
        copy = self.copy_of(partition)
        broker = self._broker_with(copy)
        batch = world.numbers.next("batch")
        destination = f"broker:{broker}"
        due_us = world.network.due_us(self.address, destination, self._latency)
        mirrored = BatchMirrored(
            self._time.now_us,
            due_us,
            batch,
            self._consumer.group,
            self._consumer.name,
            partition.topic,
            partition.partition,
            messages[0].offset,
            messages[-1].next_offset,
            copy.topic,
            copy.partition,
            broker,
            len(messages),
            len(message_set),
        )
        world.emit(mirrored)
        acknowledge_to = NOBODY
        if world.acknowledgement() == "broker":
            acknowledge_to = self.address
            patience = self._time.after(
                world.config.fetch_timeout_us, lambda: self._fail(partition, batch, "not_acknowledged")
            )
            self._unsure[partition] = _Unsure(messages, batch, patience)
        request = ProduceRequest(batch, copy, len(messages), message_set, acknowledge_to)
        world.network.send_drawn(self.address, destination, request, f"batch:{batch}", mirrored, due_us)

    def take_acknowledgement(self, response: ProduceResponse) -> None:
        """A broker has answered."""
        batch = response.request.batch
        self._world.emit(AcknowledgementReceived(self._time.now_us, batch, response.error, self.address))
        for partition, unsure in self._unsure.items():
            if unsure.batch == batch:
                if response.error:
                    self._fail(partition, batch, response.error)
                else:
                    self._settle(partition)
                break

    def _settle(self, partition: TopicPartition) -> None:
        """The broker has it."""
        self._unsure.pop(partition).timer.cancel()
        self._on_free(partition)

    def _fail(self, partition: TopicPartition, batch: int, reason: str) -> None:
        """A set found nobody, was refused, or nothing was heard of it: send it again after a while."""
        unsure = self._unsure[partition]
        unsure.timer.cancel()
        self._tell_lost(batch, self.copy_of(partition), len(unsure.messages), reason)
        self._unsure[partition] = _Unsure(unsure.messages, PAUSED, self._again_later(partition))

    def _again_later(self, partition: TopicPartition) -> Timer:
        return self._time.after(self._world.config.fetch_backoff_us, lambda: self._again(partition))

    def _again(self, partition: TopicPartition) -> None:
        """Send a set again, as soon as the registry lists its broker."""
        messages = self._unsure[partition].messages
        if self._reaches(partition):
            del self._unsure[partition]
            self.send(partition, messages)
            if partition not in self._unsure:  # nobody asks for acknowledgements any more
                self._on_free(partition)
        else:
            self._unsure[partition] = _Unsure(messages, PAUSED, self._again_later(partition))

    def _tell_lost(self, batch: int, copy: TopicPartition, messages: int, reason: str) -> None:
        where = copy.topic, copy.partition, self._broker_with(copy)
        self._world.emit(BatchLost(self._time.now_us, batch, *where, messages, reason))

    def bounced(self, request: ProduceRequest) -> None:
        """A set found no broker: it is lost, unless it is to be acknowledged and still ours."""
        for partition, unsure in self._unsure.items():
            if unsure.batch == request.batch:
                self._fail(partition, request.batch, "broker_down")
                break
        else:
            self._tell_lost(request.batch, request.partition, request.messages, "broker_down")

    def _broker_with(self, copy: TopicPartition) -> BrokerId:
        return self._world.layout(copy.topic)[copy.partition]
