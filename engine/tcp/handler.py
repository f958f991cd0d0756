"""What the broker does with a request (0.7: server/KafkaRequestHandlers.scala)."""

from random import Random
from typing import Final

from engine.errors import OffsetscopeError
from engine.ids import TopicPartition
from engine.protocol.faults import NO_ERROR, InvalidFetchSize, MalformedRequest, code_of
from engine.protocol.requests import (
    EARLIEST_MS,
    LATEST_MS,
    RANDOM_PARTITION,
    FetchRequest,
    MultiFetchRequest,
    OffsetsRequest,
    ProduceRequest,
    Question,
)
from engine.protocol.responses import (
    CODE_BYTES,
    HEADER_BYTES,
    RESPONSE_MAX_BYTES,
    encode_offsets_response,
    multi_fetch_header,
    response_header,
)
from engine.storage.offsets import EARLIEST, LATEST, offsets_of_missing_log
from engine.tcp.outbox import Piece
from engine.tcp.partition_logs import PartitionLogs
from engine.tcp.settings import MILLISECOND_US

_TIMES_BY_NAME: Final = {LATEST_MS: LATEST, EARLIEST_MS: EARLIEST}


class RequestHandler:
    """The broker behind the socket: requests in, pieces of responses out, nothing kept of any client.

    ``chance`` picks partitions for those who leave it to the broker.
    """

    def __init__(self, logs: PartitionLogs, partitions: int, chance: Random) -> None:
        self._logs = logs
        self._partitions = partitions
        self._chance = chance

    def destination(self, request: ProduceRequest) -> TopicPartition:
        """Where the set goes; the caller appends it. There is no response.

        Raises :class:`~engine.errors.InvalidName` for an empty name and :class:`~engine.errors.UnknownPartition`, for
        which 0.7 closes the connection, having no way to say it.
        """
        number = request.partition
        if number == RANDOM_PARTITION:
            number = self._chance.randrange(self._partitions)
        return self._logs.checked(request.topic, number)

    def answer(self, request: Question) -> list[Piece]:
        """The response; a fetch that cannot be has one too. Only questions for offsets raise, as above."""
        match request:
            case FetchRequest():
                return self._fetch(request, RESPONSE_MAX_BYTES - CODE_BYTES)[1]
            case MultiFetchRequest(fetches):
                return self._multi_fetch(fetches)
            case OffsetsRequest():
                return [encode_offsets_response(self._offsets(request))]

    # --- fetch ---

    def _multi_fetch(self, fetches: tuple[FetchRequest, ...]) -> list[Piece]:
        """Every response in full, behind a header of their own; together they fit into one length field."""
        room_bytes = RESPONSE_MAX_BYTES - CODE_BYTES - HEADER_BYTES * len(fetches)
        responses_bytes = HEADER_BYTES * len(fetches)
        pieces: list[Piece] = []
        for fetch in fetches:
            body_bytes, response = self._fetch(fetch, room_bytes)
            room_bytes -= body_bytes
            responses_bytes += body_bytes
            pieces += response
        return [multi_fetch_header(responses_bytes), *pieces]

    def _fetch(self, request: FetchRequest, room_bytes: int) -> tuple[int, list[Piece]]:
        """The size of the body, and the response; the body stays in its file. An error is a code without a body."""
        try:
            partition = self._logs.checked(request.topic, request.partition)
            if request.max_bytes < 0:
                raise InvalidFetchSize(
                    f"a fetch of {request.max_bytes} bytes", "ask for zero bytes or more", max_bytes=request.max_bytes
                )
            if not self._logs.holds(partition):
                return 0, [response_header(0, NO_ERROR)]
            found = self._logs.get(partition).locate(request.offset, min(request.max_bytes, room_bytes))
        except OffsetscopeError as error:
            return 0, [response_header(0, code_of(error))]
        return found.size_bytes, [response_header(found.size_bytes, NO_ERROR), found]

    # --- offsets ---

    def _offsets(self, request: OffsetsRequest) -> tuple[int, ...]:
        partition = self._logs.checked(request.topic, request.partition)
        time_us = _TIMES_BY_NAME.get(request.time_ms, request.time_ms * MILLISECOND_US)
        if not self._logs.holds(partition):
            return offsets_of_missing_log(time_us)
        if request.max_offsets < 0:
            raise MalformedRequest(
                f"a question for {request.max_offsets} offsets", "ask for zero or more", max_offsets=request.max_offsets
            )
        return self._logs.get(partition).offsets_before(time_us, request.max_offsets)
