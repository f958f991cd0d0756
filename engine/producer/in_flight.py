"""Batches on their way to brokers: in flight, waiting behind one in flight, or in the pause before a retry.

In the paper a producer hears nothing back (section 3.1), and neither it nor a mirror of 0.7 retried by acknowledgement:
a batch leaves at once, and what the wire or a dying broker loses is lost. Acknowledgements and the retries that follow
from them are ours.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from engine.config import NEVER_US, Config
from engine.events.base import Emit, Event
from engine.events.producing import AcknowledgementReceived, BatchLost
from engine.ids import BrokerId, TopicPartition
from engine.protocol.messages import NOBODY, ProduceRequest, ProduceResponse
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import Timer, Timers
from engine.runtime.sequence_numbers import SequenceNumbers
from engine.values import value

UNLIMITED_RETRIES = 1 << 62
NOT_IN_FLIGHT = 0

Layout = Callable[[str], Sequence[BrokerId]]
"""The broker of each partition of a topic."""


@value
class Departure:
    """One attempt at sending a batch: its number, which no other attempt has, its broker, and when it lands."""

    at_us: int
    due_us: int
    number: int
    broker: BrokerId


class Batch(Protocol):
    """A message set for one partition."""

    @property
    def partition(self) -> TopicPartition:
        """Where it is to be appended."""

    @property
    def messages(self) -> int:
        """How many messages it has."""

    @property
    def message_set(self) -> bytes:
        """What is appended."""

    def sent(self, departure: Departure) -> Event:
        """The event that tells of an attempt, and is drawn while it travels."""


SomeBatch = TypeVar("SomeBatch", bound=Batch)


@value
class Delivery:
    """What a sender asks for now: ``acknowledgement`` ``none`` or ``broker``, and how often a failed batch is retried.

    Without acknowledgements nothing is known to have failed.
    """

    acknowledgement: str
    retries: int


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a sender needs around it."""

    config: Config
    timers: Timers
    network: Network
    emit: Emit
    numbers: SequenceNumbers
    layout: Layout


@dataclass(slots=True)
class _Lane(Generic[SomeBatch]):
    """The unfinished batches of one lane, oldest first, and what became of the oldest.

    ``attempts`` counts how often that was sent; ``number`` is that of the attempt in flight, or ``NOT_IN_FLIGHT`` in
    the pause before the next; ``timer`` ends the wait for its acknowledgement, or the pause.
    """

    batches: deque[SomeBatch]
    attempts: int = 0
    number: int = NOT_IN_FLIGHT
    timer: Timer = field(default_factory=lambda: Timer(NEVER_US, lambda: None))


def always(lane: TopicPartition) -> bool:
    """A sender that does not ask whether a broker is there before it sends."""
    return True


