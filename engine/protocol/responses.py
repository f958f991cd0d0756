"""Responses and their bytes (0.7: server/MessageSetSend.scala, MultiMessageSetSend.scala, api/OffsetRequest.scala).

A response is ``length(4) code(2) body``; the length counts the code, not itself. Produce requests have none. The
broker writes headers only: the body of a fetch goes from the segment file to the socket without passing through here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from struct import Struct
from typing import Final

from engine.protocol.faults import NO_ERROR, MalformedResponse
from engine.protocol.fields import FieldReader, int32, int64

RESPONSE_MAX_BYTES: Final = (1 << 31) - 1
CODE_BYTES: Final = 2
HEADER_BYTES: Final = 6

_HEADER = Struct(">ih")


@dataclass(frozen=True, slots=True)
class Answer:
    """The code of a response, and the bytes behind it."""

    error_code: int
    body: bytes


def response_header(body_bytes: int, error_code: int) -> bytes:
    """What goes before a body; ``CODE_BYTES + body_bytes`` must not be over :data:`RESPONSE_MAX_BYTES`."""
    return _HEADER.pack(CODE_BYTES + body_bytes, error_code)


def multi_fetch_header(responses_bytes: int) -> bytes:
    """What goes before the complete responses of a multi-fetch; its own code is always 0 (0.7)."""
    return response_header(responses_bytes, NO_ERROR)


def encode_offsets_response(offsets: Sequence[int]) -> bytes:
    """The whole response to a question for offsets."""
    body = int32(len(offsets)) + b"".join([int64(offset) for offset in offsets])
    return response_header(len(body), NO_ERROR) + body


def decode_answer(frame: bytes) -> Answer:
    """A response behind its length field; raises :class:`MalformedResponse`, as all below do."""
    fields = FieldReader(frame, MalformedResponse)
    return Answer(fields.int16(), fields.raw(fields.remaining_bytes, "a body"))


def decode_multi_fetch(body: bytes, count: int) -> tuple[Answer, ...]:
    """The ``count`` complete responses that a multi-fetch's body must hold."""
    fields = FieldReader(body, MalformedResponse)
    answers = tuple([decode_answer(fields.raw(fields.int32(), "a response")) for _ in range(count)])
    if fields.remaining_bytes:
        raise fields.failed(f"{fields.remaining_bytes} bytes behind the last of {count} responses")
    return answers


def decode_offsets(body: bytes) -> tuple[int, ...]:
    """The offsets in the body of an answer, in its order: the newest first."""
    fields = FieldReader(body, MalformedResponse)
    count = fields.int32()
    if count * 8 != fields.remaining_bytes:
        raise fields.failed(f"{count} offsets in {fields.remaining_bytes} bytes")
    return tuple([fields.int64() for _ in range(count)])
