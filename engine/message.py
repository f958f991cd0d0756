"""Messages and message sets as bytes, exactly as the 2011 paper and 0.7 lay them out.

An *entry* is ``length(4) magic(1) crc(4) payload`` for magic 0, which is the paper's nine bytes of overhead, or
``length(4) magic(1) attributes(1) crc(4) payload`` for magic 1. Integers are big-endian, ``length`` does not
count itself, the CRC-32 covers the payload only (0.7: message/Message.scala). A message set is entries one
after the other. A compressed set is one magic-1 entry whose payload is a gzipped message set, so its inner
messages have no offsets of their own (0.7: message/CompressionUtils.scala).
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from struct import Struct

from engine.compression import GZIP_ATTRIBUTES, broken_set, codec_of, deflate, inflate, inflate_start
from engine.errors import InvalidMessage, InvalidMessageSize, MessageTooLarge, OffsetscopeError

LENGTH_BYTES = 4
PLAIN_OVERHEAD_BYTES = 9
WRAPPED_OVERHEAD_BYTES = 10
MAX_OVERHEAD_BYTES = WRAPPED_OVERHEAD_BYTES
PREVIEW_CHARACTERS = 24

_LENGTH = Struct(">i")
_PLAIN_HEADER = Struct(">iBI")
_WRAPPED_HEADER = Struct(">iBBI")
_CRC = Struct(">I")


class Ending(Enum):
    """Why a scan stopped where it stopped."""

    WHOLE = "the last entry ends where the bytes end"
    PARTIAL = "the bytes end inside an entry"
    BAD_SIZE = "the length cannot be that of a message"
    BAD_MESSAGE = "the bytes contradict the magic or the CRC"


@dataclass(frozen=True, slots=True)
class Scan:
    """The good entries at the start of some bytes: their ``sizes``, where they ``end``, why they end there.

    ``wrapped`` holds the positions of the magic-1 entries among them.
    """

    sizes: list[int]
    wrapped: list[int]
    end: int
    ending: Ending
    reason: str


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before a payload: the size of the whole entry, the bytes of the header itself, the CRC."""

    size_bytes: int
    overhead_bytes: int
    crc: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands in a log, compressed or not; offsets in bytes."""

    offset: int
    next_offset: int
    magic: int
    codec: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class DeepMessage:
    """One message, taken out of its compressed set if it came in one.

    Of a compressed set all messages carry the ``offset`` of the set; all but the last carry that offset as
    their ``next_offset`` too, so that a commit halfway reads the whole set again (0.7: ByteBufferMessageSet).
    """

    offset: int
    next_offset: int
    payload: bytes


@dataclass(frozen=True, slots=True)
class SetSummary:
    """What an append needs to know of a valid set: ``sizes`` entry by entry, ``messages`` with the inner ones."""

    sizes: tuple[int, ...]
    messages: int


def encode_message_set(payloads: Sequence[bytes]) -> bytes:
    """Plain magic-0 entries, one after the other."""
    pack = _PLAIN_HEADER.pack
    crc32 = zlib.crc32
    return b"".join([pack(5 + len(payload), 0, crc32(payload)) + payload for payload in payloads])


def encode_compressed_set(payloads: Sequence[bytes]) -> bytes:
    """One gzip entry that holds all ``payloads``, the same bytes every time; an empty set stays empty."""
    if not payloads:
        return b""
    packed = deflate(encode_message_set(payloads))
    return _WRAPPED_HEADER.pack(6 + len(packed), 1, GZIP_ATTRIBUTES, zlib.crc32(packed)) + packed


def read_header(data: bytes) -> Header:
    """The header at the start of ``data``, which must be :data:`MAX_OVERHEAD_BYTES` long; nothing is checked."""
    length, magic, crc = _PLAIN_HEADER.unpack_from(data)
    if magic == 0:
        return Header(LENGTH_BYTES + length, PLAIN_OVERHEAD_BYTES, crc)
    crc = _WRAPPED_HEADER.unpack_from(data)[3]
    return Header(LENGTH_BYTES + length, WRAPPED_OVERHEAD_BYTES, crc)


def scan_entries(data: bytes) -> Scan:
    """Walk the entries of ``data`` as far as sizes, magic and CRC are good. Never raises.

    One tight loop: every append and every recovery goes through it.
    """
    unpack_header = _PLAIN_HEADER.unpack_from
    crc32 = zlib.crc32
    sizes: list[int] = []
    wrapped: list[int] = []
    position = 0
    last_header = len(data) - PLAIN_OVERHEAD_BYTES
    while position <= last_header:
        length, magic, crc = unpack_header(data, position)
        size = length + 4
        next_position = position + size
        if length < 5 or next_position > len(data):
            break
        if magic == 0:
            if crc32(data[position + 9 : next_position]) != crc:
                break
        elif (
            magic == 1
            and length > 5
            and crc32(data[position + 10 : next_position]) == _CRC.unpack_from(data, position + 6)[0]
        ):
            wrapped.append(position)
        else:
            break
        sizes.append(size)
        position = next_position
    ending, reason = _diagnose(data, position)
    return Scan(sizes, wrapped, position, ending, reason)


def _diagnose(data: bytes, position: int) -> tuple[Ending, str]:
    """Say what is wrong with the entry at ``position``, where the scan stopped."""
    remaining = len(data) - position
    if remaining == 0:
        return Ending.WHOLE, ""
    if remaining < LENGTH_BYTES:
        return Ending.PARTIAL, f"{remaining} bytes are too few for a length"
    length: int = _LENGTH.unpack_from(data, position)[0]
    if length < 5:
        return Ending.BAD_SIZE, f"a message cannot have length {length}"
    if length > remaining - LENGTH_BYTES:
        return Ending.PARTIAL, f"the message is {length} bytes long and {remaining - LENGTH_BYTES} are left"
    magic = data[position + LENGTH_BYTES]
    if magic > 1:
        return Ending.BAD_MESSAGE, f"unknown magic {magic}"
    if magic == 1 and length < 6:
        return Ending.BAD_SIZE, f"a message of magic 1 cannot have length {length}"
    return Ending.BAD_MESSAGE, "the payload contradicts its CRC"


def _fault(scan: Scan, base_offset: int) -> OffsetscopeError:
    offset = base_offset + scan.end
    if scan.ending is Ending.BAD_MESSAGE:
        return InvalidMessage(
            f"the message at offset {offset} is damaged: {scan.reason}", "skip it, or restore the log", offset=offset
        )
    return InvalidMessageSize(
        f"no whole message at offset {offset}: {scan.reason}",
        "read from the start of a message, with max_bytes for at least one whole message",
        offset=offset,
    )


def iterate_shallow(data: bytes, base_offset: int) -> Iterator[Entry]:
    """The entries of fetched bytes; a part of an entry at the end is left for the next fetch.

    Raises, at the entry concerned: :class:`InvalidMessageSize` (a length that cannot be, or a first entry that
    is not there whole) and :class:`InvalidMessage` (CRC, magic, codec). Fewer than four bytes hold no entry and
    no error, as in 0.7.
    """
    scan = scan_entries(data)
    wrapped = set(scan.wrapped)
    position = 0
    for size in scan.sizes:
        offset = base_offset + position
        if position in wrapped:
            codec = codec_of(data[position + 5], offset)
            payload = data[position + WRAPPED_OVERHEAD_BYTES : position + size]
            yield Entry(offset, offset + size, 1, codec, payload)
        else:
            yield Entry(offset, offset + size, 0, "none", data[position + PLAIN_OVERHEAD_BYTES : position + size])
        position += size
    unreadable_first = scan.ending is Ending.PARTIAL and not scan.sizes and len(data) >= LENGTH_BYTES
    if unreadable_first or scan.ending in (Ending.BAD_SIZE, Ending.BAD_MESSAGE):
        raise _fault(scan, base_offset)


def iterate_deep(data: bytes, base_offset: int) -> Iterator[DeepMessage]:
    """The messages of fetched bytes, those of compressed sets one by one; raises as :func:`iterate_shallow`."""
    for entry in iterate_shallow(data, base_offset):
        if entry.codec == "none":
            yield DeepMessage(entry.offset, entry.next_offset, entry.payload)
            continue
        inner = inner_payloads(entry.payload, entry.offset)
        for payload in inner[:-1]:
            yield DeepMessage(entry.offset, entry.offset, payload)
        yield DeepMessage(entry.offset, entry.next_offset, inner[-1])


def inner_payloads(packed: bytes, offset: int) -> list[bytes]:
    """The messages of a compressed set, at least one; :class:`InvalidMessage` names ``offset`` if it is broken."""
    inflated = inflate(packed, offset)
    scan = scan_entries(inflated)
    if scan.ending is not Ending.WHOLE or not scan.sizes:
        raise broken_set(offset, scan.reason or "it holds no message")
    wrapped = set(scan.wrapped)
    payloads = []
    position = 0
    for size in scan.sizes:
        if position not in wrapped:
            payloads.append(inflated[position + PLAIN_OVERHEAD_BYTES : position + size])
        elif codec_of(inflated[position + 5], offset) == "none":
            payloads.append(inflated[position + WRAPPED_OVERHEAD_BYTES : position + size])
        else:
            raise broken_set(offset, "a message in it is compressed again")
        position += size
    return payloads


def summarize_set(data: bytes, max_message_bytes: int) -> SetSummary:
    """Check a whole set before it is appended.

    Raises :class:`InvalidMessage` and :class:`InvalidMessageSize` for the first bad entry, with its byte position
    in the set as ``offset``, and :class:`MessageTooLarge` if the payload of an entry is over
    ``max_message_bytes`` (0.7.2: verifyMessageSize looks at the outer message only).
    """
    scan = scan_entries(data)
    if scan.ending is not Ending.WHOLE:
        raise _fault(scan, 0)
    sizes = scan.sizes
    if sizes and max(sizes) > max_message_bytes + PLAIN_OVERHEAD_BYTES:
        _refuse_too_large(scan, max_message_bytes)
    messages = len(sizes)
    for position in scan.wrapped:
        if codec_of(data[position + 5], position) != "none":
            end = position + LENGTH_BYTES + _LENGTH.unpack_from(data, position)[0]
            messages += len(inner_payloads(data[position + WRAPPED_OVERHEAD_BYTES : end], position)) - 1
    return SetSummary(tuple(sizes), messages)


def _refuse_too_large(scan: Scan, max_message_bytes: int) -> None:
    position = 0
    for size in scan.sizes:
        payload_bytes = size - (WRAPPED_OVERHEAD_BYTES if position in scan.wrapped else PLAIN_OVERHEAD_BYTES)
        if payload_bytes > max_message_bytes:
            raise MessageTooLarge(
                f"a payload of {payload_bytes} bytes is over the limit of {max_message_bytes}",
                "split the message, or raise max_message_bytes",
                offset=position,
                payload_bytes=payload_bytes,
                max_message_bytes=max_message_bytes,
            )
        position += size


def preview(payload: bytes, codec: str = "none") -> str:
    """The first characters of a payload's text, for people; of a compressed set, of its first message.

    What cannot be shown is replaced: broken UTF-8 by U+FFFD, control characters by a middle dot.
    """
    shown_bytes = 4 * PREVIEW_CHARACTERS  # no character of UTF-8 is longer than four bytes
    if codec == "gzip":
        payload = _first_inner_payload(payload, shown_bytes)
    text = payload[:shown_bytes].decode("utf-8", errors="replace")[:PREVIEW_CHARACTERS]
    return "".join([character if character.isprintable() else "·" for character in text])


def _first_inner_payload(packed: bytes, max_bytes: int) -> bytes:
    """The start of the first message of a compressed set, inflating no more than that; b"" if it is broken."""
    start = inflate_start(packed, WRAPPED_OVERHEAD_BYTES + max_bytes)
    if len(start) < PLAIN_OVERHEAD_BYTES:
        return b""
    length = _LENGTH.unpack_from(start)[0]
    overhead = WRAPPED_OVERHEAD_BYTES if start[LENGTH_BYTES] == 1 else PLAIN_OVERHEAD_BYTES
    return start[overhead : max(overhead, LENGTH_BYTES + length)]
