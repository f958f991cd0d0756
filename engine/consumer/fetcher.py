"""The fetcher of one partition: a fetch position, a consumed position, and the messages between them.

It belongs to the consumer that owns the partition, from when that has read the committed offset until it releases
the partition (the paper's thread per partition; 0.7 has one per broker).
"""

from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass

from engine.config import ConsumerSettings
from engine.consumer.application import Application
from engine.errors import InvalidMessageSize, OffsetOutOfRange, OffsetscopeError
from engine.events.base import Event
from engine.events.consuming import (
    FetchFailed,
    FetchingStarted,
    FetchingStopped,
    FetchReceived,
    FetchSent,
    MessageRejected,
    MessagesConsumed,
    MessagesTaken,
    OffsetReset,
    ReadingResumed,
)
from engine.ids import BrokerId, ConsumerId, TopicPartition
from engine.message.message_set import Message, iterate_deep
from engine.protocol.envelope import FetchLabel, OffsetsLabel, RequestEnvelope, ResponseEnvelope, enclose
from engine.protocol.faults import UnknownServerFault, error_name
from engine.protocol.requests import EARLIEST_MS, LATEST_MS, FetchRequest, OffsetsRequest
from engine.protocol.responses import decode_offsets
from engine.runtime.process import Process
from engine.runtime.scheduler import Timer

RESET_TO = {"smallest": EARLIEST_MS, "largest": LATEST_MS}
"""The time in the offsets request, by ``offset_reset``; ``fail`` sends none (0.7: autooffset.reset)."""
TRANSIENT_ERRORS = frozenset({UnknownServerFault.code})
"""Errors after which a fetcher retries: the broker's disk may recover, and the position need not be moved."""


@dataclass(frozen=True, slots=True)
class Wiring:
    """What a fetcher needs from its consumer; ``process`` sends its requests."""

    process: Process
    consumer: ConsumerId
    settings: Callable[[], ConsumerSettings]
    paused: Callable[[], bool]
    jump: Callable[["Fetcher", int], None]
    application: Application


