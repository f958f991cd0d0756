"""Unfinished batches of a sender: in flight, waiting behind one in flight, or in the back-off before a retry.

In the paper a producer gets no acknowledgement (section 3.1), and neither it nor a mirror of 0.7 retried for lack of
one: a batch is sent at once, and what the network or a crashing broker loses is lost. Acknowledgements and the retries
that they make possible are ours.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from engine.config import NEVER_US
from engine.events.base import Event
from engine.events.producing import AcknowledgementReceived, BatchLost
from engine.ids import BrokerId, TopicPartition
from engine.protocol.envelope import NO_ADDRESS, BatchLabel, RequestEnvelope, ResponseEnvelope, enclose
from engine.protocol.requests import ProduceRequest
from engine.protocol.responses import decode_acknowledgement
from engine.registry.live_brokers import LiveBrokers
from engine.runtime.process import Process
from engine.runtime.scheduler import Timer
from engine.values import value

UNLIMITED_RETRIES = 1 << 62
NOT_IN_FLIGHT = 0

Layout = Callable[[str], Sequence[BrokerId]]
"""The broker of each partition of a topic."""


@value
class Attempt:
    """One attempt to send a batch: when it is sent and due, its number (that of no other attempt), its broker."""

    at_us: int
    due_us: int
    number: int
    broker: BrokerId


class Batch(Protocol):
    """A message set for one partition."""

    @property
    def partition(self) -> TopicPartition:
        """The partition to append to."""

    @property
    def messages(self) -> int:
        """The number of messages."""

    @property
    def message_set(self) -> bytes:
        """The bytes to append."""

    def sent(self, attempt: Attempt) -> Event:
        """Make the event that reports an attempt; the attempt is drawn while it is in flight."""


SomeBatch = TypeVar("SomeBatch", bound=Batch)


@value
class Delivery:
    """A sender's settings: ``acknowledgement`` is ``none`` or ``broker``; ``retries`` limits the retries of a batch.

    Without acknowledgements no batch is known to have failed.
    """

    acknowledgement: str
    retries: int


@dataclass(slots=True)
class _PartitionQueue(Generic[SomeBatch]):
    """The unfinished batches of one partition, oldest first, and the state of the oldest.

    ``attempts`` counts how often it was sent; ``number`` is that of the attempt in flight, or ``NOT_IN_FLIGHT`` in
    the back-off before the next; ``timer`` ends the wait for its acknowledgement, or the back-off.
    """

    batches: deque[SomeBatch]
    attempts: int = 0
    number: int = NOT_IN_FLIGHT
    timer: Timer = field(default_factory=lambda: Timer(NEVER_US, lambda: None))


def always(partition: TopicPartition) -> bool:
    """Return True: the sender does not check whether a broker is running before it sends."""
    return True


class InFlightBatches(Generic[SomeBatch]):
    """The sender of a process. It keeps the order within a partition; for a mirror, that is the source partition.

    With acknowledgements a partition has one batch in flight at a time, and later ones wait behind it, also in the
    back-off before a retry. A batch fails when its broker is not running (``broker_down``), responds with an error, or
    does not respond in time (``not_acknowledged``). It is retried after ``fetch_backoff_us``, or abandoned when
    ``retries`` are used up; then the next one is sent. A failed attempt may still have been appended, so a retry may
    append twice. Without acknowledgements a batch is sent at once, unless an earlier one of the partition is
    unfinished.

    ``delivery`` is called for each attempt, so new settings apply from the next one on. ``reaches`` says whether a
    partition's broker is known to run: until then no unfinished batch is sent. ``on_free`` is called when a partition
    has no unfinished batch left.
    """

    def __init__(
        self,
        process: Process,
        layout: Layout,
        delivery: Callable[[], Delivery],
        on_free: Callable[[TopicPartition], None],
        reaches: Callable[[TopicPartition], bool] = always,
    ) -> None:
        self._process = process
        self._layout = layout
        self._config = process.machine.config
        self._delivery = delivery
        self._on_free = on_free
        self._reaches = reaches
        self._queues: dict[TopicPartition, _PartitionQueue[SomeBatch]] = {}
        self._in_flight: dict[int, TopicPartition] = {}

    @property
    def idle(self) -> bool:
        """Whether no partition has an unfinished batch."""
        return not self._queues

    @property
    def busy_partitions(self) -> Sequence[TopicPartition]:
        """The partitions that have an unfinished batch."""
        return tuple(self._queues)

    @property
    def waiting(self) -> int:
        """How many batches are unfinished and not in flight: behind another one, or in the back-off."""
        return sum(len(queue.batches) for queue in self._queues.values()) - len(self._in_flight)

    @property
    def unfinished_bytes(self) -> int:
        """The bytes of all unfinished batches."""
        return sum(len(batch.message_set) for queue in self._queues.values() for batch in queue.batches)

    def is_busy(self, partition: TopicPartition) -> bool:
        """Whether a partition has an unfinished batch."""
        return partition in self._queues

    def oldest(self, partition: TopicPartition) -> SomeBatch:
        """The first unfinished batch of a busy partition."""
        return self._queues[partition].batches[0]

    def send(self, partition: TopicPartition, batch: SomeBatch) -> None:
        """Send a batch after the unfinished ones of its partition."""
        if partition in self._queues:
            self._queues[partition].batches.append(batch)
        elif self._delivery().acknowledgement == "none":
            self._transmit(batch, partition, NO_ADDRESS)
        else:
            self._queues[partition] = _PartitionQueue(deque([batch]))
            self._send_oldest(partition)

    def drop(self, partition: TopicPartition) -> None:
        """Forget the unfinished batches of a partition; one in flight may still arrive."""
        if partition in self._queues:
            dropped = self._queues.pop(partition)
            dropped.timer.cancel()
            self._in_flight.pop(dropped.number, None)

    def take_acknowledgement(self, response: ResponseEnvelope) -> None:
        """Take an acknowledgement. One for an attempt that has failed or succeeded before changes nothing."""
        number = response.answers.batch.batch
        _, error = decode_acknowledgement(response.response.body)
        self._process.emit(AcknowledgementReceived(self._process.now_us, number, error, self._process.address))
        if number not in self._in_flight:
            return
        if error:
            self._fail(number, error)
        else:
            partition = self._in_flight.pop(number)
            self._queues[partition].timer.cancel()
            self._finish_oldest(partition)
            self._send_oldest(partition)

    def bounced(self, request: RequestEnvelope) -> None:
        """Handle an attempt that found no broker: it is lost, and retried if it is still awaited."""
        label = request.batch
        if label.batch in self._in_flight:
            self._fail(label.batch, "broker_down")
        else:
            self.report_lost(label.batch, request.partition, label.messages, "broker_down")

    def report_lost(self, number: int, partition: TopicPartition, messages: int, reason: str) -> None:
        """Journal that an attempt reached no log, or that it is not known whether it did."""
        topic, index = partition
        broker = self._layout(topic)[index]
        self._process.emit(BatchLost(self._process.now_us, number, topic, index, broker, messages, reason))

    def _send_oldest(self, partition: TopicPartition) -> None:
        """Send the first unfinished batch of a partition, or check again later; without acknowledgements, send all."""
        queue = self._queues[partition]
        while queue.batches:
            if not self._reaches(partition):
                self._pause(partition)
                return
            if self._delivery().acknowledgement == "broker":
                self._transmit(queue.batches[0], partition, self._process.address)
                return
            self._transmit(queue.batches[0], partition, NO_ADDRESS)
            self._finish_oldest(partition)
        del self._queues[partition]
        self._on_free(partition)

    def _finish_oldest(self, partition: TopicPartition) -> None:
        queue = self._queues[partition]
        queue.batches.popleft()
        queue.attempts = 0
        queue.number = NOT_IN_FLIGHT

    def _pause(self, partition: TopicPartition) -> None:
        self._queues[partition].timer = self._process.time.after(
            self._config.fetch_backoff_us, lambda: self._send_oldest(partition)
        )

    def _fail(self, number: int, reason: str) -> None:
        """Treat the attempt in flight as failed: retry later, or abandon the batch."""
        partition = self._in_flight.pop(number)
        queue = self._queues[partition]
        queue.timer.cancel()
        queue.number = NOT_IN_FLIGHT
        self.report_lost(number, queue.batches[0].partition, queue.batches[0].messages, reason)
        if queue.attempts <= self._delivery().retries:
            self._pause(partition)
        else:
            self._finish_oldest(partition)
            self._send_oldest(partition)

    def _transmit(self, batch: SomeBatch, partition: TopicPartition, acknowledge_to: str) -> None:
        """Send one attempt of a batch, under a number of its own."""
        process = self._process
        topic, index = batch.partition
        broker = self._layout(topic)[index]
        number = process.machine.numbers.next("batch")
        label = BatchLabel(number, batch.messages, acknowledge_to)
        request = enclose(label, ProduceRequest(topic, index, batch.message_set))

        def departure(due_us: int) -> Event:
            return batch.sent(Attempt(process.now_us, due_us, number, broker))

        process.send_flight(f"broker:{broker}", request, process.machine.latency, f"batch:{number}", departure)
        if acknowledge_to != NO_ADDRESS:
            self._await_acknowledgement(partition, number)

    def _await_acknowledgement(self, partition: TopicPartition, number: int) -> None:
        queue = self._queues[partition]
        queue.attempts += 1
        queue.number = number
        queue.timer = self._process.time.after(
            self._config.fetch_timeout_us, lambda: self._fail(number, "not_acknowledged")
        )
        self._in_flight[number] = partition


class SendingProcess(Process, Generic[SomeBatch]):
    """A process that sends batches to the live brokers of a datacenter; a subclass sets both attributes."""

    _in_flight: InFlightBatches[SomeBatch]
    _live_brokers: LiveBrokers

    def handle(self, source: str, message: Any) -> None:
        """Receive an acknowledgement, or a message from the registry."""
        if isinstance(message, ResponseEnvelope):
            self._in_flight.take_acknowledgement(message)
        else:
            self._live_brokers.receive(message)

    def handle_bounce(self, destination: str, message: Any) -> None:
        """Handle a message set that found no broker."""
        if isinstance(message, RequestEnvelope):
            self._in_flight.bounced(message)
