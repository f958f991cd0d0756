"""Compressed message sets: gzip in and out, in bounded memory.

Snappy (0.7.1 and later) is recognized and not inflated, since the standard library has none.
"""

import zlib
from typing import Final

from engine.errors import InvalidMessage, OffsetscopeError, UnsupportedCodec
from engine.message.format import GZIP, SNAPPY

INFLATED_PIECE_BYTES: Final = 256 * 1024
INFLATION_MAX: Final = 1032
"""What DEFLATE can make of one byte at most, so that only gzip inside gzip can make more."""
NESTED_ROOM_BYTES: Final = 1024 * 1024
INNER_MESSAGE_MAX_BYTES: Final = 100 * 1024 * 1024
"""No request of 0.7 is longer (socket.request.max.bytes), so no message is."""

_GZIP_FORMAT: Final = 31  # zlib's name for "gzip, the largest window"
_GZIP_START: Final = b"\x1f\x8b"
_LEVEL: Final = 6
_PACKED_PIECE_BYTES: Final = 64 * 1024


def deflate(data: bytes) -> bytes:
    """``data`` as one gzip stream, the same every time: it carries no time and no name."""
    return zlib.compress(data, _LEVEL, wbits=_GZIP_FORMAT)


class InflationLimit:
    """A count of the bytes that the compressed sets of one message set may still inflate to, all levels together.

    A single level cannot exceed it: it allows :data:`INFLATION_MAX` bytes for each one that was sent. Gzip inside gzip
    can, and gets :data:`NESTED_ROOM_BYTES` at least. So the work that a request causes is bounded by its size.
    """

    def __init__(self, sent_bytes: int) -> None:
        self._room_bytes = max(NESTED_ROOM_BYTES, INFLATION_MAX * sent_bytes)

    def spend(self, inflated_bytes: int, offset: int) -> None:
        """Raise :class:`~engine.errors.InvalidMessage`, which names ``offset``, if that is too much."""
        self._room_bytes -= inflated_bytes
        if self._room_bytes < 0:
            raise broken_set(offset, f"gzip inside gzip inflates to more than {INFLATION_MAX} times what was sent")


class Inflater:
    """A gzip stream that is inflated piece by piece; errors are :class:`InvalidMessage` and name ``offset``."""

    def __init__(self, packed: bytes, offset: int, limit: InflationLimit) -> None:
        self._packed = packed
        self._position = 0
        self._offset = offset
        self._limit = limit
        self._stream = zlib.decompressobj(_GZIP_FORMAT)

    def read(self, at_least_bytes: int) -> bytes:
        """The next bytes, ``at_least_bytes`` of them unless the stream ends before, and not many more."""
        pieces: list[bytes] = []
        missing_bytes = at_least_bytes
        while missing_bytes > 0 and (piece := self._next_piece()):
            pieces.append(piece)
            missing_bytes -= len(piece)
        return b"".join(pieces)

    def _next_piece(self) -> bytes:
        """Some bytes of the stream; b"" at its end. Each call hands little to zlib, which copies what it leaves."""
        while not self._stream.eof or self._begin_next_member():
            start = self._stream.unconsumed_tail
            if not start:
                start = self._packed[self._position : self._position + _PACKED_PIECE_BYTES]
                self._position += len(start)
            try:
                piece = self._stream.decompress(start, INFLATED_PIECE_BYTES)
            except zlib.error as error:
                raise broken_set(self._offset, f"gzip says {error}") from error
            if piece:
                self._limit.spend(len(piece), self._offset)
                return piece
            if not start and not self._stream.eof:
                raise broken_set(self._offset, "its gzip stream is cut short")
        return b""

    def _begin_next_member(self) -> bool:
        """Go on with a gzip stream behind the one that ended (Java: GZIPInputStream); other bytes are left."""
        position = self._position - len(self._stream.unused_data)
        if self._packed[position : position + len(_GZIP_START)] != _GZIP_START:
            return False
        self._position = position
        self._stream = zlib.decompressobj(_GZIP_FORMAT)
        return True


def inflate_start(packed: bytes, max_bytes: int) -> bytes:
    """The first ``max_bytes`` of a gzip stream at most; b"" if it cannot be read."""
    try:
        return zlib.decompressobj(_GZIP_FORMAT).decompress(packed, max_bytes)
    except zlib.error:
        return b""


def require_gzip(codec: int, offset: int) -> None:
    """Raise what stands in the way of looking into a set of another ``codec``.

    That is :class:`~engine.errors.UnsupportedCodec` for snappy, and :class:`~engine.errors.InvalidMessage` for a codec
    that 0.7.2 does not know either.
    """
    if codec != GZIP:
        raise _unreadable(codec, offset)


def _unreadable(codec: int, offset: int) -> OffsetscopeError:
    if codec == SNAPPY:
        return UnsupportedCodec(
            f"the message at offset {offset} is compressed with snappy, which cannot be read without a snappy library",
            "skip it, read it with a client that has one, or let producers use gzip",
            offset=offset,
            codec="snappy",
        )
    return InvalidMessage(
        f"the message at offset {offset} is compressed with codec {codec}, which 0.7 does not know",
        "skip it, or restore the log; producers use gzip (codec 1)",
        offset=offset,
    )


def broken_set(offset: int, reason: str) -> InvalidMessage:
    """The error for a compressed set that cannot be opened."""
    return InvalidMessage(
        f"the compressed set at offset {offset} cannot be opened: {reason}",
        "skip it, or restore the log",
        offset=offset,
    )