class Fetcher:
    """The fetcher of one partition for one consumer; ``on_messages`` is called when there is work.

    One request at a time is in flight: a fetch or, while the position is outside the log, an offsets request for the
    log's start or end. The offsets request is paused, retried and ended in the same way as a fetch. Unless the fetcher
    is paused, has a full queue or is stuck with an ``error``, a request is in flight or a poll is due.
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
        self._config = wiring.process.machine.config
        self._on_messages = on_messages
        self._names = (wiring.consumer.group, wiring.consumer.name, partition.topic, partition.partition)
        self._chunks: deque[list[Message]] = deque()
        self._taken_from = offset
        self._taken_messages = 0
        self._in_flight: RequestEnvelope | None = None
        self._in_range = True
        self._last_poll_us = wiring.process.now_us
        self._timer: Timer | None = None
        self._timeout: Timer | None = None
        wiring.process.emit(FetchingStarted(wiring.process.now_us, *self._names, offset))

    # --- fetching ---

    def poll_after(self, delay_us: int) -> None:
        """Fetch in ``delay_us``, unless a request is in flight, the queue is full, or fetching is paused or stuck."""
        queue_full = len(self._chunks) >= self._wiring.settings().queued_chunks
        stuck = self.error and self.error not in TRANSIENT_ERRORS
        if self._in_flight is not None or queue_full or stuck or self._wiring.paused():
            return
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._wiring.process.time.after(delay_us, self._poll)

    def poll_when_due(self) -> None:
        """Fetch as soon as the poll interval since the last poll has passed."""
        due_us = self._last_poll_us + self._wiring.settings().poll_interval_ms * 1000
        self.poll_after(max(0, due_us - self._wiring.process.now_us))

    def pause(self) -> None:
        """Stop fetching for now (a paused consumer); a response in flight is still received."""
        if self._timer is not None:
            self._timer.cancel()

    def cancel(self) -> None:
        """Crash with the process: cancel all timers and emit nothing."""
        self.pause()
        self._stop_waiting()

    def stop(self) -> None:
        """Release the partition: drop waiting messages, ignore the request in flight."""
        self.cancel()
        self._chunks.clear()
        self._wiring.process.emit(FetchingStopped(self._wiring.process.now_us, *self._names))

    def jump(self, offset: int) -> None:
        """Continue from ``offset``; the response to a request in flight is ignored."""
        self._stop_waiting()
        self._chunks.clear()
        self._in_range = self.has_position = True
        self.error = ""
        self.fetch_offset = self.consumed_offset = self._taken_from = offset
        self._taken_messages = 0

    def begin_without_position(self) -> None:
        """Request a position first, since the group has no committed offset; commit none until there is one."""
        self._in_range = self.has_position = False

    def _poll(self) -> None:
        self._last_poll_us = self._wiring.process.now_us
        if self._in_range:
            self._fetch()
        else:
            self._request_position()

    def _fetch(self) -> None:
        process, consumer = self._wiring.process, self._wiring.consumer
        number = process.machine.numbers.next("fetch")
        topic, index = self.partition
        offset, max_bytes = self.fetch_offset, self._wiring.settings().fetch_bytes

        def departure(due_us: int) -> Event:
            return FetchSent(process.now_us, due_us, number, *self._names, self.broker, offset, max_bytes)

        label = FetchLabel(number, consumer.group, consumer.name)
        request = enclose(label, FetchRequest(topic, index, offset, max_bytes))
        process.send_flight(f"broker:{self.broker}", request, process.machine.latency, f"fetch:{number}", departure)
        self._wait_for(request)

    def _request_position(self) -> None:
        process = self._wiring.process
        policy = self._wiring.settings().offset_reset
        if policy not in RESET_TO:
            self.reject(OffsetOutOfRange.code)
            return
        topic, index = self.partition
        label = OffsetsLabel(process.machine.numbers.next("offsets"))
        request = enclose(label, OffsetsRequest(topic, index, RESET_TO[policy], 1))
        process.send_message(f"broker:{self.broker}", request, process.machine.latency)
        self._wait_for(request)

    def _wait_for(self, request: RequestEnvelope) -> None:
        self._in_flight = request
        self._timeout = self._wiring.process.time.after(
            self._config.fetch_timeout_us, lambda: self._fail(request, "timeout")
        )

    # --- responses ---

    def receive(self, envelope: ResponseEnvelope) -> None:
        """Receive the response to a fetch or an offsets request; one that is no longer awaited only ends its flight."""
        if envelope.answers != self._in_flight:
            self._report_failed(envelope.answers, "stopped")
            return
        self._stop_waiting()
        response = envelope.response
        error = error_name(response.error_code, *self.partition, self.fetch_offset)
        label = envelope.answers.label
        if not isinstance(label, FetchLabel):
            self._take_position(response.body, error)
        elif error:
            self._report_received(label, self.fetch_offset, 0, 0)
            self._take_error(error)
        else:
            self._take_bytes(label, response.body)

    def _take_bytes(self, label: FetchLabel, data: bytes) -> None:
        """Decode the bytes of a fetch, and continue after the messages in them."""
        if self.error:
            self._recover()
        offset = self.fetch_offset
        messages, error = decode(data, offset, self._config.decoded_max_bytes)
        if data and not messages and not error:
            # A length has 4 bytes. With fewer, the fetch is too small or the segment ends inside a message, and the
            # same fetch will never return more. (0.7 reports nothing and retries forever.)
            error = InvalidMessageSize.code
        if messages:
            self._chunks.append(messages)
            self.fetch_offset = messages[-1][1]
        self._report_received(label, offset, len(messages), len(data))
        if error:
            self.reject(error)
        if messages:
            self._on_messages()
            self.poll_when_due()
        else:
            self.poll_after(max(self._config.fetch_backoff_us, self._wiring.settings().poll_interval_ms * 1000))

    def _take_position(self, body: bytes, error: str) -> None:
        """Continue at the start or end of the log that the broker returned."""
        if error:
            self._take_error(error)
            return
        offset = decode_offsets(body)[0]
        self._wiring.process.emit(OffsetReset(self._wiring.process.now_us, *self._names, self.fetch_offset, offset))
        self._wiring.jump(self, offset)

    def _take_error(self, error: str) -> None:
        """Handle an error response; only ``offset_out_of_range`` is about the position."""
        if error == OffsetOutOfRange.code:
            self._in_range = False
            self.poll_after(0)
            return
        if error != self.error:
            self.reject(error)
        self.poll_after(self._config.fetch_backoff_us)

    def lost(self, request: RequestEnvelope) -> None:
        """Handle a request that found no broker: retry after the back-off."""
        self._fail(request, "broker_down")

    def _fail(self, request: RequestEnvelope, reason: str) -> None:
        is_current = request == self._in_flight
        self._report_failed(request, reason if is_current else "stopped")
        if is_current:
            self._stop_waiting()
            self.poll_after(self._config.fetch_backoff_us)

    def _stop_waiting(self) -> None:
        """Stop waiting for a response; one that still arrives only ends its flight."""
        self._in_flight = None
        if self._timeout is not None:
            self._timeout.cancel()

    def reject(self, error: str) -> None:
        """Stop with an error: damaged bytes, a message larger than a fetch, a position without reset, a bad disk."""
        self.error = error
        self._wiring.process.emit(MessageRejected(self._wiring.process.now_us, *self._names, self.fetch_offset, error))

    def resume(self, resolved: Collection[str]) -> None:
        """Retry if new settings have resolved the error. (0.7 is restarted with another fetch.size.)"""
        if self.error in resolved:
            self._recover()

    def _recover(self) -> None:
        self.error = ""
        self._wiring.process.emit(ReadingResumed(self._wiring.process.now_us, *self._names, self.fetch_offset))

    def _report_failed(self, request: RequestEnvelope, reason: str) -> None:
        report_failed(self._wiring.process, request, reason)

    def _report_received(self, label: FetchLabel, offset: int, messages: int, size_bytes: int) -> None:
        process = self._wiring.process
        received = FetchReceived(
            process.now_us, label.fetch, *self._names, offset, self.fetch_offset, messages, size_bytes
        )
        process.emit(received)

    # --- consuming ---

    @property
    def waiting_messages(self) -> int:
        """The number of messages that have been fetched and not processed."""
        return sum(len(chunk) for chunk in self._chunks)

    @property
    def workable_messages(self) -> int:
        """The number of those that the application can process now."""
        return self.waiting_messages if self._wiring.application.accepts(self.partition) else 0

    @property
    def has_taken(self) -> bool:
        """Whether messages are being processed whose position has moved already."""
        return self._taken_messages > 0

    def consume(self, most: int) -> int:
        """Finish up to ``most`` messages and move the consumed position. Returns how many there were."""
        offset = self.consumed_offset
        count = self._drop(most)
        now_us = self._wiring.process.now_us
        self._wiring.process.emit(MessagesConsumed(now_us, *self._names, offset, self.consumed_offset, count))
        self.poll_when_due()
        return count

    def take(self, most: int) -> int:
        """Begin up to ``most`` messages and move the consumed position already (0.7: ConsumerIterator.next)."""
        self._taken_from = self.consumed_offset
        self._taken_messages = self._drop(most)
        now_us = self._wiring.process.now_us
        self._wiring.process.emit(MessagesTaken(now_us, *self._names, self.consumed_offset, self._taken_messages))
        return self._taken_messages

    def finish_taken(self) -> None:
        """Finish the messages that were taken."""
        if self._taken_messages:
            now_us, end = self._wiring.process.now_us, self.consumed_offset
            done = MessagesConsumed(now_us, *self._names, self._taken_from, end, self._taken_messages)
            self._wiring.process.emit(done)
            self._taken_messages = 0
        self.poll_when_due()

    def _drop(self, most: int) -> int:
        """Pass up to ``most`` waiting messages to the application and move the consumed position past them."""
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
"""The approximate memory of a message besides its payload."""


def decode(data: bytes, offset: int, most_bytes: int) -> tuple[list[Message], str]:
    """Decode the valid messages at the start of fetched bytes; return them and the error code that ends them, or "".

    A compressed set may decompress to a thousand times its size. After the set or message that reaches ``most_bytes``
    of memory in all, the rest is left for the next fetch. So at most that much and one set are in memory.
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


def report_failed(process: Process, request: RequestEnvelope, reason: str) -> None:
    """Journal that a fetch failed; the journal does not follow the other requests."""
    if isinstance(request.label, FetchLabel):
        label, (topic, partition) = request.label, request.partition
        process.emit(FetchFailed(process.now_us, label.fetch, label.group, label.consumer, topic, partition, reason))
