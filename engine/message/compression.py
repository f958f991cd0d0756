"""Compressed bytes of a message set: gzip, and nothing else, as in the 0.7 of 2011.

The attributes byte of a magic-1 message names the codec in its low two bits (0.7: CompressionCodec.scala).
"""

import zlib

from engine.errors import InvalidMessage

INFLATED_MAX_BYTES = 16 * 1024 * 1024
GZIP_ATTRIBUTES = 1

_FORMAT = 31  # zlib's name for "gzip, the largest window"
_LEVEL = 6
_CODEC_MASK = 0b11
_SNAPPY = 2  # known to 0.7.1 and later; the standard library cannot inflate it
_CODECS = {0: "none", GZIP_ATTRIBUTES: "gzip"}


def codec_of(attributes: int, offset: int) -> str:
    """``none`` or ``gzip``; :class:`InvalidMessage` names ``offset`` if it is neither."""
    codec = attributes & _CODEC_MASK
    if codec not in _CODECS:
        snappy = codec == _SNAPPY
        problem = "snappy (codec 2), which is not supported" if snappy else f"codec {codec}, which nobody knows"
        raise InvalidMessage(
            f"the message at offset {offset} is compressed with {problem}", "use gzip (codec 1)", offset=offset
        )
    return _CODECS[codec]


def deflate(data: bytes) -> bytes:
    """``data`` as one gzip stream, the same every time: it carries no time and no name."""
    return zlib.compress(data, _LEVEL, wbits=_FORMAT)


def inflate(packed: bytes, offset: int, max_bytes: int = INFLATED_MAX_BYTES) -> bytes:
    """The bytes of a whole gzip stream; :class:`InvalidMessage` names ``offset`` if it is damaged.

    So it does if they are more than ``max_bytes``: a thousandth of them may have been sent.
    """
    if max_bytes <= 0:  # to zlib that would be no limit at all
        raise _too_much(offset)
    inflater = zlib.decompressobj(_FORMAT)
    try:
        inflated = inflater.decompress(packed, max_bytes)
    except zlib.error as error:
        raise broken_set(offset, f"gzip says {error}") from error
    if inflater.eof:
        return inflated
    if len(inflated) == max_bytes:
        raise _too_much(offset)
    raise broken_set(offset, "its gzip stream is cut short")


def inflate_start(packed: bytes, max_bytes: int) -> bytes:
    """The first ``max_bytes`` of a gzip stream at most; b"" if it cannot be read."""
    try:
        return zlib.decompressobj(_FORMAT).decompress(packed, max_bytes)
    except zlib.error:
        return b""


def broken_set(offset: int, reason: str) -> InvalidMessage:
    """The error for a compressed set that cannot be opened."""
    return InvalidMessage(
        f"the compressed set at offset {offset} cannot be opened: {reason}",
        "skip it, or restore the log",
        offset=offset,
    )


def _too_much(offset: int) -> InvalidMessage:
    return broken_set(offset, f"a message set may inflate to {INFLATED_MAX_BYTES} bytes, and this is more")
