"""Message sets: encoding, iteration, validation before an append, and previews.

A message set is a sequence of entries (see :mod:`engine.message.format`). A compressed set is one magic-1 entry, the
wrapper message, whose payload is a gzipped message set, so its inner messages have no offsets of their own (0.7:
message/CompressionUtils.scala).
"""

import zlib
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from engine.errors import InvalidMessage, InvalidMessageSize, MessageTooLarge
from engine.message.compression import (
    INFLATED_PIECE_BYTES,
    INNER_MESSAGE_MAX_BYTES,
    Inflater,
    InflationLimit,
    broken_set,
    deflate,
    inflate_start,
    require_gzip,
)
from engine.message.format import (
    GZIP,
    LENGTH_BYTES,
    MAGIC_0_HEADER,
    MAGIC_1,
    MAX_OVERHEAD_BYTES,
    NO_CODEC,
    SNAPPY,
    Entry,
    encode_magic_1,
    iterate_lengths,
    iterate_shallow,
    read_header,
    size_of_first,
)

NESTED_MAX: Final = 16
"""The maximum nesting of compressed sets; a gzip stream can be made that inflates to itself."""
PREVIEW_CHARACTERS: Final = 24
JOINERS: Final = "\u200c\u200d"  # zero width non-joiner and joiner

Message = tuple[int, int, bytes]
"""Offset, next offset and payload of one message, taken out of its compressed set if it came in one.

All messages of a compressed set carry the offset of the set. All but the last carry it as their next offset too, so a
consumer that commits halfway reads the whole set again (0.7: ByteBufferMessageSet).
"""


class DeepMessage(NamedTuple):
    """A :data:`Message` with named fields, for callers that store it."""

    offset: int
    next_offset: int
    payload: bytes


class CheckedSet(NamedTuple):
    """A validated set: the size of its whole entries, together and one by one; its messages, inner ones included."""

    size_bytes: int
    sizes: tuple[int, ...]
    messages: int


def encode_message_set(payloads: Sequence[bytes]) -> bytes:
    """Encode ``payloads`` as plain magic-0 entries, one after the other."""
    pack, crc32 = MAGIC_0_HEADER.pack, zlib.crc32
    parts: list[bytes] = []
    for payload in payloads:
        parts.append(pack(5 + len(payload), 0, crc32(payload)))
        parts.append(payload)
    return b"".join(parts)


def encode_compressed_set(payloads: Sequence[bytes]) -> bytes:
    """Encode ``payloads`` in one gzip wrapper message, deterministically; an empty set stays empty."""
    return encode_magic_1(deflate(encode_message_set(payloads)), GZIP) if payloads else b""


def iterate_deep(data: bytes, base_offset: int) -> Iterator[Message]:
    """Iterate over the messages of fetched bytes, those of compressed and nested sets one by one (0.7: iterator).

    Raises what :func:`iterate_shallow` raises, and at a compressed set: :class:`~engine.errors.UnsupportedCodec`
    (snappy) and :class:`~engine.errors.InvalidMessage` (unknown codec, or damaged inside). A set is decompressed piece
    by piece, so messages before damage inside it are delivered. An empty compressed set yields nothing.
    """
    limit = InflationLimit(len(data))
    for offset, next_offset, payload, codec in iterate_shallow(data, base_offset):
        if codec == NO_CODEC:
            yield offset, next_offset, payload
        else:
            yield from _messages_inside(payload, codec, offset, next_offset, limit)


def _messages_inside(
    packed: bytes, codec: int, offset: int, next_offset: int, limit: InflationLimit
) -> Iterator[Message]:
    waiting: list[bytes] = []  # only the last message advances the offset, so each is held until the next
    for payload, inner_codec in _leaves(packed, codec, offset, limit, NESTED_MAX):
        if inner_codec != NO_CODEC:
            require_gzip(inner_codec, offset)
        if waiting:
            yield offset, offset, waiting.pop()
        waiting.append(payload)
    for payload in waiting:
        yield offset, next_offset, payload


def _leaves(
    packed: bytes, codec: int, offset: int, limit: InflationLimit, levels_left: int
) -> Iterator[tuple[bytes, int]]:
    """Iterate over payload and codec of all that is not gzip in the entry at ``offset``: plain messages, snappy sets.

    An inner set follows the rules of an outer one: a partial entry after a whole one is ignored.
    """
    if codec == SNAPPY:
        yield packed, codec
        return
    require_gzip(codec, offset)
    if not levels_left:
        raise broken_set(offset, f"it nests more than {NESTED_MAX} compressed sets")
    inflater = Inflater(packed, offset, limit)
    rest = b""
    is_first = True
    ended = False
    while not ended:
        wanted_bytes = max(INFLATED_PIECE_BYTES, _required_size(rest, offset) - len(rest))
        more = inflater.read(wanted_bytes)
        rest += more
        ended = len(more) < wanted_bytes
        if size_of_first(rest) > len(rest) and (not ended or not is_first):
            continue
        entries = _entries_inside(rest, offset)
        for _, _, payload, inner_codec in entries:
            if inner_codec == NO_CODEC:
                yield payload, inner_codec
            else:
                yield from _leaves(payload, inner_codec, offset, limit, levels_left - 1)
        is_first = False
        rest = rest[entries[-1][1] :] if entries else b""


