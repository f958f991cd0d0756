"""Clients of a broker on a socket, in the shape of those of 0.7: a simple consumer and a producer.

    with Producer("127.0.0.1", 9092) as producer:
        producer.send("pageviews", [b"/jobs"])
    with SimpleConsumer("127.0.0.1", 9092) as consumer:
        for message in consumer.fetch("pageviews", 0, offset=0).messages():
            print(message.payload, message.next_offset)

The consumer keeps no place in the log: whoever reads passes the offset, and goes on from the ``next_offset`` of the
last message. Messages can be fetched once the broker has flushed them.
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
    Answer,
    decode_answer,
    decode_multi_fetch,
    decode_offsets,
)
from engine.tcp.faults import UnknownCompression
from engine.tcp.link import TIMEOUT_S, BrokerLink

FETCH_BYTES: Final = PAPER.consumer.fetch_bytes
OFFSET_BYTES: Final = 8
COUNT_BYTES: Final = 4

ENCODERS: Final = {"none": encode_message_set, "gzip": encode_compressed_set}


@dataclass(frozen=True, slots=True)
class Fetched:
    """The answer to one pull: bytes from ``request.offset`` on, or the code of an error."""

    request: FetchRequest
    data: bytes
    error_code: int

    def messages(self) -> Iterator[DeepMessage]:
        """The whole messages, those of compressed sets one by one; a part of one at the end is for the next pull.

        Raises the error behind the code: :class:`~engine.errors.OffsetOutOfRange`,
        :class:`~engine.errors.UnknownPartition`, :class:`~engine.protocol.faults.InvalidFetchSize` or
        :class:`~engine.protocol.faults.UnknownServerFault`. The broker looks at no message, so it is here that
        :class:`~engine.errors.InvalidMessage` (a CRC is wrong, or the offset is not where a message starts) and
        :class:`~engine.errors.InvalidMessageSize` (the first message is longer than the pull, or the offset is wrong)
        are found, and :class:`~engine.errors.UnsupportedCodec`: the message is compressed with snappy, for which
        there is no library here. Of fewer than four bytes come no messages and no error (0.7).
        """
        if self.error_code != NO_ERROR:
            raise self._error()
        return map(DeepMessage._make, iterate_deep(self.data, self.request.offset))

    @property
    def next_offset(self) -> int:
        """Where to read on: behind the last whole message as it was sent (0.7: validBytes).

        The last of :meth:`messages` says the same, unless what was sent last is a compressed set without a message.
        Raises what :meth:`messages` raises, but for what lies inside compressed sets.
        """
        if self.error_code != NO_ERROR:
            raise self._error()
        offset = self.request.offset
        return max((entry[1] for entry in iterate_shallow(self.data, offset)), default=offset)

    def _error(self) -> OffsetscopeError:
        return error_of(self.error_code, self.request.topic, self.request.partition, self.request.offset)


@dataclass(frozen=True, slots=True)
class ProducerData:
    """Messages for one partition of a topic; the broker picks the partition if none is named."""

    topic: str
    payloads: Sequence[bytes]
    partition: int = RANDOM_PARTITION


class SimpleConsumer:
    """A reader that says itself where to read (0.7: consumer/SimpleConsumer).

    Every method tries a second time on a new connection when the first breaks. All raise
    :class:`~engine.tcp.faults.BrokerUnreachable`, :class:`~engine.tcp.faults.ConnectionBroken`,
    :class:`MalformedResponse`, and :class:`~engine.protocol.faults.MalformedRequest` for values that
    the protocol has no room for.
    """

    def __init__(self, host: str, port: int, *, timeout_s: float = TIMEOUT_S) -> None:
        """Nothing is sent yet: the connection is made by the first request."""
        self._link = BrokerLink(host, port, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def fetch(self, topic: str, partition: int, offset: int, max_bytes: int = FETCH_BYTES) -> Fetched:
        """Up to ``max_bytes`` flushed bytes from ``offset`` on, from one segment; errors come with the messages."""
        request = FetchRequest(topic, partition, offset, max_bytes)
        frame = self._link.ask(encode_request(request), min(CODE_BYTES + max(0, max_bytes), RESPONSE_MAX_BYTES))
        return _fetched(request, decode_answer(frame))

    def multi_fetch(self, requests: Sequence[FetchRequest]) -> tuple[Fetched, ...]:
        """Several pulls in one request, answered in their order; an error of one is the others' no more than before."""
        most_bytes = CODE_BYTES + sum(HEADER_BYTES + max(0, request.max_bytes) for request in requests)
        encoded = encode_request(MultiFetchRequest(tuple(requests)))
        outer = decode_answer(self._link.ask(encoded, min(most_bytes, RESPONSE_MAX_BYTES)))
        answers = decode_multi_fetch(outer.body, len(requests))
        return tuple([_fetched(request, answer) for request, answer in zip(requests, answers, strict=True)])

    def offsets_before(
        self, topic: str, partition: int, time_ms: int = LATEST_MS, max_offsets: int = 1
    ) -> tuple[int, ...]:
        """Offsets at which one can read, of segments last written to at ``time_ms`` or before, newest first.

        ``time_ms`` is of the epoch, ``LATEST_MS`` (from the end on down) or ``EARLIEST_MS`` (the first alone). A
        partition that the broker cannot have makes it hang up: :class:`~engine.tcp.faults.ConnectionBroken`.
        """
        request = encode_request(OffsetsRequest(topic, partition, time_ms, max_offsets))
        # a log without messages answers [0] even to a question for none
        most_bytes = CODE_BYTES + COUNT_BYTES + OFFSET_BYTES * max(1, max_offsets)
        return decode_offsets(decode_answer(self._link.ask(request, min(most_bytes, RESPONSE_MAX_BYTES))).body)


class Producer:
    """A sender of messages that gets no acknowledgement (paper, section 3.3; 0.7: producer/SyncProducer).

    That a method returns says that the system has the bytes, not that the broker does. Both raise
    :class:`~engine.tcp.faults.BrokerUnreachable` and, once for each broken connection,
    :class:`~engine.tcp.faults.ConnectionBroken`: nothing is sent a second time by itself.
    """

    def __init__(self, host: str, port: int, *, compression: str = "none", timeout_s: float = TIMEOUT_S) -> None:
        """``compression`` is ``none`` or ``gzip``; nothing is sent yet.

        Raises :class:`~engine.tcp.faults.UnknownCompression` for any other. Python brings no library for ``snappy``,
        the third one of 0.7.
        """
        if compression not in ENCODERS:
            known = " or ".join(ENCODERS)
            raise UnknownCompression(
                f"this producer has no compression {compression!r}", f"use {known}", compression=compression
            )
        self._link = BrokerLink(host, port, timeout_s)
        self._encode = ENCODERS[compression]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up; what was sent still arrives."""
        self._link.close()

    def send(self, topic: str, payloads: Sequence[bytes], partition: int = RANDOM_PARTITION) -> None:
        """Send messages to one partition, of the broker's choice if none is named."""
        self._link.send(encode_request(ProduceRequest(topic, partition, self._encode(payloads))))

    def multi_send(self, data: Sequence[ProducerData]) -> None:
        """Send messages to several partitions in one request."""
        produces = [ProduceRequest(each.topic, each.partition, self._encode(each.payloads)) for each in data]
        self._link.send(encode_request(MultiProduceRequest(tuple(produces))))


def _fetched(request: FetchRequest, answer: Answer) -> Fetched:
    return Fetched(request, answer.body, answer.error_code)
