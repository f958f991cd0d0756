"""One pulled partition: a fetch position, a consumed position, and the messages between them.

Belongs to a consumer that owns the partition, from the moment it has read the stored offset until it releases
the partition (the paper's thread per partition; 0.7 has one per broker).
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.config import Config, ConsumerSettings
from engine.consumer.application import Application
from engine.errors import InvalidMessageSize, OffsetOutOfRange, OffsetscopeError, StorageFailed
from engine.events.base import Emit
from engine.events.consuming import (
    FetchFailed,
    FetchReceived,
    FetchSent,
    MessageRejected,
    MessagesConsumed,
    MessagesTaken,
    OffsetReset,
    PullingStarted,
    PullingStopped,
    ReadingResumed,
)
from engine.ids import BrokerId, ConsumerId, TopicPartition
from engine.message.message_set import Message, iterate_deep
from engine.protocol.messages import (
    OFFSETS_EARLIEST,
    OFFSETS_LATEST,
    FetchRequest,
    FetchResponse,
    OffsetsRequest,
    OffsetsResponse,
)
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import Timer, Timers
from engine.runtime.sequence_numbers import SequenceNumbers

Request = FetchRequest | OffsetsRequest
RESET_TO = {"smallest": OFFSETS_EARLIEST, "largest": OFFSETS_LATEST}
"""What is asked of the broker, by ``offset_reset``; ``fail`` asks nothing (0.7: autooffset.reset)."""
MENDS_ITSELF = frozenset({StorageFailed.code})
"""Errors after which a fetcher keeps asking: the broker's disk may read again, and nobody has to move the position."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a fetcher needs of the world around its consumer."""

    address: str
    consumer: ConsumerId
    config: Config
    timers: Timers
    network: Network
    emit: Emit
    numbers: SequenceNumbers
    settings: Callable[[], ConsumerSettings]
    paused: Callable[[], bool]
    jump: Callable[["Fetcher", int], None]
    application: Application


