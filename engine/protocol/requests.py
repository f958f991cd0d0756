"""Requests and their bytes (0.7: kafka.api; the kinds are those of api/RequestKeys.scala).

A request is ``length(4) kind(2) body``; the length does not count itself. There is no version and no
correlation id: responses come in the order of the requests.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple, TypeVar

from engine.protocol.faults import MalformedRequest
from engine.protocol.fields import FieldReader, int16, int32, int64, string

RANDOM_PARTITION: Final = -1
LATEST_MS: Final = -1
EARLIEST_MS: Final = -2

PRODUCE: Final = 0
FETCH: Final = 1
MULTI_FETCH: Final = 2
MULTI_PRODUCE: Final = 3
OFFSETS: Final = 4

KIND_BYTES: Final = 2
_PRODUCE_KIND: Final = int16(PRODUCE)
_HEAD_BYTES_BESIDE_TOPIC: Final = KIND_BYTES + 2 + 4 + 4  # of kind, the topic's length, the partition, the set's length

Body = TypeVar("Body")


class ProduceRequest(NamedTuple):
    """A message set for a partition, :data:`RANDOM_PARTITION` for one of the broker's choice. It has no response.

    A named tuple for speed, since there are so many of them.
    """

    topic: str
    partition: int
    message_set: bytes


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A request for up to ``max_bytes`` from ``offset`` on."""

    topic: str
    partition: int
    offset: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class MultiProduceRequest:
    """Several produce requests in one. It has no response."""

    produces: tuple[ProduceRequest, ...]


@dataclass(frozen=True, slots=True)
class MultiFetchRequest:
    """Several fetches in one, with one response that holds theirs in order."""

    fetches: tuple[FetchRequest, ...]


@dataclass(frozen=True, slots=True)
class OffsetsRequest:
    """A request for the offsets that a partition had before ``time_ms`` since the epoch.

    In its place :data:`LATEST_MS` begins at the end, and :data:`EARLIEST_MS` requests only the first offset.
    """

    topic: str
    partition: int
    time_ms: int
    max_offsets: int


AnsweredRequest = FetchRequest | MultiFetchRequest | OffsetsRequest
"""A request that has a response."""
Request = ProduceRequest | MultiProduceRequest | AnsweredRequest
Step = ProduceRequest | AnsweredRequest


def steps_of(request: Request) -> tuple[Step, ...]:
    """Return the parts in which a request can be served with pauses between them, to the same effect."""
    return request.produces if isinstance(request, MultiProduceRequest) else (request,)


# --- to bytes -------------------------------------------------------------------------------------------------------


def encode_request(request: Request) -> bytes:
    """Encode a whole request, length first; raise :class:`MalformedRequest` if a value does not fit into its field."""
    kind, body = _encode_body(request)
    return b"".join([int32(KIND_BYTES + sum(map(len, body))), int16(kind), *body])


def _encode_body(request: Request) -> tuple[int, Sequence[bytes]]:
    """Return the kind and the fields, in pieces: a message set is long and should be copied once."""
    match request:
        case ProduceRequest():
            return PRODUCE, _encode_produce(request)
        case FetchRequest():
            return FETCH, [_encode_fetch(request)]
        case MultiFetchRequest(fetches):
            return MULTI_FETCH, [_count(fetches), *map(_encode_fetch, fetches)]
        case MultiProduceRequest(produces):
            return MULTI_PRODUCE, [_count(produces), *chain.from_iterable(map(_encode_produce, produces))]
        case OffsetsRequest():
            return OFFSETS, [_encode_offsets(request)]


def _encode_produce(request: ProduceRequest) -> Sequence[bytes]:
    topic, partition, message_set = request
    return _produce_head(topic, partition), int32(len(message_set)), message_set


@lru_cache(maxsize=64)
def _produce_head(topic: str, partition: int) -> bytes:
    """Encode the fields before a message set and its length; cached, since a producer repeats them."""
    return string(topic) + int32(partition)


def _encode_fetch(request: FetchRequest) -> bytes:
    return string(request.topic) + int32(request.partition) + int64(request.offset) + int32(request.max_bytes)


def _encode_offsets(request: OffsetsRequest) -> bytes:
    return string(request.topic) + int32(request.partition) + int64(request.time_ms) + int32(request.max_offsets)


def _count(several: Sequence[object]) -> bytes:
    """Encode the count before several bodies, an int16. One text of the time omits it; source and clients do not."""
    return int16(len(several))


# --- from bytes -----------------------------------------------------------------------------------------------------


def decode_request(frame: bytes) -> Request:
    """Decode a request without its length field; raise :class:`MalformedRequest` if the bytes are not one.

    Bytes after the last field are ignored, as in 0.7.
    """
    if frame[:KIND_BYTES] == _PRODUCE_KIND:
        set_position = _HEAD_BYTES_BESIDE_TOPIC + int.from_bytes(frame[2:4], "big")
        set_bytes = int.from_bytes(frame[set_position - 4 : set_position], "big")
        if set_position + set_bytes == len(frame):
            topic, partition = _decode_produce_head(frame[: set_position - 4])
            return ProduceRequest(topic, partition, frame[set_position:])
    fields = FieldReader(frame, MalformedRequest)
    kind = fields.int16()
    if kind not in _DECODERS:
        raise fields.failed(f"there is no request of kind {kind}")
    return _DECODERS[kind](fields)


@lru_cache(maxsize=64)
def _decode_produce_head(head: bytes) -> tuple[str, int]:
    """Decode topic and partition, the fields of a produce request before its message set.

    Cached, since a busy producer repeats them.
    """
    fields = FieldReader(head, MalformedRequest)
    fields.int16()
    return fields.string(), fields.int32()


def _decode_produce(fields: FieldReader) -> ProduceRequest:
    topic = fields.string()
    partition = fields.int32()
    return ProduceRequest(topic, partition, fields.raw(fields.int32(), "a message set"))


def _decode_fetch(fields: FieldReader) -> FetchRequest:
    return FetchRequest(fields.string(), fields.int32(), fields.int64(), fields.int32())


def _decode_many(fields: FieldReader, decode: Callable[[FieldReader], Body]) -> tuple[Body, ...]:
    count = fields.int16()
    if count < 0:
        raise fields.failed(f"a count of {count}")
    return tuple([decode(fields) for _ in range(count)])


def _decode_offsets(fields: FieldReader) -> OffsetsRequest:
    return OffsetsRequest(fields.string(), fields.int32(), fields.int64(), fields.int32())


def _decode_multi_fetch(fields: FieldReader) -> MultiFetchRequest:
    return MultiFetchRequest(_decode_many(fields, _decode_fetch))


def _decode_multi_produce(fields: FieldReader) -> MultiProduceRequest:
    return MultiProduceRequest(_decode_many(fields, _decode_produce))


_DECODERS: Final[Mapping[int, Callable[[FieldReader], Request]]] = {
    PRODUCE: _decode_produce,
    FETCH: _decode_fetch,
    MULTI_FETCH: _decode_multi_fetch,
    MULTI_PRODUCE: _decode_multi_produce,
    OFFSETS: _decode_offsets,
}
