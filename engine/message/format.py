"""The byte format of logs and message sets, as in the 2011 paper and 0.7, and iterators over it.

An entry is ``length(4) magic(1) crc(4) payload`` for magic 0, which is the paper's nine bytes of overhead, or
``length(4) magic(1) attributes(1) crc(4) payload`` for magic 1. Integers are big-endian, ``length`` does not
count itself, the CRC-32 covers the payload only (0.7: message/Message.scala). The low two bits of the attributes
give the codec of the payload (0.7: message/CompressionCodec.scala).
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import Final

from engine.errors import InvalidMessage, InvalidMessageSize

LENGTH_BYTES: Final = 4
MAGIC_0_OVERHEAD_BYTES: Final = 9
MAGIC_1_OVERHEAD_BYTES: Final = 10
MAX_OVERHEAD_BYTES: Final = MAGIC_1_OVERHEAD_BYTES
MAGIC_0: Final = 0
MAGIC_1: Final = 1

NO_CODEC: Final = 0
GZIP: Final = 1
SNAPPY: Final = 2

Entry = tuple[int, int, bytes, int]
"""Offset, next offset, payload and codec of an entry. A plain tuple: a named one makes reading a third slower."""

_CODEC_MASK: Final = 0b11
_ATTRIBUTES_POSITION: Final = 5
_CRC_POSITION: Final = 6  # of magic 1
MAGIC_0_HEADER: Final = Struct(">iBI")
_MAGIC_1_HEADER: Final = Struct(">iBBI")
_LENGTH: Final = Struct(">i")
_CRC: Final = Struct(">I")


@dataclass(frozen=True, slots=True)
class Header:
    """The fields before a payload: the size of the whole entry, the size of the header, magic, attributes, CRC."""

    size_bytes: int
    overhead_bytes: int
    magic: int
    attributes: int
    crc: int


def read_header(data: bytes) -> Header:
    """Read the header at the start of ``data``, which must hold :data:`MAX_OVERHEAD_BYTES`; nothing is checked."""
    length, magic, crc = MAGIC_0_HEADER.unpack_from(data)
    if magic == MAGIC_0:
        return Header(LENGTH_BYTES + length, MAGIC_0_OVERHEAD_BYTES, magic, 0, crc)
    attributes, crc = _MAGIC_1_HEADER.unpack_from(data)[2:]
    return Header(LENGTH_BYTES + length, MAGIC_1_OVERHEAD_BYTES, magic, attributes, crc)


def codec_of(header: Header) -> int:
    """Return the codec in the attributes of a header."""
    return header.attributes & _CODEC_MASK


def encode_magic_1(payload: bytes, codec: int) -> bytes:
    """Encode one magic-1 entry; ``payload`` is already compressed with ``codec``."""
    return _MAGIC_1_HEADER.pack(6 + len(payload), MAGIC_1, codec, zlib.crc32(payload)) + payload


def iterate_shallow(data: bytes, base_offset: int) -> Iterator[Entry]:
    """Iterate over the entries of ``data``, which begins at ``base_offset`` of its log; check magic, size and CRC.

    A partial entry at the end is left for the next fetch. Raises, at the entry concerned:
    :class:`~engine.errors.InvalidMessageSize` (an impossible length, or an incomplete first entry) and
    :class:`~engine.errors.InvalidMessage` (CRC or magic). Fewer than four bytes yield no entry and no error (0.7:
    ByteBufferMessageSet.shallowIterator). The codec is not checked: decompression does that.
    """
    unpack_header, crc32 = MAGIC_0_HEADER.unpack_from, zlib.crc32
    position, end = 0, len(data)
    last_header = end - MAGIC_0_OVERHEAD_BYTES
    while position <= last_header:
        length, magic, crc = unpack_header(data, position)
        next_position = position + length + 4
        if length < 5 or next_position > end:
            break
        if magic == 0:
            codec = NO_CODEC
            payload = data[position + 9 : next_position]
        elif magic == 1 and length > 5:
            codec = data[position + _ATTRIBUTES_POSITION] & _CODEC_MASK
            crc = _CRC.unpack_from(data, position + _CRC_POSITION)[0]
            payload = data[position + 10 : next_position]
        else:
            break
        if crc32(payload) != crc:
            break
        yield base_offset + position, base_offset + next_position, payload, codec
        position = next_position
    _require_good_end(data, position, base_offset)


def _require_good_end(data: bytes, position: int, base_offset: int) -> None:
    """Raise the error of the entry at ``position``, where the iteration stopped, if it has one."""
    remaining = len(data) - position - LENGTH_BYTES
    if remaining < 0:
        return
    offset = base_offset + position
    length: int = _LENGTH.unpack_from(data, position)[0]
    if length > remaining:
        if position:
            return  # a partial entry after a whole one is left for the next fetch
        raise invalid_size(offset, f"the message is {length} bytes long and {remaining} are left")
    if length < 5:
        raise invalid_size(offset, f"a message cannot have length {length}")
    magic = data[position + LENGTH_BYTES]
    if magic > MAGIC_1:
        raise damaged(offset, f"unknown magic {magic}")
    if magic == MAGIC_1 and length < 6:
        raise invalid_size(offset, f"a message of magic 1 cannot have length {length}")
    raise damaged(offset, "the payload does not match its CRC")


def size_of_first(data: bytes) -> int:
    """Return the size of the first entry of ``data`` by its length field, at least 4; 4 if the field is not whole."""
    if len(data) < LENGTH_BYTES:
        return LENGTH_BYTES
    return max(LENGTH_BYTES, LENGTH_BYTES + int(_LENGTH.unpack_from(data)[0]))


def iterate_lengths(data: bytes) -> Iterator[tuple[int, int]]:
    """Iterate over start and end of each whole entry of ``data``, by the lengths alone: damaged entries count too.

    Stops at a partial entry, and at a length of less than one byte.
    """
    position, last_length, end = 0, len(data) - LENGTH_BYTES, len(data)
    while position <= last_length:
        length = _LENGTH.unpack_from(data, position)[0]
        next_position = position + LENGTH_BYTES + length
        if length < 1 or next_position > end:
            return
        yield position, next_position
        position = next_position


def damaged(offset: int, reason: str) -> InvalidMessage:
    """Return the error for a damaged entry at ``offset``."""
    return InvalidMessage(
        f"the message at offset {offset} is damaged: {reason}", "skip it, or restore the log", offset=offset
    )


def invalid_size(offset: int, reason: str) -> InvalidMessageSize:
    """Return the error for bytes at ``offset`` that cannot be a whole entry."""
    return InvalidMessageSize(
        f"no whole message at offset {offset}: {reason}",
        "read from the start of a message, with max_bytes for at least one whole message",
        offset=offset,
    )
