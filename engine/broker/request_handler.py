"""The request handler of a broker (0.7: server/KafkaRequestHandlers.scala).

The same handler serves a simulated network and a socket. They differ in how a partition's log is found and in how the
bytes of a fetch are sent: read from the file, or given as a position in it for sendfile (paper, section 3.1).
"""

from collections.abc import Callable
from typing import Final, Protocol

from engine.config import MILLISECOND_US
from engine.errors import MachineFault, OffsetscopeError
from engine.ids import TopicPartition
from engine.protocol.faults import NO_ERROR, InvalidFetchSize, MalformedRequest, code_of
from engine.protocol.requests import (
    EARLIEST_MS,
    LATEST_MS,
    RANDOM_PARTITION,
    AnsweredRequest,
    FetchRequest,
    MultiFetchRequest,
    OffsetsRequest,
    ProduceRequest,
)
from engine.protocol.responses import (
    CODE_BYTES,
    HEADER_BYTES,
    RESPONSE_MAX_BYTES,
    encode_offsets_response,
    multi_fetch_header,
    response_header,
)
from engine.storage.log import Log
from engine.storage.offsets import EARLIEST, LATEST, offsets_of_missing_log
from engine.storage.segment import SegmentSlice

_TIMES_BY_NAME: Final = {LATEST_MS: LATEST, EARLIEST_MS: EARLIEST}

ResponsePart = bytes | SegmentSlice
"""A part of a response: bytes, or their position in a segment file."""

ReadLog = Callable[[Log, int, int], ResponsePart]
"""Reads up to a number of flushed bytes from an offset: :meth:`Log.read`, or :meth:`Log.locate` for sendfile."""


class Logs(Protocol):
    """The partition logs of a broker."""

    def checked(self, topic: str, partition: int) -> TopicPartition:
        """Return the partition with this topic and number, whether or not it has a log yet.

        Raises :class:`~engine.errors.UnknownPartition` for a number that the topic cannot have here, and
        :class:`~engine.errors.InvalidName`.
        """

    def holds(self, partition: TopicPartition) -> bool:
        """Whether the partition has a log."""

    def get(self, partition: TopicPartition) -> Log:
        """Return the log of a partition for which :meth:`holds` is true."""


class RequestHandler:
    """The part of a broker that turns requests into responses; it keeps no state about clients.

    ``choose_partition`` picks a partition for a client that leaves it to the broker.
    """

    def __init__(self, logs: Logs, read_log: ReadLog, choose_partition: Callable[[], int]) -> None:
        self._logs = logs
        self._read_log = read_log
        self._choose_partition = choose_partition

    def destination(self, request: ProduceRequest) -> TopicPartition:
        """Return the partition that the message set goes to; the caller appends it. 0.7 sends no response.

        Raises :class:`~engine.errors.InvalidName` or :class:`~engine.errors.UnknownPartition`. 0.7 closes the
        connection then, since it has no response to a produce request.
        """
        number = request.partition if request.partition != RANDOM_PARTITION else self._choose_partition()
        return self._logs.checked(request.topic, number)

    def answer(self, request: AnsweredRequest) -> list[ResponsePart]:
        """Return the response; a failed fetch has one too. Only an offsets request raises, like :meth:`destination`."""
        match request:
            case FetchRequest():
                return self._fetch(request, RESPONSE_MAX_BYTES - CODE_BYTES)[1]
            case MultiFetchRequest(fetches):
                return self._multi_fetch(fetches)
            case OffsetsRequest():
                return [encode_offsets_response(self._offsets(request))]

    # --- fetch ---

    def _multi_fetch(self, fetches: tuple[FetchRequest, ...]) -> list[ResponsePart]:
        """Join the full responses behind a common header; together they fit into one length field."""
        room_bytes = RESPONSE_MAX_BYTES - CODE_BYTES - HEADER_BYTES * len(fetches)
        responses_bytes = HEADER_BYTES * len(fetches)
        parts: list[ResponsePart] = []
        for fetch in fetches:
            body_bytes, response = self._fetch(fetch, room_bytes)
            room_bytes -= body_bytes
            responses_bytes += body_bytes
            parts += response
        return [multi_fetch_header(responses_bytes), *parts]

    def _fetch(self, request: FetchRequest, room_bytes: int) -> tuple[int, list[ResponsePart]]:
        """The size of the body, and the response. An error is a code without a body; a missing log is empty."""
        try:
            partition = self._logs.checked(request.topic, request.partition)
            if request.max_bytes < 0:
                raise InvalidFetchSize(
                    f"a fetch of {request.max_bytes} bytes", "ask for zero bytes or more", max_bytes=request.max_bytes
                )
            if not self._logs.holds(partition):
                return 0, [response_header(0, NO_ERROR)]
            body = self._read_log(self._logs.get(partition), request.offset, min(request.max_bytes, room_bytes))
        except MachineFault:
            raise
        except OffsetscopeError as error:
            return 0, [response_header(0, code_of(error))]
        body_bytes = len(body) if isinstance(body, bytes) else body.size_bytes
        return body_bytes, [response_header(body_bytes, NO_ERROR), body]

    # --- offsets ---

    def _offsets(self, request: OffsetsRequest) -> tuple[int, ...]:
        """A missing log begins and ends at 0, however many offsets are asked for (0.7.2: getEmptyOffsets)."""
        partition = self._logs.checked(request.topic, request.partition)
        time_us = _TIMES_BY_NAME.get(request.time_ms, request.time_ms * MILLISECOND_US)
        if not self._logs.holds(partition):
            return offsets_of_missing_log(time_us)
        if request.max_offsets < 0:
            raise MalformedRequest(
                f"a request for {request.max_offsets} offsets", "ask for zero or more", max_offsets=request.max_offsets
            )
        return self._logs.get(partition).offsets_before(time_us, request.max_offsets)
