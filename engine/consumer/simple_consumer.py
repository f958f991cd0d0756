"""The simple consumer of 0.7: fetch, multi-fetch and offsets before a time. Its caller decides where to read.

A request that times out or finds no broker is sent once more over a new connection (0.7: SimpleConsumer). If that
fails too, the result that the caller gets has an error.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from engine.consumer.fetcher import decode
from engine.events.base import Event
from engine.events.simple_consuming import MultiFetchFailed, MultiFetchReceived, MultiFetchSent
from engine.ids import BrokerId, TopicPartition
from engine.message.message_set import DeepMessage
from engine.protocol.envelope import MultiFetchLabel, OffsetsLabel, RequestEnvelope, ResponseEnvelope, enclose
from engine.protocol.faults import error_name
from engine.protocol.requests import FetchRequest, MultiFetchRequest, OffsetsRequest
from engine.protocol.responses import Response, decode_multi_fetch, decode_offsets
from engine.runtime.process import Machine, Process, ProcessTime, never_resumes
from engine.runtime.scheduler import Timer

TRIES = 2
Failed = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Fetch:
    """A fetch that a caller wants: up to ``max_bytes`` of a partition from ``offset`` on."""

    partition: TopicPartition
    offset: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """The result of a fetch: whole messages and the offset after them; ``error`` is "" or what ended the fetch.

    ``size_bytes`` is the size of the response. Fewer than 4 bytes are not an error (0.7), but hold no message.
    """

    fetch: Fetch
    messages: tuple[DeepMessage, ...]
    next_offset: int
    error: str
    size_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Offsets:
    """Offsets before a time, newest first; ``error`` is "" or the reason why there are none."""

    offsets: tuple[int, ...]
    error: str


@dataclass(slots=True)
class _Pending:
    """A request that waits for its response."""

    broker: BrokerId
    request: RequestEnvelope
    tries_left: int
    fetches: tuple[Fetch, ...]
    on_answer: Callable[[Any], None]
    on_failure: Failed
    timeout: Timer


class SimpleConsumer(Process):
    """A process at ``address`` that fetches for its owner until :meth:`close`."""

    def __init__(self, address: str, machine: Machine) -> None:
        super().__init__(address, machine, ProcessTime(machine.scheduler, never_resumes))
        self._pending: list[_Pending] = []
        self.attach()

    def close(self) -> None:
        """Stop fetching and drop the requests that wait for a response."""
        for pending in self._pending:
            pending.timeout.cancel()
        self._pending.clear()
        self.detach()

    # --- requests ---

    def fetch(self, broker: BrokerId, fetch: Fetch, on_answer: Callable[[Fetched], None]) -> None:
        """Fetch from one partition."""
        self.multi_fetch(broker, (fetch,), lambda answers: on_answer(answers[0]))

    def multi_fetch(
        self, broker: BrokerId, fetches: Sequence[Fetch], on_answer: Callable[[tuple[Fetched, ...]], None]
    ) -> None:
        """Fetch from several partitions of one broker in one request; the results are in the order of ``fetches``."""
        wanted = tuple(fetches)

        def fail(error: str) -> None:
            on_answer(tuple(Fetched(one, (), one.offset, error) for one in wanted))

        self._send_multi_fetch(broker, wanted, TRIES, on_answer, fail)

    def offsets_before(
        self,
        broker: BrokerId,
        partition: TopicPartition,
        time_ms: int,
        max_offsets: int,
        on_answer: Callable[[Offsets], None],
    ) -> None:
        """Request offsets at which reading can begin, before a virtual time, ``LATEST_MS`` or ``EARLIEST_MS``."""
        request = OffsetsRequest(partition.topic, partition.partition, time_ms, max_offsets)
        self._request_offsets(broker, request, TRIES, on_answer, lambda error: on_answer(Offsets((), error)))

    # --- sending ---

    def _send_multi_fetch(
        self,
        broker: BrokerId,
        fetches: tuple[Fetch, ...],
        tries_left: int,
        on_answer: Callable[[tuple[Fetched, ...]], None],
        on_failure: Failed,
    ) -> None:
        multi_fetch = self.machine.numbers.next("multi_fetch")
        label = MultiFetchLabel(multi_fetch, self.address)
        wanted = tuple([FetchRequest(*one.partition, one.offset, one.max_bytes) for one in fetches])
        request = enclose(label, MultiFetchRequest(wanted))
        places = tuple([(str(one.partition), one.offset) for one in fetches])

        def departure(due_us: int) -> Event:
            return MultiFetchSent(self.now_us, due_us, multi_fetch, self.address, broker, places)

        timeout = self._limit(request)
        self._pending.append(_Pending(broker, request, tries_left - 1, fetches, on_answer, on_failure, timeout))
        self.send_flight(f"broker:{broker}", request, self.machine.latency, f"multi_fetch:{multi_fetch}", departure)

    def _request_offsets(
        self,
        broker: BrokerId,
        wanted: OffsetsRequest,
        tries_left: int,
        on_answer: Callable[[Offsets], None],
        on_failure: Failed,
    ) -> None:
        request = enclose(OffsetsLabel(self.machine.numbers.next("offsets")), wanted)
        timeout = self._limit(request)
        self._pending.append(_Pending(broker, request, tries_left - 1, (), on_answer, on_failure, timeout))
        self.send_message(f"broker:{broker}", request, self.machine.latency)

    def _limit(self, request: RequestEnvelope) -> Timer:
        """Start the timer within which a response must arrive."""
        return self.time.after(self.machine.config.fetch_timeout_us, lambda: self._lose(request, "timeout"))

    def _lose(self, request: RequestEnvelope, reason: str) -> None:
        """Handle a failed request: send it once more, or report the error to the caller, if it still waits."""
        for pending in [one for one in self._pending if one.request == request]:
            self._remove(pending)
            self._report_failed(request, reason)
            self._retry(pending, reason)
            return
        self._report_failed(request, "stopped")

    def _retry(self, pending: _Pending, reason: str) -> None:
        wanted = pending.request.request
        if not pending.tries_left:
            pending.on_failure(reason)
        elif isinstance(wanted, OffsetsRequest):
            self._request_offsets(pending.broker, wanted, pending.tries_left, pending.on_answer, pending.on_failure)
        else:
            self._send_multi_fetch(
                pending.broker, pending.fetches, pending.tries_left, pending.on_answer, pending.on_failure
            )

    def _remove(self, pending: _Pending) -> None:
        pending.timeout.cancel()
        self._pending.remove(pending)

    def _report_failed(self, request: RequestEnvelope, reason: str) -> None:
        """Journal that a multi-fetch failed; the journal does not follow offsets requests."""
        if isinstance(request.label, MultiFetchLabel):
            self.emit(MultiFetchFailed(self.now_us, request.label.multi_fetch, request.label.client, reason))

    # --- process ---

    def handle(self, source: str, message: Any) -> None:
        """Receive a response; one that is no longer awaited only ends its flight."""
        assert isinstance(message, ResponseEnvelope)
        waiting = [pending for pending in self._pending if pending.request == message.answers]
        if not waiting:
            self._report_failed(message.answers, "stopped")
            return
        (pending,) = waiting
        self._remove(pending)
        response = message.response
        if isinstance(message.answers.label, MultiFetchLabel):
            parts = decode_multi_fetch(response.body, len(pending.fetches))
            most_bytes = self.machine.config.decoded_max_bytes
            answers = tuple([_decoded(*pair, most_bytes) for pair in zip(pending.fetches, parts, strict=True)])
            messages = sum(len(answer.messages) for answer in answers)
            self.emit(MultiFetchReceived(self.now_us, message.answers.label.multi_fetch, self.address, messages))
            pending.on_answer(answers)
        else:
            error = error_name(response.error_code, *message.answers.partition, 0)
            pending.on_answer(Offsets(() if error else decode_offsets(response.body), error))

    def handle_bounce(self, destination: str, message: Any) -> None:
        """Handle a request that found no broker."""
        self._lose(message, "broker_down")


def _decoded(fetch: Fetch, response: Response, most_bytes: int) -> Fetched:
    """Decode a response: its valid messages, and the error that follows them, if any."""
    error = error_name(response.error_code, *fetch.partition, fetch.offset)
    if error:
        return Fetched(fetch, (), fetch.offset, error)
    found, error = decode(response.body, fetch.offset, most_bytes)
    next_offset = found[-1][1] if found else fetch.offset
    return Fetched(fetch, tuple(map(DeepMessage._make, found)), next_offset, error, len(response.body))
