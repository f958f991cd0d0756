"""Gzip compression and decompression of message sets, in bounded memory.

Snappy (0.7.1 and later) is recognized but not decompressed: the standard library has no codec for it.
"""

import zlib
from typing import Final

from engine.errors import InvalidMessage, OffsetscopeError, UnsupportedCodec
from engine.message.format import GZIP, SNAPPY

INFLATED_PIECE_BYTES: Final = 256 * 1024
INFLATION_MAX: Final = 1032
"""The most bytes that DEFLATE can produce from one byte; only gzip inside gzip can exceed it."""
NESTED_ROOM_BYTES: Final = 1024 * 1024
INNER_MESSAGE_MAX_BYTES: Final = 100 * 1024 * 1024
"""No request of 0.7 is longer (socket.request.max.bytes), so no message is."""

_GZIP_FORMAT: Final = 31  # zlib's name for "gzip, the largest window"
_GZIP_START: Final = b"\x1f\x8b"
_LEVEL: Final = 6
_PACKED_PIECE_BYTES: Final = 64 * 1024


def deflate(data: bytes) -> bytes:
    """Compress ``data`` to one gzip stream. It is deterministic: it carries no time and no file name."""
    return zlib.compress(data, _LEVEL, wbits=_GZIP_FORMAT)


class InflationLimit:
    """A budget of the bytes that the compressed sets of one message set may inflate to, at all levels together.

    A single level cannot exceed it: it allows :data:`INFLATION_MAX` bytes for each byte sent. Gzip inside gzip can,
    and gets at least :data:`NESTED_ROOM_BYTES`. So the work that a request causes is bounded by its size.
    """

    def __init__(self, sent_bytes: int) -> None:
        self._room_bytes = max(NESTED_ROOM_BYTES, INFLATION_MAX * sent_bytes)

    def spend(self, inflated_bytes: int, offset: int) -> None:
        """Subtract ``inflated_bytes``; raise :class:`InvalidMessage`, which names ``offset``, if too few are left."""
        self._room_bytes -= inflated_bytes
        if self._room_bytes < 0:
            raise broken_set(offset, f"gzip inside gzip inflates to more than {INFLATION_MAX} times what was sent")


class Inflater:
    """A reader that inflates a gzip stream piece by piece; errors are :class:`InvalidMessage` and name ``offset``."""

    def __init__(self, packed: bytes, offset: int, limit: InflationLimit) -> None:
        self._packed = packed
        self._position = 0
        self._offset = offset
        self._limit = limit
        self._stream = zlib.decompressobj(_GZIP_FORMAT)

    def read(self, at_least_bytes: int) -> bytes:
        """Return the next bytes: at least ``at_least_bytes`` unless the stream ends first, and not many more."""
        pieces: list[bytes] = []
        missing_bytes = at_least_bytes
        while missing_bytes > 0 and (piece := self._next_piece()):
            pieces.append(piece)
            missing_bytes -= len(piece)
        return b"".join(pieces)

    def _next_piece(self) -> bytes:
        """Return some bytes, b"" at the end. Each call passes zlib little input: it copies what it does not consume."""
        while not self._stream.eof or self._begin_next_member():
            start = self._stream.unconsumed_tail
            if not start:
                start = self._packed[self._position : self._position + _PACKED_PIECE_BYTES]
                self._position += len(start)
            try:
                piece = self._stream.decompress(start, INFLATED_PIECE_BYTES)
            except zlib.error as error:
                raise broken_set(self._offset, f"gzip reports {error}") from error
            if piece:
                self._limit.spend(len(piece), self._offset)
                return piece
            if not start and not self._stream.eof:
                raise broken_set(self._offset, "its gzip stream is truncated")
        return b""

    def _begin_next_member(self) -> bool:
        """Start the next gzip member after the one that ended, if any (Java: GZIPInputStream); ignore other bytes."""
        position = self._position - len(self._stream.unused_data)
        if self._packed[position : position + len(_GZIP_START)] != _GZIP_START:
            return False
        self._position = position
        self._stream = zlib.decompressobj(_GZIP_FORMAT)
        return True


def inflate_start(packed: bytes, max_bytes: int) -> bytes:
    """Return at most the first ``max_bytes`` that a gzip stream inflates to; b"" if it cannot be read."""
    try:
        return zlib.decompressobj(_GZIP_FORMAT).decompress(packed, max_bytes)
    except zlib.error:
        return b""


def require_gzip(codec: int, offset: int) -> None:
    """Raise unless ``codec`` is gzip, the only one that can be decompressed here.

    Raises :class:`~engine.errors.UnsupportedCodec` for snappy, and :class:`~engine.errors.InvalidMessage` for a codec
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
