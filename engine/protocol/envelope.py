"""The messages between clients and brokers of a simulated cluster: whole 0.7 frames, each in an envelope.

The receiver acts on the bytes of the frame. The label on the envelope is for the observer: the journal identifies an
exchange by it. It also replaces the order of responses on a TCP connection, by which a 0.7 client matches responses to
its requests; the protocol of 0.7 has no correlation id.
"""

from dataclasses import dataclass
from functools import cached_property

from engine.ids import TopicPartition
from engine.protocol.frames import LENGTH_BYTES
from engine.protocol.requests import (
    FetchRequest,
    OffsetsRequest,
    ProduceRequest,
    Request,
    decode_request,
    encode_request,
)
from engine.protocol.responses import Response, decode_response
from engine.values import value

NO_ADDRESS = ""
"""The address for a request without an acknowledgement."""


@value
class BatchLabel:
    """The label of a produce request. ``acknowledge_to`` is where a response goes, which 0.7 never sends (ours)."""

    batch: int
    messages: int
    acknowledge_to: str


@value
class FetchLabel:
    """The label of a fetch of one partition by a group consumer."""

    fetch: int
    group: str
    consumer: str


@value
class MultiFetchLabel:
    """The label of a multi-fetch of the simple consumer at the address ``client``."""

    multi_fetch: int
    client: str


@value
class OffsetsLabel:
    """The label of a request for the start or end of a log; the journal does not record it."""

    number: int


Label = BatchLabel | FetchLabel | MultiFetchLabel | OffsetsLabel


@dataclass(frozen=True)
class RequestEnvelope:
    """A request on the wire. Without slots, so that a frame is decoded only once."""

    label: Label
    frame: bytes

    @cached_property
    def request(self) -> Request:
        """The decoded frame."""
        return decode_request(self.frame[LENGTH_BYTES:])

    @property
    def batch(self) -> BatchLabel:
        """The label of a produce request."""
        assert isinstance(self.label, BatchLabel)
        return self.label

    @cached_property
    def partition(self) -> TopicPartition:
        """The partition of a request for a single one."""
        request = self.request
        assert isinstance(request, ProduceRequest | FetchRequest | OffsetsRequest)
        return TopicPartition(request.topic, request.partition)


@dataclass(frozen=True)
class ResponseEnvelope:
    """A response on the wire, and the request that it answers. Without slots, as :class:`RequestEnvelope`."""

    answers: RequestEnvelope
    frame: bytes

    @cached_property
    def response(self) -> Response:
        """The decoded frame."""
        return decode_response(self.frame[LENGTH_BYTES:])


def enclose(label: Label, request: Request) -> RequestEnvelope:
    """Put a request into an envelope; raise :class:`MalformedRequest` if a value does not fit into its field."""
    return RequestEnvelope(label, encode_request(request))
