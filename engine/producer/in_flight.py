"""Unfinished batches of a sender: in flight, waiting behind one in flight, or in the back-off before a retry.

In the paper a producer gets no acknowledgement (section 3.1), and neither it nor a mirror of 0.7 retried for lack of
one: a batch is sent at once, and what the network or a crashing broker loses is lost. Acknowledgements and the retries
that they make possible are ours.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from engine.config import NEVER_US
from engine.events.base import Event
from engine.events.producing import AcknowledgementReceived, BatchLost
from engine.ids import BrokerId, TopicPartition
from engine.protocol.envelope import NO_ADDRESS, BatchLabel, RequestEnvelope, ResponseEnvelope, enclose
from engine.protocol.requests import ProduceRequest
from engine.protocol.responses import decode_acknowledgement
from engine.runtime.process import Process
from engine.runtime.scheduler import Timer
from engine.values import value

UNLIMITED_RETRIES = 1 << 62
NOT_IN_FLIGHT = 0

Layout = Callable[[str], Sequence[BrokerId]]
"""The broker of each partition of a topic."""


@value
class Departure:
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

    def sent(self, departure: Departure) -> Event:
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
class _Lane(Generic[SomeBatch]):
    """The unfinished batches of one lane, oldest first, and the state of the oldest.

    ``attempts`` counts how often it was sent; ``number`` is that of the attempt in flight, or ``NOT_IN_FLIGHT`` in
    the back-off before the next; ``timer`` ends the wait for its acknowledgement, or the back-off.
    """

    batches: deque[SomeBatch]
    attempts: int = 0
    number: int = NOT_IN_FLIGHT
    timer: Timer = field(default_factory=lambda: Timer(NEVER_US, lambda: None))


def always(lane: TopicPartition) -> bool:
    """Return True: the sender does not check whether a broker is running before it sends."""
    return True


class InFlightBatches(Generic[SomeBatch]):
    """The sender of a process. It keeps order within each *lane*: a producer's partition, a mirror's source partition.

    With acknowledgements a lane has one batch in flight at a time, and later ones wait behind it, also in the
    back-off before a retry. A batch fails when its broker is not running (``broker_down``), responds with an error, or
    does not respond in time (``not_acknowledged``). It is retried after ``fetch_backoff_us``, or abandoned when
    ``retries`` are used up; then the next one is sent. A failed attempt may still have been appended, so a retry may
    append twice. Without acknowledgements a batch is sent at once, unless an earlier one of its lane is unfinished.

    ``delivery`` is called for each attempt, so new settings apply from the next one on. ``reaches`` says whether a
    lane's broker is known to run: until then no unfinished batch is sent. ``on_free`` is called when a lane has none.
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
        self._lanes: dict[TopicPartition, _Lane[SomeBatch]] = {}
        self._in_flight: dict[int, TopicPartition] = {}

    @property
    def idle(self) -> bool:
        """Whether no lane has an unfinished batch."""
        return not self._lanes

    @property
    def busy_lanes(self) -> Sequence[TopicPartition]:
        """The lanes that have an unfinished batch."""
        return tuple(self._lanes)

    @property
    def waiting(self) -> int:
        """How many batches are unfinished and not in flight: behind another one, or in the back-off."""
        return sum(len(lane.batches) for lane in self._lanes.values()) - len(self._in_flight)

    @property
    def unfinished_bytes(self) -> int:
        """The bytes of all unfinished batches."""
        return sum(len(batch.message_set) for lane in self._lanes.values() for batch in lane.batches)

    def is_busy(self, lane: TopicPartition) -> bool:
        """Whether a lane has an unfinished batch."""
        return lane in self._lanes

    def oldest(self, lane: TopicPartition) -> SomeBatch:
        """The first unfinished batch of a busy lane."""
        return self._lanes[lane].batches[0]

    def send(self, lane: TopicPartition, batch: SomeBatch) -> None:
        """Send a batch after the unfinished ones of its lane."""
        if lane in self._lanes:
            self._lanes[lane].batches.append(batch)
        elif self._delivery().acknowledgement == "none":
            self._transmit(batch, lane, NO_ADDRESS)
        else:
            self._lanes[lane] = _Lane(deque([batch]))
            self._send_oldest(lane)

    def drop(self, lane: TopicPartition) -> None:
        """Forget the unfinished batches of a lane; one in flight may still arrive."""
        if lane in self._lanes:
            dropped = self._lanes.pop(lane)
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
            lane = self._in_flight.pop(number)
            self._lanes[lane].timer.cancel()
            self._finish_oldest(lane)
            self._send_oldest(lane)

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

    def _send_oldest(self, name: TopicPartition) -> None:
        """Send the first unfinished batch of a lane, or check again later; without acknowledgements all, one by one."""
        lane = self._lanes[name]
        while lane.batches:
            if not self._reaches(name):
                self._pause(name)
                return
            if self._delivery().acknowledgement == "broker":
                self._transmit(lane.batches[0], name, self._process.address)
                return
            self._transmit(lane.batches[0], name, NO_ADDRESS)
            self._finish_oldest(name)
        del self._lanes[name]
        self._on_free(name)

    def _finish_oldest(self, name: TopicPartition) -> None:
        lane = self._lanes[name]
        lane.batches.popleft()
        lane.attempts = 0
        lane.number = NOT_IN_FLIGHT

    def _pause(self, name: TopicPartition) -> None:
        self._lanes[name].timer = self._process.time.after(
            self._config.fetch_backoff_us, lambda: self._send_oldest(name)
        )

    def _fail(self, number: int, reason: str) -> None:
        """Treat the attempt in flight as failed: retry later, or abandon the batch."""
        name = self._in_flight.pop(number)
        lane = self._lanes[name]
        lane.timer.cancel()
        lane.number = NOT_IN_FLIGHT
        self.report_lost(number, lane.batches[0].partition, lane.batches[0].messages, reason)
        if lane.attempts <= self._delivery().retries:
            self._pause(name)
        else:
            self._finish_oldest(name)
            self._send_oldest(name)

    def _transmit(self, batch: SomeBatch, lane: TopicPartition, acknowledge_to: str) -> None:
        """Send one attempt of a batch, under a number of its own."""
        process = self._process
        topic, index = batch.partition
        broker = self._layout(topic)[index]
        number = process.machine.numbers.next("batch")
        label = BatchLabel(number, batch.messages, acknowledge_to)
        request = enclose(label, ProduceRequest(topic, index, batch.message_set))

        def departure(due_us: int) -> Event:
            return batch.sent(Departure(process.now_us, due_us, number, broker))

        process.send_flight(f"broker:{broker}", request, process.machine.latency, f"batch:{number}", departure)
        if acknowledge_to != NO_ADDRESS:
            self._await_acknowledgement(lane, number)

    def _await_acknowledgement(self, name: TopicPartition, number: int) -> None:
        lane = self._lanes[name]
        lane.attempts += 1
        lane.number = number
        lane.timer = self._process.time.after(
            self._config.fetch_timeout_us, lambda: self._fail(number, "not_acknowledged")
        )
        self._in_flight[number] = name
