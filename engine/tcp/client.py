"""TCP clients of a broker, modelled on those of 0.7: a simple consumer and a producer.

    with Producer("127.0.0.1", 9092) as producer:
        producer.send("pageviews", [b"/jobs"])
    with SimpleConsumer("127.0.0.1", 9092) as consumer:
        for message in consumer.fetch("pageviews", 0, offset=0).messages():
            print(message.payload, message.next_offset)

The consumer keeps no offset: the caller passes one to each fetch, and continues from the ``next_offset`` of the last
message. Messages can be fetched once the broker has flushed them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from engine.config import PAPER
from engine.errors import OffsetscopeError
from engine.message.format import iterate_shallow
from engine.message.message_set import DeepMessage, encode_compressed_set, encode_message_set, iterate_deep
from engine.protocol.faults import NO_ERROR, error_of
from engine.protocol.requests import (
    LATEST_MS,
    RANDOM_PARTITION,
    FetchRequest,
    MultiFetchRequest,
    MultiProduceRequest,
    OffsetsRequest,
    ProduceRequest,
    encode_request,
)
from engine.protocol.responses import (
    CODE_BYTES,
    HEADER_BYTES,
    RESPONSE_MAX_BYTES,
    Response,
    decode_multi_fetch,
    decode_offsets,
    decode_response,
)
from engine.tcp.faults import UnknownCompression
from engine.tcp.link import TIMEOUT_S, BrokerLink

FETCH_BYTES: Final = PAPER.consumer.fetch_bytes
OFFSET_BYTES: Final = 8
COUNT_BYTES: Final = 4

ENCODERS: Final = {"none": encode_message_set, "gzip": encode_compressed_set}


@dataclass(frozen=True, slots=True)
class Fetched:
    """The response to one fetch: bytes from ``request.offset`` on, or an error code."""

    request: FetchRequest
    data: bytes
    error_code: int

    def messages(self) -> Iterator[DeepMessage]:
        """Iterate over the whole messages, those of compressed sets one by one; a partial one is for the next fetch.

        Raises the error that the code reports: :class:`~engine.errors.OffsetOutOfRange`,
        :class:`~engine.errors.UnknownPartition`, :class:`~engine.protocol.faults.InvalidFetchSize` or
        :class:`~engine.protocol.faults.UnknownServerFault`. The broker checks no message, so this raises
        :class:`~engine.errors.InvalidMessage` (a CRC is wrong, or the offset is not where a message starts),
        :class:`~engine.errors.InvalidMessageSize` (the first message is longer than the fetch, or the offset is wrong)
        and :class:`~engine.errors.UnsupportedCodec` (the message is compressed with snappy, for which there is no
        library here). Fewer than four bytes yield no messages and no error (0.7).
        """
        if self.error_code != NO_ERROR:
            raise self._error()
        return map(DeepMessage._make, iterate_deep(self.data, self.request.offset))

    @property
    def next_offset(self) -> int:
        """The offset to fetch next: after the last whole message as it was sent (0.7: validBytes).

        The last of :meth:`messages` has the same one, unless the last entry is a compressed set without a message.
        Raises what :meth:`messages` raises, except for errors inside compressed sets.
        """
        if self.error_code != NO_ERROR:
            raise self._error()
        offset = self.request.offset
        return max((entry[1] for entry in iterate_shallow(self.data, offset)), default=offset)

    def _error(self) -> OffsetscopeError:
        return error_of(self.error_code, self.request.topic, self.request.partition, self.request.offset)


@dataclass(frozen=True, slots=True)
class ProducerData:
    """Messages for one partition of a topic; the broker picks the partition if none is given."""

    topic: str
    payloads: Sequence[bytes]
    partition: int = RANDOM_PARTITION


class SimpleConsumer:
    """A client that fetches from the offsets that its caller gives (0.7: consumer/SimpleConsumer).

    Every method retries once, on a new connection, if the connection breaks. All raise
    :class:`~engine.tcp.faults.BrokerUnreachable`, :class:`~engine.tcp.faults.ConnectionBroken`,
    :class:`MalformedResponse`, and :class:`~engine.protocol.faults.MalformedRequest` for values that
    do not fit into the fields of the protocol.
    """

    def __init__(self, host: str, port: int, *, timeout_s: float = TIMEOUT_S) -> None:
        """Make a client without a connection: the first request opens it."""
        self._link = BrokerLink(host, port, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._link.close()

    def fetch(self, topic: str, partition: int, offset: int, max_bytes: int = FETCH_BYTES) -> Fetched:
        """Fetch up to ``max_bytes`` flushed bytes from ``offset`` on, in one segment; the result raises errors."""
        request = FetchRequest(topic, partition, offset, max_bytes)
        frame = self._link.request(encode_request(request), min(CODE_BYTES + max(0, max_bytes), RESPONSE_MAX_BYTES))
        return _fetched(request, decode_response(frame))

    def multi_fetch(self, requests: Sequence[FetchRequest]) -> tuple[Fetched, ...]:
        """Send several fetches in one request; the results are in their order. An error of one affects no other."""
        most_bytes = CODE_BYTES + sum(HEADER_BYTES + max(0, request.max_bytes) for request in requests)
        encoded = encode_request(MultiFetchRequest(tuple(requests)))
        outer = decode_response(self._link.request(encoded, min(most_bytes, RESPONSE_MAX_BYTES)))
        responses = decode_multi_fetch(outer.body, len(requests))
        return tuple([_fetched(request, response) for request, response in zip(requests, responses, strict=True)])

    def offsets_before(
        self, topic: str, partition: int, time_ms: int = LATEST_MS, max_offsets: int = 1
    ) -> tuple[int, ...]:
        """Return offsets from which one can read, of segments last written to at ``time_ms`` or before, newest first.

        ``time_ms`` is since the epoch, or ``LATEST_MS`` (from the end backwards) or ``EARLIEST_MS`` (the first only).
        For a partition that it cannot have the broker closes the connection, which raises
        :class:`~engine.tcp.faults.ConnectionBroken`.
        """
        request = encode_request(OffsetsRequest(topic, partition, time_ms, max_offsets))
        # for a partition without messages the broker sends [0] even if max_offsets is 0
        most_bytes = CODE_BYTES + COUNT_BYTES + OFFSET_BYTES * max(1, max_offsets)
        return decode_offsets(decode_response(self._link.request(request, min(most_bytes, RESPONSE_MAX_BYTES))).body)


class Producer:
    """A client that sends messages without acknowledgement (paper, section 3.3; 0.7: producer/SyncProducer).

    When a method returns, the operating system has the bytes; the broker may not have them yet. Both raise
    :class:`~engine.tcp.faults.BrokerUnreachable` and, once for each broken connection,
    :class:`~engine.tcp.faults.ConnectionBroken`: nothing is sent again automatically.
    """

    def __init__(self, host: str, port: int, *, compression: str = "none", timeout_s: float = TIMEOUT_S) -> None:
        """Make a producer without a connection; ``compression`` is ``none`` or ``gzip``.

        Raises :class:`~engine.tcp.faults.UnknownCompression` for any other. Python has no library for ``snappy``, the
        third one of 0.7.
        """
        if compression not in ENCODERS:
            known = " or ".join(ENCODERS)
            raise UnknownCompression(
                f"this producer does not support compression {compression!r}", f"use {known}", compression=compression
            )
        self._link = BrokerLink(host, port, timeout_s)
        self._encode = ENCODERS[compression]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was sent still arrives."""
        self._link.close()

    def send(self, topic: str, payloads: Sequence[bytes], partition: int = RANDOM_PARTITION) -> None:
        """Send messages to one partition, of the broker's choice if none is given."""
        self._link.send(encode_request(ProduceRequest(topic, partition, self._encode(payloads))))

    def multi_send(self, data: Sequence[ProducerData]) -> None:
        """Send messages to several partitions in one request."""
        produces = [ProduceRequest(each.topic, each.partition, self._encode(each.payloads)) for each in data]
        self._link.send(encode_request(MultiProduceRequest(tuple(produces))))


def _fetched(request: FetchRequest, response: Response) -> Fetched:
    return Fetched(request, response.body, response.error_code)
