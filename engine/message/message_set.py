"""Messages and message sets as bytes, exactly as the 2011 paper and 0.7 have them.

A message set is entries (see :mod:`engine.message.format`) one after the other. A compressed set is one magic-1 entry
whose payload is a gzipped message set, so its inner messages have no offsets of their own (0.7:
message/CompressionUtils.scala).
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.errors import MessageTooLarge
from engine.message.compression import (
    GZIP_ATTRIBUTES,
    INFLATED_MAX_BYTES,
    broken_set,
    codec_of,
    deflate,
    inflate,
    inflate_start,
)
from engine.message.encoding import encode_entries
from engine.message.format import (
    ATTRIBUTES_POSITION,
    LENGTH_BYTES,
    PLAIN_OVERHEAD_BYTES,
    WRAPPED_HEADER,
    WRAPPED_OVERHEAD_BYTES,
    Ending,
    Scan,
    fault_of,
    is_one_plain_entry,
    read_header,
    scan_entries,
)

PREVIEW_CHARACTERS = 24
JOINERS = "\u200c\u200d"  # zero width non-joiner and joiner


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it stands in a log, compressed or not; offsets in bytes."""

    offset: int
    next_offset: int
    magic: int
    codec: str
    payload: bytes


class DeepMessage(NamedTuple):
    """One message, taken out of its compressed set if it came in one. A named tuple, since there are so many of them.

    Of a compressed set all messages carry the ``offset`` of the set; all but the last carry that offset as
    their ``next_offset`` too, so that a commit halfway reads the whole set again (0.7: ByteBufferMessageSet).
    """

    offset: int
    next_offset: int
    payload: bytes


class SetSummary(NamedTuple):
    """What an append needs to know of a valid set: ``sizes`` entry by entry, ``messages`` with the inner ones."""

    sizes: tuple[int, ...]
    messages: int


def encode_message_set(payloads: Sequence[bytes]) -> bytes:
    """Plain magic-0 entries, one after the other."""
    return encode_entries(payloads)


def encode_compressed_set(payloads: Sequence[bytes]) -> bytes:
    """One gzip entry that holds all ``payloads``, the same bytes every time; an empty set stays empty."""
    if not payloads:
        return b""
    packed = deflate(encode_message_set(payloads))
    return WRAPPED_HEADER.pack(6 + len(packed), 1, GZIP_ATTRIBUTES, zlib.crc32(packed)) + packed


def iterate_shallow(data: bytes, base_offset: int) -> Iterator[Entry]:
    """The entries of fetched bytes; a part of an entry at the end is left for the next fetch.

    Raises, at the entry concerned: :class:`~engine.errors.InvalidMessageSize` (a length that cannot be, or a first
    entry that is not there whole) and :class:`~engine.errors.InvalidMessage` (CRC, magic, codec). Fewer than four
    bytes hold no entry and no error, as in 0.7.
    """
    for offset, next_offset, magic, codec, payload in _walk(data, base_offset):
        yield Entry(offset, next_offset, magic, codec, payload)


def iterate_deep(data: bytes, base_offset: int) -> Iterator[DeepMessage]:
    """The messages of fetched bytes, those of compressed sets one by one; raises as :func:`iterate_shallow`."""
    for offset, next_offset, _, codec, payload in _walk(data, base_offset):
        if codec == "none":
            yield DeepMessage(offset, next_offset, payload)
            continue
        inner = inner_payloads(payload, offset)
        for inner_payload in inner[:-1]:
            yield DeepMessage(offset, offset, inner_payload)
        yield DeepMessage(offset, next_offset, inner[-1])


def _walk(data: bytes, base_offset: int) -> Iterator[tuple[int, int, int, str, bytes]]:
    """Offset, next offset, magic, codec and payload of each entry, then the error that ends them if there is one."""
    scan = scan_entries(data)
    wrapped = set(scan.wrapped)
    position = 0
    for size in scan.sizes:
        offset = base_offset + position
        end = position + size
        if position in wrapped:
            codec = codec_of(data[position + ATTRIBUTES_POSITION], offset)
            yield offset, offset + size, 1, codec, data[position + WRAPPED_OVERHEAD_BYTES : end]
        else:
            yield offset, offset + size, 0, "none", data[position + PLAIN_OVERHEAD_BYTES : end]
        position = end
    unreadable_first = scan.ending is Ending.PARTIAL and not scan.sizes and len(data) >= LENGTH_BYTES
    if unreadable_first or scan.ending in (Ending.BAD_SIZE, Ending.BAD_MESSAGE):
        raise fault_of(scan, base_offset)


