"""One pulled partition: a fetch position, a consumed position, and the messages between them.

Belongs to a consumer that owns the partition, from the moment it has read the stored offset until it releases
the partition (the paper's thread per partition; 0.7 has one per broker).
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from engine import events
from engine.config import Config, ConsumerSettings
from engine.errors import OffsetscopeError
from engine.events import Emit
from engine.ids import BrokerId, ConsumerId, TopicPartition
from engine.message import DeepMessage, iterate_deep
from engine.network import Latency, Network
from engine.numbers import Numbers
from engine.protocol import FetchRequest, FetchResponse
from engine.scheduler import Scheduler, Timer

NOTHING_IN_FLIGHT = 0


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a fetcher needs of the world around its consumer."""

    config: Config
    scheduler: Scheduler
    network: Network
    emit: Emit
    numbers: Numbers
    settings: Callable[[], ConsumerSettings]
    paused: Callable[[], bool]
    on_messages: Callable[[], None]
    on_out_of_range: Callable[["Fetcher"], None]


class Fetcher:
    """The pulling of one partition by one consumer."""

    def __init__(
        self,
        wiring: Wiring,
        address: str,
        consumer: ConsumerId,
        partition: TopicPartition,
        broker: BrokerId,
        offset: int,
    ) -> None:
        self.partition = partition
        self.broker = broker
        self.fetch_offset = offset
        self.consumed_offset = offset
        self.error = ""
        self.buffered: deque[DeepMessage] = deque()
        self._wiring = wiring
        self._address = address
        self._consumer = consumer
        self._latency = Latency(wiring.config.network_latency_us, wiring.config.latency_jitter_permille)
        self._in_flight = NOTHING_IN_FLIGHT
        self._last_poll_us = wiring.scheduler.now_us
        self._timer: Timer | None = None
        now_us = wiring.scheduler.now_us
        wiring.emit(
            events.PullingStarted(now_us, consumer.group, consumer.name, partition.topic, partition.partition, offset)
        )

    # --- pulling ---

    def poll_after(self, delay_us: int) -> None:
        """Pull in ``delay_us``, unless a pull is under way, the consumer is paused or the bytes are damaged."""
        if self._in_flight or self.error or self._wiring.paused():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._wiring.scheduler.after(delay_us, self._poll)

    def poll_when_due(self) -> None:
        """Pull as soon as the poll interval since the last pull has passed."""
        due_us = self._last_poll_us + self._wiring.settings().poll_interval_ms * 1000
        self.poll_after(max(0, due_us - self._wiring.scheduler.now_us))

    def hold(self) -> None:
        """Pull no more for now (a paused consumer); what is under way still arrives."""
        if self._timer is not None:
            self._timer.cancel()

    def stop(self) -> None:
        """Give the partition up: drop what is buffered, ignore what is under way."""
        self.hold()
        self.buffered.clear()
        self._in_flight = NOTHING_IN_FLIGHT
        partition = self.partition
        self._wiring.emit(
            events.PullingStopped(
                self._wiring.scheduler.now_us,
                self._consumer.group,
                self._consumer.name,
                partition.topic,
                partition.partition,
            )
        )

    def jump(self, offset: int) -> None:
        """Go on from ``offset``, wherever we were; the bytes of a pull under way will not count."""
        self.buffered.clear()
        self._in_flight = NOTHING_IN_FLIGHT
        self.error = ""
        self.fetch_offset = offset
        self.consumed_offset = offset

    def _poll(self) -> None:
        wiring = self._wiring
        now_us = wiring.scheduler.now_us
        self._last_poll_us = now_us
        self._in_flight = wiring.numbers.next("fetch")
        max_bytes = wiring.settings().fetch_bytes
        request = FetchRequest(
            self._in_flight, self._consumer.group, self._consumer.name, self.partition, self.fetch_offset, max_bytes
        )
        destination = f"broker:{self.broker}"
        due_us = wiring.network.due_us(self._address, destination, self._latency)
        sent = events.FetchSent(
            now_us,
            due_us,
            self._in_flight,
            self._consumer.group,
            self._consumer.name,
            self.partition.topic,
            self.partition.partition,
            self.broker,
            self.fetch_offset,
            max_bytes,
        )
        wiring.emit(sent)
        wiring.network.send_drawn(self._address, destination, request, f"fetch:{self._in_flight}", sent, due_us)

    # --- answers ---

    def receive(self, response: FetchResponse) -> None:
        """Take the bytes of a pull apart, or begin anew where they are not to be trusted."""
        request = response.request
        if request.fetch != self._in_flight:
            self.fail(request, "stopped")
            return
        self._in_flight = NOTHING_IN_FLIGHT
        if response.error:
            self._tell_received(request, 0, 0)
            self._wiring.on_out_of_range(self)
            return
        messages, error = decode(response.data, request.offset)
        self.buffered.extend(messages)
        if messages:
            self.fetch_offset = messages[-1].next_offset
        self._tell_received(request, len(messages), len(response.data))
        if error:
            self.reject(error)
        elif messages:
            self._wiring.on_messages()
        else:
            self.poll_after(max(self._wiring.config.fetch_backoff_us, self._wiring.settings().poll_interval_ms * 1000))

    def lost(self, request: FetchRequest) -> None:
        """A pull found no broker: try again after the back-off."""
        current = request.fetch == self._in_flight
        self.fail(request, "broker_down" if current else "stopped")
        if current:
            self._in_flight = NOTHING_IN_FLIGHT
            self.poll_after(self._wiring.config.fetch_backoff_us)

    def fail(self, request: FetchRequest, reason: str) -> None:
        """Tell that a pull came to nothing."""
        tell_failed(self._wiring.emit, self._wiring.scheduler.now_us, request, reason)

    def reject(self, error: str) -> None:
        """Read no further: the next bytes are damaged, or a message is larger than a pull."""
        self.error = error
        partition = self.partition
        self._wiring.emit(
            events.MessageRejected(
                self._wiring.scheduler.now_us,
                self._consumer.group,
                self._consumer.name,
                partition.topic,
                partition.partition,
                self.fetch_offset,
                error,
            )
        )
        if self.buffered:
            self._wiring.on_messages()

    def _tell_received(self, request: FetchRequest, messages: int, size: int) -> None:
        self._wiring.emit(
            events.FetchReceived(
                self._wiring.scheduler.now_us,
                request.fetch,
                request.group,
                request.consumer,
                request.partition.topic,
                request.partition.partition,
                request.offset,
                self.fetch_offset,
                messages,
                size,
            )
        )

    # --- consuming ---

    def take(self, most: int) -> list[DeepMessage]:
        """Hand out up to ``most`` buffered messages, which then count as consumed."""
        taken = [self.buffered.popleft() for _ in range(min(most, len(self.buffered)))]
        if taken:
            self.consumed_offset = taken[-1].next_offset
        return taken


def decode(data: bytes, offset: int) -> tuple[list[DeepMessage], str]:
    """The good messages at the start of fetched bytes, and the code of the error that ends them ("" if none)."""
    messages: list[DeepMessage] = []
    try:
        for message in iterate_deep(data, offset):  # one by one: those before an error count
            messages.append(message)  # noqa: PERF402
    except OffsetscopeError as error:
        return messages, error.code
    return messages, ""


def tell_failed(emit: Emit, now_us: int, request: FetchRequest, reason: str) -> None:
    """Journal that a pull came to nothing."""
    partition = request.partition
    emit(
        events.FetchFailed(
            now_us, request.fetch, request.group, request.consumer, partition.topic, partition.partition, reason
        )
    )