class Fetcher:
    """The pulling of one partition by one consumer; ``on_messages`` is called when there is work.

    One request at a time is in flight: a fetch, or the question where the log begins or ends while the position is not
    in the log. So whatever goes on with the pulling goes on with that question, and it ends with the fetcher. Unless
    it is paused, has enough waiting or is stuck with an ``error``, a request is in flight or a poll is due.
    """

    def __init__(
        self,
        wiring: Wiring,
        partition: TopicPartition,
        broker: BrokerId,
        offset: int,
        on_messages: Callable[[], None],
    ) -> None:
        self.partition = partition
        self.broker = broker
        self.fetch_offset = offset
        self.consumed_offset = offset
        self.error = ""
        self.has_position = True
        self._wiring = wiring
        self._on_messages = on_messages
        self._latency = Latency(wiring.config.network_latency_us, wiring.config.latency_jitter_permille)
        self._names = (wiring.consumer.group, wiring.consumer.name, partition.topic, partition.partition)
        self._chunks: deque[list[Message]] = deque()
        self._taken_from = offset
        self._taken_messages = 0
        self._in_flight: Request | None = None
        self._in_range = True
        self._last_poll_us = wiring.timers.now_us
        self._timer: Timer | None = None
        self._patience: Timer | None = None
        wiring.emit(PullingStarted(wiring.timers.now_us, *self._names, offset))

    # --- pulling ---

    def poll_after(self, delay_us: int) -> None:
        """Pull in ``delay_us``, unless that must not be: a pull is under way, enough is waiting, paused, or stuck."""
        queue_full = len(self._chunks) >= self._wiring.settings().queued_chunks
        stuck = self.error and self.error not in MENDS_ITSELF
        if self._in_flight is not None or queue_full or stuck or self._wiring.paused():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._wiring.timers.after(delay_us, self._poll)

    def poll_when_due(self) -> None:
        """Pull as soon as the poll interval since the last pull has passed."""
        due_us = self._last_poll_us + self._wiring.settings().poll_interval_ms * 1000
        self.poll_after(max(0, due_us - self._wiring.timers.now_us))

    def hold(self) -> None:
        """Pull no more for now (a paused consumer); what is under way still arrives."""
        if self._timer is not None:
            self._timer.cancel()

    def vanish(self) -> None:
        """The process is gone: no timer goes on, no word is said."""
        self.hold()
        self._settle()

    def stop(self) -> None:
        """Give the partition up: drop what is waiting, ignore what is under way."""
        self.vanish()
        self._chunks.clear()
        self._wiring.emit(PullingStopped(self._wiring.timers.now_us, *self._names))

    def jump(self, offset: int) -> None:
        """Go on from ``offset``, wherever we were; what comes of a request under way will not count."""
        self._settle()
        self._chunks.clear()
        self._in_range = self.has_position = True
        self.error = ""
        self.fetch_offset = self.consumed_offset = self._taken_from = offset
        self._taken_messages = 0

    def lack_position(self) -> None:
        """The group never had a position in the partition: ask for one first. None is committed until there is one."""
        self._in_range = self.has_position = False

    def _poll(self) -> None:
        self._last_poll_us = self._wiring.timers.now_us
        if self._in_range:
            self._fetch()
        else:
            self._ask_for_position()

    def _fetch(self) -> None:
        wiring = self._wiring
        now_us = wiring.timers.now_us
        number = wiring.numbers.next("fetch")
        max_bytes = wiring.settings().fetch_bytes
        group, name = wiring.consumer.group, wiring.consumer.name
        request = FetchRequest(number, group, name, self.partition, self.fetch_offset, max_bytes)
        destination = f"broker:{self.broker}"
        due_us = wiring.network.due_us(wiring.address, destination, self._latency)
        sent = FetchSent(now_us, due_us, number, *self._names, self.broker, self.fetch_offset, max_bytes)
        wiring.emit(sent)
        wiring.network.send_drawn(wiring.address, destination, request, f"fetch:{number}", sent, due_us)
        self._wait_for(request)

    def _ask_for_position(self) -> None:
        wiring = self._wiring
        policy = wiring.settings().offset_reset
        if policy not in RESET_TO:
            self.reject(OffsetOutOfRange.code)
            return
        request = OffsetsRequest(wiring.numbers.next("offsets"), self.partition, RESET_TO[policy], 1)
        destination = f"broker:{self.broker}"
        due_us = wiring.network.due_us(wiring.address, destination, self._latency)
        wiring.network.send(wiring.address, destination, request, due_us)
        self._wait_for(request)

    def _wait_for(self, request: Request) -> None:
        self._in_flight = request
        self._patience = self._wiring.timers.after(
            self._wiring.config.fetch_timeout_us, lambda: self._end_in_vain(request, "timeout")
        )

    # --- answers ---

    def receive(self, response: FetchResponse) -> None:
        """Take the bytes of a fetch apart; reset an offset out of range, repeat a fetch that failed otherwise."""
        request = response.request
        if request != self._in_flight:
            self._fail(request, "stopped")
            return
        self._settle()
        if response.error:
            self._tell_received(request, 0, 0)
            self._take_error(response.error)
            return
        if self.error:
            self._recover()
        messages, error = decode(response.data, request.offset, self._wiring.config.decoded_max_bytes)
        if response.data and not messages and not error:
            # A length has 4 bytes. With fewer the pull is too small, or the segment ends inside of a message, and the
            # same pull will never bring more. (0.7 says nothing and asks for ever.)
            error = InvalidMessageSize.code
        if messages:
            self._chunks.append(messages)
            self.fetch_offset = messages[-1][1]
        self._tell_received(request, len(messages), len(response.data))
        if error:
            self.reject(error)
        if messages:
            self._on_messages()
            self.poll_when_due()
        else:
            self.poll_after(max(self._wiring.config.fetch_backoff_us, self._wiring.settings().poll_interval_ms * 1000))

    def receive_offsets(self, response: OffsetsResponse) -> None:
        """Go on where the broker says that its log begins or ends, if that is still the question."""
        if response.request != self._in_flight:
            return
        self._settle()
        if response.error:
            self._take_error(response.error)
            return
        offset = response.offsets[0]
        now_us = self._wiring.timers.now_us
        self._wiring.emit(OffsetReset(now_us, *self._names, self.fetch_offset, offset))
        self._wiring.jump(self, offset)

    def _take_error(self, error: str) -> None:
        """What a broker says instead of an answer: only one of these errors is about the position."""
        if error == OffsetOutOfRange.code:
            self._in_range = False
            self.poll_after(0)
            return
        if error != self.error:
            self.reject(error)
        self.poll_after(self._wiring.config.fetch_backoff_us)

    def lost(self, request: Request) -> None:
        """A request found no broker: try again after the back-off."""
        self._end_in_vain(request, "broker_down")

    def _end_in_vain(self, request: Request, reason: str) -> None:
        current = request == self._in_flight
        if isinstance(request, FetchRequest):
            self._fail(request, reason if current else "stopped")
        if current:
            self._settle()
            self.poll_after(self._wiring.config.fetch_backoff_us)

    def _settle(self) -> None:
        """Wait for no answer any more; one that comes all the same ends by itself."""
        self._in_flight = None
        if self._patience is not None:
            self._patience.cancel()

    def reject(self, error: str) -> None:
        """Read no further: damaged bytes, a message larger than a pull, a position nobody may reset, a broken disk."""
        self.error = error
        self._wiring.emit(MessageRejected(self._wiring.timers.now_us, *self._names, self.fetch_offset, error))

    def resume(self, mended: Collection[str]) -> None:
        """New settings have mended these errors: try again. (0.7 is started again with another fetch.size.)"""
        if self.error in mended:
            self._recover()

    def _recover(self) -> None:
        self.error = ""
        self._wiring.emit(ReadingResumed(self._wiring.timers.now_us, *self._names, self.fetch_offset))

    def _fail(self, request: FetchRequest, reason: str) -> None:
        tell_failed(self._wiring.emit, self._wiring.timers.now_us, request, reason)

    def _tell_received(self, request: FetchRequest, messages: int, size: int) -> None:
        now_us = self._wiring.timers.now_us
        received = FetchReceived(now_us, request.fetch, *self._names, request.offset, self.fetch_offset, messages, size)
        self._wiring.emit(received)

    # --- consuming ---

    @property
    def waiting_messages(self) -> int:
        """Messages that have been pulled and not been worked on."""
        return sum(len(chunk) for chunk in self._chunks)

    @property
    def workable_messages(self) -> int:
        """Those of them that the application can work on now."""
        return self.waiting_messages if self._wiring.application.accepts(self.partition) else 0

    @property
    def has_taken(self) -> bool:
        """Whether messages are being worked on whose position has moved already."""
        return self._taken_messages > 0

    def consume(self, most: int) -> int:
        """The work on up to ``most`` messages is done: the position moves. Returns how many there were."""
        offset = self.consumed_offset
        count = self._drop(most)
        now_us = self._wiring.timers.now_us
        self._wiring.emit(MessagesConsumed(now_us, *self._names, offset, self.consumed_offset, count))
        self.poll_when_due()
        return count

    def take(self, most: int) -> int:
        """The work on up to ``most`` messages begins, and the position moves already (0.7: ConsumerIterator.next)."""
        self._taken_from = self.consumed_offset
        self._taken_messages = self._drop(most)
        now_us = self._wiring.timers.now_us
        self._wiring.emit(MessagesTaken(now_us, *self._names, self.consumed_offset, self._taken_messages))
        return self._taken_messages

    def finish_taken(self) -> None:
        """The work on what was taken is done."""
        if self._taken_messages:
            now_us, end = self._wiring.timers.now_us, self.consumed_offset
            done = MessagesConsumed(now_us, *self._names, self._taken_from, end, self._taken_messages)
            self._wiring.emit(done)
            self._taken_messages = 0
        self.poll_when_due()

    def _drop(self, most: int) -> int:
        """Give up to ``most`` waiting messages to the application and move the consumed position over them."""
        dropped: list[Message] = []
        while self._chunks and len(dropped) < most:
            chunk = self._chunks[0]
            fit = most - len(dropped)
            if len(chunk) <= fit:
                dropped += self._chunks.popleft()
            else:
                dropped += chunk[:fit]
                del chunk[:fit]
        if dropped:
            offset = self.consumed_offset
            self.consumed_offset = dropped[-1][1]
            self._wiring.application.take(self.partition, offset, dropped)
        return len(dropped)


MESSAGE_COST_BYTES = 120
"""What a message costs in memory besides its payload, about."""


def decode(data: bytes, offset: int, most_bytes: int) -> tuple[list[Message], str]:
    """The good messages at the start of fetched bytes, and the code of the error that ends them ("" if none).

    A compressed set may hold a thousand times what was sent. Behind the set or message with which all of them come to
    ``most_bytes`` of memory the rest is left for the next pull, so that no more is held than that and one set.
    """
    messages: list[Message] = []
    size = 0
    try:
        for message in iterate_deep(data, offset):  # one by one: those before an error count
            messages.append(message)
            start, next_offset, payload = message
            size += len(payload) + MESSAGE_COST_BYTES
            if size >= most_bytes and next_offset != start:  # not in the middle of a set
                break
    except OffsetscopeError as error:
        return messages, error.code
    return messages, ""


def tell_failed(emit: Emit, now_us: int, request: FetchRequest, reason: str) -> None:
    """Journal that a pull came to nothing."""
    partition = request.partition
    names = request.group, request.consumer, partition.topic, partition.partition
    emit(FetchFailed(now_us, request.fetch, *names, reason))
