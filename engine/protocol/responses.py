"""Responses and their bytes (0.7: server/MessageSetSend.scala, MultiMessageSetSend.scala, api/OffsetRequest.scala).

A response is ``length(4) code(2) body``; the length counts the code, not itself. Produce requests have no response. The
broker writes headers only: the body of a fetch goes from the segment file to the socket without passing through here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

from engine.protocol.faults import NO_ERROR, UNKNOWN, MalformedResponse
from engine.protocol.fields import FieldReader, int32, int64, string

RESPONSE_MAX_BYTES: Final = (1 << 31) - 1
CODE_BYTES: Final = 2
HEADER_BYTES: Final = 6

_HEADER = Struct(">ih")


@dataclass(frozen=True, slots=True)
class Response:
    """The error code of a response, and the bytes that follow it."""

    error_code: int
    body: bytes


def response_header(body_bytes: int, error_code: int) -> bytes:
    """Encode the header before a body; ``CODE_BYTES + body_bytes`` must not be over :data:`RESPONSE_MAX_BYTES`."""
    return _HEADER.pack(CODE_BYTES + body_bytes, error_code)


def multi_fetch_header(responses_bytes: int) -> bytes:
    """Encode the header before the complete responses of a multi-fetch; its own code is always 0 (0.7)."""
    return response_header(responses_bytes, NO_ERROR)


def encode_offsets_response(offsets: Sequence[int]) -> bytes:
    """Encode the whole response to an offsets request."""
    body = int32(len(offsets)) + b"".join([int64(offset) for offset in offsets])
    return response_header(len(body), NO_ERROR) + body


def decode_response(frame: bytes) -> Response:
    """Decode a response without its length field; raise :class:`MalformedResponse`, as all below do."""
    fields = FieldReader(frame, MalformedResponse)
    return Response(fields.int16(), fields.raw(fields.remaining_bytes, "a body"))


def decode_multi_fetch(body: bytes, count: int) -> tuple[Response, ...]:
    """Decode the ``count`` complete responses that the body of a multi-fetch response must hold."""
    fields = FieldReader(body, MalformedResponse)
    responses = tuple([decode_response(fields.raw(fields.int32(), "a response")) for _ in range(count)])
    if fields.remaining_bytes:
        raise fields.failed(f"{fields.remaining_bytes} bytes after the last of {count} responses")
    return responses


def decode_offsets(body: bytes) -> tuple[int, ...]:
    """Decode the offsets in the body of a response, in its order: newest first."""
    fields = FieldReader(body, MalformedResponse)
    count = fields.int32()
    if count * 8 != fields.remaining_bytes:
        raise fields.failed(f"{count} offsets in {fields.remaining_bytes} bytes")
    return tuple([fields.int64() for _ in range(count)])


def encode_acknowledgement(offset: int, error: str) -> bytes:
    """Encode the response to a produce request: the offset of its set, and the error name, "" if it was appended.

    Ours alone, so it can say more than a code of 0.7; 0.7 sends nothing.
    """
    body = int64(offset) + string(error)
    return response_header(len(body), UNKNOWN if error else NO_ERROR) + body


def decode_acknowledgement(body: bytes) -> tuple[int, str]:
    """Decode the offset and the name of the error in the body of an acknowledgement."""
    fields = FieldReader(body, MalformedResponse)
    return fields.int64(), fields.string()
