"""Parsing of message sets without the engine's own decoder, so that a fault in the decoder shows."""

import zlib
from collections.abc import Iterator

LENGTH_BYTES = 4
MAGIC_POSITION = 4
ATTRIBUTES_POSITION = 5
OVERHEAD_BYTES = {0: 9, 1: 10}
"""The number of bytes before the payload, by magic; the last four of them are its CRC."""
GZIP = 1
CODEC_MASK = 3


def entries_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield each entry with its position; the bytes must be whole entries, and no CRC is checked."""
    position = 0
    while position < len(data):
        size_bytes = LENGTH_BYTES + int.from_bytes(data[position : position + LENGTH_BYTES], "big")
        yield position, data[position : position + size_bytes]
        position += size_bytes


def count_messages(data: bytes) -> int:
    """Count the messages in whole entries; those inside a wrapper message count singly."""
    return sum(_messages_in(entry) for _, entry in entries_of(data))


def message_ends(data: bytes, base_offset: int) -> list[int]:
    """Return, for each message in whole valid entries, the consumer's position after it.

    In a wrapper message all messages but the last leave the position at its start (0.7: ByteBufferMessageSet).
    """
    ends: list[int] = []
    for position, entry in entries_of(data):
        ends += [base_offset + position] * (_messages_in(entry) - 1)
        ends.append(base_offset + position + len(entry))
    return ends


def starts_with_whole_entry(data: bytes) -> bool:
    """Return whether bytes begin with a whole, undamaged entry, including the messages inside a wrapper message."""
    if len(data) <= MAGIC_POSITION or data[MAGIC_POSITION] not in OVERHEAD_BYTES:
        return False
    overhead_bytes = OVERHEAD_BYTES[data[MAGIC_POSITION]]
    size_bytes = LENGTH_BYTES + int.from_bytes(data[:LENGTH_BYTES], "big")
    if not overhead_bytes <= size_bytes <= len(data):
        return False
    crc, payload = data[overhead_bytes - 4 : overhead_bytes], data[overhead_bytes:size_bytes]
    if int.from_bytes(crc, "big") != zlib.crc32(payload):
        return False
    return not _is_compressed(data) or all(starts_with_whole_entry(inner) for _, inner in entries_of(_inflated(data)))


def _messages_in(entry: bytes) -> int:
    return count_messages(_inflated(entry)) if _is_compressed(entry) else 1


def _is_compressed(entry: bytes) -> bool:
    return entry[MAGIC_POSITION] == 1 and entry[ATTRIBUTES_POSITION] & CODEC_MASK == GZIP


def _inflated(entry: bytes) -> bytes:
    size_bytes = LENGTH_BYTES + int.from_bytes(entry[:LENGTH_BYTES], "big")
    return zlib.decompress(entry[OVERHEAD_BYTES[1] : size_bytes], wbits=31)
