"""The bytes of the feed: server frames of the WebSocket protocol (RFC 6455), encoded once for all viewers.

A server does not mask its frames, so the same bytes serve every viewer. Events are joined as the journal's bytes,
without parsing.
"""

import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

from engine.errors import OffsetscopeError
from webapp.room.digests import Digest
from webapp.room.pace import ClockFacts

_TEXT = 0x81
_CLOSE = 0x88


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of the journal as one WebSocket frame: it takes a viewer from ``offset`` to ``next_offset``.

    ``cost_bytes`` is subtracted from the viewer's credit: the journal's bytes, or its own size if it is a digest.
    After a summary the viewer waits for the exact state.
    """

    offset: int
    next_offset: int
    cost_bytes: int
    is_summary: bool
    data: bytes


def events_frame(offset: int, next_offset: int, end_offset: int, clock: ClockFacts, payloads: Sequence[bytes]) -> Frame:
    """Encode ``{"offset", "next", "end", "clock", "events"}``; without events it has only offsets and the clock."""
    head = {"offset": offset, "next": next_offset, "end": end_offset, "clock": clock.as_json()}
    text = b'%s,"events":[%s]}' % (_compact(head)[:-1], b",".join(payloads))
    data = _frame(_TEXT, text)
    return Frame(offset, next_offset, next_offset - offset, is_summary=False, data=data)


def digest_frame(digest: Digest, clock: ClockFacts) -> Frame:
    """Encode as :func:`events_frame` without events, with the state at ``next``; ``end`` is the digests' end."""
    place = {"offset": digest.offset, "next": digest.next_offset, "end": digest.next_offset}
    head = _compact({**place, "clock": clock.as_json(), "events": []})
    data = _frame(_TEXT, b'%s,"digest":%s}' % (head[:-1], digest.body))
    return Frame(digest.offset, digest.next_offset, len(data), is_summary=not digest.is_exact, data=data)


def error_frame(error: OffsetscopeError) -> bytes:
    """Encode ``{"error": {"code", "message", "remedy", ...}}``."""
    return _frame(_TEXT, _compact({"error": error.as_json()}))


def close_frame(code: int, reason: str) -> bytes:
    """Encode the last frame: a status code of RFC 6455 and a reason of at most 123 bytes."""
    return _frame(_CLOSE, struct.pack("!H", code) + reason.encode()[:123])


def _compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _frame(opcode: int, payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", opcode, size)
    elif size < 65_536:
        head = struct.pack("!BBH", opcode, 126, size)
    else:
        head = struct.pack("!BBQ", opcode, 127, size)
    return head + payload