def _required_size(data: bytes, offset: int) -> int:
    size_bytes = size_of_first(data)
    if size_bytes > INNER_MESSAGE_MAX_BYTES:
        raise broken_set(offset, f"a message in it is longer than {INNER_MESSAGE_MAX_BYTES} bytes")
    return size_bytes


def _entries_inside(data: bytes, offset: int) -> list[Entry]:
    """Return the whole entries of inflated bytes; raise an error in one as an error of the set at ``offset``."""
    try:
        return list(iterate_shallow(data, 0))
    except (InvalidMessage, InvalidMessageSize) as error:
        raise broken_set(offset, f"inside it, {error.message}") from error


def check_set(data: bytes, max_message_bytes: int) -> CheckedSet:
    """Validate a set before it is appended. A partial entry after whole ones is left out of it (0.7.1).

    Raises :class:`~engine.errors.MessageTooLarge` if the payload of an entry is over ``max_message_bytes``, whatever
    other errors the set has (0.7.2: verifyMessageSize checks outer messages only, and first). Then
    :class:`~engine.errors.InvalidMessage` and :class:`~engine.errors.InvalidMessageSize` for the first bad entry.
    Their ``offset`` is a position in the set. Compressed sets are decompressed, in bounded memory. A snappy set cannot
    be: it counts as one message, where 0.7.2 counts its inner ones.
    """
    if len(data) > max_message_bytes:
        _require_none_too_large(data, max_message_bytes)
    limit = InflationLimit(len(data))
    sizes: list[int] = []
    size_bytes = inner_messages = compressed_sets = 0
    for offset, size_bytes, payload, codec in iterate_shallow(data, 0):
        sizes.append(size_bytes - offset)
        if codec != NO_CODEC:
            compressed_sets += 1
            inner_messages += sum(1 for _ in _leaves(payload, codec, offset, limit, NESTED_MAX))
    return CheckedSet(size_bytes, tuple(sizes), len(sizes) - compressed_sets + inner_messages)


def _require_none_too_large(data: bytes, max_message_bytes: int) -> None:
    """Check sizes by the headers alone, as far as they are valid. An unknown magic ends this; it is reported later."""
    for start, end in iterate_lengths(data):
        if data[start + LENGTH_BYTES] > MAGIC_1:
            return
        if end - start < MAX_OVERHEAD_BYTES:
            continue
        header = read_header(data[start : start + MAX_OVERHEAD_BYTES])
        if header.size_bytes - header.overhead_bytes > max_message_bytes:
            raise too_large(header.size_bytes - header.overhead_bytes, max_message_bytes, start)


def too_large(payload_bytes: int, max_message_bytes: int, offset: int) -> MessageTooLarge:
    """Return the error for a payload over the limit; ``offset`` is that of the message, or what it would be."""
    return MessageTooLarge(
        f"a payload of {payload_bytes} bytes is over the limit of {max_message_bytes}",
        "split the message, or raise max_message_bytes",
        offset=offset,
        payload_bytes=payload_bytes,
        max_message_bytes=max_message_bytes,
    )


def preview(payload: bytes, codec: int = NO_CODEC) -> str:
    """Return the first characters of a payload as text for display; for a compressed set, of its first message.

    Invalid UTF-8 is replaced by U+FFFD, control characters by a middle dot. Joiners stay where there is something to
    join: without them an emoji falls into its parts, and a Persian word is misspelled.
    """
    shown_bytes = 4 * PREVIEW_CHARACTERS  # no character of UTF-8 is longer than four bytes
    if codec == GZIP:
        payload = _first_inner_payload(payload, shown_bytes)
    text = payload[:shown_bytes].decode("utf-8", errors="replace")[:PREVIEW_CHARACTERS]
    if text.isprintable():
        return text
    return "".join([one if _can_be_shown(one, before) else "·" for before, one in zip(" " + text, text, strict=False)])


def _can_be_shown(character: str, before: str) -> bool:
    return character.isprintable() or (character in JOINERS and before != " " and before.isprintable())


def _first_inner_payload(packed: bytes, max_bytes: int) -> bytes:
    """Return the start of the first message of a compressed set, inflating no more than that; b"" if it is broken."""
    start = inflate_start(packed, MAX_OVERHEAD_BYTES + max_bytes)
    if len(start) < MAX_OVERHEAD_BYTES:
        return b""
    header = read_header(start)
    return start[header.overhead_bytes : max(header.overhead_bytes, header.size_bytes)]