def inner_payloads(packed: bytes, offset: int) -> list[bytes]:
    """The messages of a compressed set, at least one.

    Raises :class:`~engine.errors.InvalidMessage`, which names ``offset``, if the set cannot be opened.
    """
    inflated = inflate(packed, offset)
    scan = _scan_inner(inflated, offset)
    wrapped = set(scan.wrapped)
    payloads = []
    position = 0
    for size in scan.sizes:
        overhead_bytes = WRAPPED_OVERHEAD_BYTES if position in wrapped else PLAIN_OVERHEAD_BYTES
        payloads.append(inflated[position + overhead_bytes : position + size])
        position += size
    return payloads


def _scan_inner(inflated: bytes, offset: int) -> Scan:
    """The entries of an opened set; none of them is compressed again."""
    scan = scan_entries(inflated)
    if scan.ending is not Ending.WHOLE or not scan.sizes:
        raise broken_set(offset, scan.reason or "it holds no message")
    if any(codec_of(inflated[position + ATTRIBUTES_POSITION], offset) != "none" for position in scan.wrapped):
        raise broken_set(offset, "a message in it is compressed again")
    return scan


def summarize_set(data: bytes, max_message_bytes: int) -> SetSummary:
    """Check a whole set before it is appended.

    Raises :class:`~engine.errors.InvalidMessage` and :class:`~engine.errors.InvalidMessageSize` for the first bad
    entry, with its byte position in the set as ``offset``, and :class:`~engine.errors.MessageTooLarge` if the payload
    of an entry is over ``max_message_bytes`` (0.7.2: verifyMessageSize looks at the outer message only). All that is
    compressed in it may inflate to :data:`INFLATED_MAX_BYTES` together, for the work of a set must
    be bounded.
    """
    size = len(data)
    if size <= max_message_bytes + PLAIN_OVERHEAD_BYTES and is_one_plain_entry(data):
        return SetSummary((size,), 1)
    scan = scan_entries(data)
    if scan.ending is not Ending.WHOLE:
        raise fault_of(scan, 0)
    sizes = scan.sizes
    if len(data) > max_message_bytes and max(sizes) > max_message_bytes + PLAIN_OVERHEAD_BYTES:
        _refuse_too_large(scan, max_message_bytes)
    messages = len(sizes)
    room_bytes = INFLATED_MAX_BYTES
    for position in scan.wrapped:
        if codec_of(data[position + ATTRIBUTES_POSITION], position) != "none":
            start = position + WRAPPED_OVERHEAD_BYTES
            end = position + read_header(data[position:start]).size_bytes
            inflated = inflate(data[start:end], position, room_bytes)
            room_bytes -= len(inflated)
            messages += len(_scan_inner(inflated, position).sizes) - 1
    return SetSummary(tuple(sizes), messages)


def _refuse_too_large(scan: Scan, max_message_bytes: int) -> None:
    position = 0
    for size in scan.sizes:
        payload_bytes = size - (WRAPPED_OVERHEAD_BYTES if position in scan.wrapped else PLAIN_OVERHEAD_BYTES)
        if payload_bytes > max_message_bytes:
            raise too_large(payload_bytes, max_message_bytes, position)
        position += size


def too_large(payload_bytes: int, max_message_bytes: int, offset: int) -> MessageTooLarge:
    """The error for a payload over the limit; ``offset`` is where it stands, or would stand."""
    return MessageTooLarge(
        f"a payload of {payload_bytes} bytes is over the limit of {max_message_bytes}",
        "split the message, or raise max_message_bytes",
        offset=offset,
        payload_bytes=payload_bytes,
        max_message_bytes=max_message_bytes,
    )


def preview(payload: bytes, codec: str = "none") -> str:
    """The first characters of a payload's text, for people; of a compressed set, of its first message.

    What cannot be shown is replaced: broken UTF-8 by U+FFFD, control characters by a middle dot. Joiners stay where
    there is something to join: without them an emoji falls into its parts, and a Persian word is misspelled.
    """
    shown_bytes = 4 * PREVIEW_CHARACTERS  # no character of UTF-8 is longer than four bytes
    if codec == "gzip":
        payload = _first_inner_payload(payload, shown_bytes)
    text = payload[:shown_bytes].decode("utf-8", errors="replace")[:PREVIEW_CHARACTERS]
    if text.isprintable():
        return text
    return "".join([one if _can_be_shown(one, before) else "·" for before, one in zip(" " + text, text, strict=False)])


def _can_be_shown(character: str, before: str) -> bool:
    return character.isprintable() or (character in JOINERS and before != " " and before.isprintable())


def _first_inner_payload(packed: bytes, max_bytes: int) -> bytes:
    """The start of the first message of a compressed set, inflating no more than that; b"" if it is broken."""
    start = inflate_start(packed, WRAPPED_OVERHEAD_BYTES + max_bytes)
    if len(start) < WRAPPED_OVERHEAD_BYTES:
        return b""
    header = read_header(start)
    return start[header.overhead_bytes : max(header.overhead_bytes, header.size_bytes)]