class InFlightBatches(Generic[SomeBatch]):
    """One process's sender: keeps order within each *lane*, the producer's partition or the mirror's source partition.

    With acknowledgements a lane has one batch in flight at a time, and later ones wait behind it, also in the pause
    before a retry. A batch fails when its broker is not there (``broker_down``), answers with an error, or does not
    answer in time (``not_acknowledged``); it is retried after ``fetch_backoff_us``, or given up when ``retries`` are
    used up, and then the next one goes. An attempt that failed may have been appended all the same, so a retry may
    append twice. Without acknowledgements a batch leaves at once, unless an earlier one of its lane is unfinished.

    ``delivery`` is asked for each attempt, so new settings hold from the next one on. ``reaches`` says whether a lane's
    broker is known to be there: until then no unfinished batch is sent. ``on_free`` is called when a lane has none.
    """

    def __init__(
        self,
        address: str,
        around: Surroundings,
        delivery: Callable[[], Delivery],
        on_free: Callable[[TopicPartition], None],
        reaches: Callable[[TopicPartition], bool] = always,
    ) -> None:
        self._address = address
        self._around = around
        self._delivery = delivery
        self._on_free = on_free
        self._reaches = reaches
        self._latency = Latency(around.config.network_latency_us, around.config.latency_jitter_permille)
        self._lanes: dict[TopicPartition, _Lane[SomeBatch]] = {}
        self._in_flight: dict[int, TopicPartition] = {}

    @property
    def idle(self) -> bool:
        """Whether no lane has an unfinished batch."""
        return not self._lanes

    @property
    def busy_lanes(self) -> Sequence[TopicPartition]:
        """The lanes that have one."""
        return tuple(self._lanes)

    @property
    def waiting(self) -> int:
        """How many batches are unfinished and not in flight: behind another one, or in the pause before a retry."""
        return sum(len(lane.batches) for lane in self._lanes.values()) - len(self._in_flight)

    def is_busy(self, lane: TopicPartition) -> bool:
        """Whether a lane has an unfinished batch."""
        return lane in self._lanes

    def oldest(self, lane: TopicPartition) -> SomeBatch:
        """The first unfinished batch of a busy lane."""
        return self._lanes[lane].batches[0]

    def send(self, lane: TopicPartition, batch: SomeBatch) -> None:
        """Send a batch behind those of its lane that are unfinished."""
        if lane in self._lanes:
            self._lanes[lane].batches.append(batch)
        elif self._delivery().acknowledgement == "none":
            self._transmit(batch, lane, NOBODY)
        else:
            self._lanes[lane] = _Lane(deque([batch]))
            self._send_oldest(lane)

    def drop(self, lane: TopicPartition) -> None:
        """Forget the unfinished batches of a lane; what is in flight still travels."""
        if lane in self._lanes:
            dropped = self._lanes.pop(lane)
            dropped.timer.cancel()
            self._in_flight.pop(dropped.number, None)

    def take_acknowledgement(self, response: ProduceResponse) -> None:
        """A broker has answered. The answer to an attempt that has failed or succeeded before changes nothing."""
        number = response.request.batch
        self._around.emit(AcknowledgementReceived(self._around.timers.now_us, number, response.error, self._address))
        if number not in self._in_flight:
            return
        if response.error:
            self._fail(number, response.error)
        else:
            lane = self._in_flight.pop(number)
            self._lanes[lane].timer.cancel()
            self._finish_oldest(lane)
            self._send_oldest(lane)

    def bounced(self, request: ProduceRequest) -> None:
        """An attempt found no broker. It is lost and, unless it was given up before or wants no answer, retried."""
        if request.batch in self._in_flight:
            self._fail(request.batch, "broker_down")
        else:
            self.tell_lost(request.batch, request.partition, request.messages, "broker_down")

    def tell_lost(self, number: int, partition: TopicPartition, messages: int, reason: str) -> None:
        """Journal that an attempt reached nobody, or that nobody knows whether it did."""
        topic, index = partition
        broker = self._around.layout(topic)[index]
        self._around.emit(BatchLost(self._around.timers.now_us, number, topic, index, broker, messages, reason))

    def _send_oldest(self, name: TopicPartition) -> None:
        """Send the first unfinished batch of a lane, or look again later; without acknowledgements all, one by one."""
        lane = self._lanes[name]
        while lane.batches:
            if not self._reaches(name):
                self._pause(name)
                return
            if self._delivery().acknowledgement == "broker":
                self._transmit(lane.batches[0], name, self._address)
                return
            self._transmit(lane.batches[0], name, NOBODY)
            self._finish_oldest(name)
        del self._lanes[name]
        self._on_free(name)

    def _finish_oldest(self, name: TopicPartition) -> None:
        lane = self._lanes[name]
        lane.batches.popleft()
        lane.attempts = 0
        lane.number = NOT_IN_FLIGHT

    def _pause(self, name: TopicPartition) -> None:
        self._lanes[name].timer = self._around.timers.after(
            self._around.config.fetch_backoff_us, lambda: self._send_oldest(name)
        )

    def _fail(self, number: int, reason: str) -> None:
        """The attempt in flight has failed, as far as anybody knows: retry later, or give the batch up."""
        name = self._in_flight.pop(number)
        lane = self._lanes[name]
        lane.timer.cancel()
        lane.number = NOT_IN_FLIGHT
        self.tell_lost(number, lane.batches[0].partition, lane.batches[0].messages, reason)
        if lane.attempts <= self._delivery().retries:
            self._pause(name)
        else:
            self._finish_oldest(name)
            self._send_oldest(name)

    def _transmit(self, batch: SomeBatch, lane: TopicPartition, acknowledge_to: str) -> None:
        """Put a batch on the wire under a number of its own."""
        network, now_us = self._around.network, self._around.timers.now_us
        topic, index = batch.partition
        broker = self._around.layout(topic)[index]
        number = self._around.numbers.next("batch")
        destination = f"broker:{broker}"
        due_us = network.due_us(self._address, destination, self._latency)
        sent = batch.sent(Departure(now_us, due_us, number, broker))
        self._around.emit(sent)
        if acknowledge_to != NOBODY:
            self._await_acknowledgement(lane, number)
        request = ProduceRequest(number, batch.partition, batch.messages, batch.message_set, acknowledge_to)
        network.send_drawn(self._address, destination, request, f"batch:{number}", sent, due_us)

    def _await_acknowledgement(self, name: TopicPartition, number: int) -> None:
        lane = self._lanes[name]
        lane.attempts += 1
        lane.number = number
        lane.timer = self._around.timers.after(
            self._around.config.fetch_timeout_us, lambda: self._fail(number, "not_acknowledged")
        )
        self._in_flight[number] = name
