"""One message as it is on disk, decoded for people."""

import zlib
from itertools import islice
from typing import Any

from engine.errors import InvalidMessageSize, OffsetInsideMessage, OffsetOutOfRange, OffsetscopeError
from engine.message.format import (
    LENGTH_BYTES,
    MAGIC_0_OVERHEAD_BYTES,
    MAX_OVERHEAD_BYTES,
    NO_CODEC,
    iterate_shallow,
    read_header,
)
from engine.message.message_set import iterate_deep
from webapp.room.room import Room

SHOWN_BYTES = 4_096
INNER_SHOWN = 50
LARGEST_MESSAGE_BYTES = 1_100_000


def record_at(room: Room, topic: str, partition: int, offset: int) -> dict[str, Any]:
    """Return the message that begins at ``offset``: its bytes in hex, its header, whether its CRC matches, its text.

    Raises what reading the log raises, and ``OffsetInsideMessage`` if no message begins there.
    """
    _require_readable(room, topic, partition, offset)
    _require_boundary(room, topic, partition, offset)
    data = _message(room, topic, partition, offset)
    header = read_header(data[:MAX_OVERHEAD_BYTES].ljust(MAX_OVERHEAD_BYTES, b"\0"))
    payload = data[header.overhead_bytes :]
    return {
        "topic": topic,
        "partition": partition,
        "offset": offset,
        "next_offset": offset + len(data),
        "length": len(data) - LENGTH_BYTES,
        "magic": data[LENGTH_BYTES],
        "attributes": header.attributes,
        "crc": header.crc,
        "crc_ok": zlib.crc32(payload) == header.crc,
        "bytes_hex": data[:SHOWN_BYTES].hex(),
        "bytes_hidden": max(0, len(data) - SHOWN_BYTES),
        "payload_text": payload[:SHOWN_BYTES].decode("utf-8", errors="replace"),
        "inner_texts": _inner_texts(data, offset),
    }


def _inner_texts(data: bytes, offset: int) -> list[str]:
    """Return the first messages inside a wrapper message as text; none for any other or damaged message."""
    try:
        ((_, _, _, codec),) = iterate_shallow(data, offset)
        if codec == NO_CODEC:
            return []
        inside = list(islice(iterate_deep(data, offset), INNER_SHOWN))
    except OffsetscopeError:
        return []
    return [payload[:SHOWN_BYTES].decode("utf-8", errors="replace") for _, _, payload in inside]


def _require_readable(room: Room, topic: str, partition: int, offset: int) -> None:
    if len(room.read_log(topic, partition, offset, LENGTH_BYTES)) < LENGTH_BYTES:
        raise OffsetOutOfRange(
            f"there is nothing that a reader can see at offset {offset}",
            "wait until the broker has flushed it, or choose an earlier message",
            offset=offset,
        )


def _message(room: Room, topic: str, partition: int, offset: int) -> bytes:
    head = room.read_log(topic, partition, offset, LENGTH_BYTES)
    size_bytes = LENGTH_BYTES + int.from_bytes(head, "big")
    data = room.read_log(topic, partition, offset, min(size_bytes, LARGEST_MESSAGE_BYTES))
    if len(data) != size_bytes or size_bytes < MAGIC_0_OVERHEAD_BYTES:
        raise InvalidMessageSize(
            f"the length at offset {offset} is not that of a message", "choose another message", offset=offset
        )
    return data


def _require_boundary(room: Room, topic: str, partition: int, offset: int) -> None:
    """Walk from the beginning of the segment, length by length, as a broker does (it has no index either)."""
    position = _segment_base(room, topic, partition, offset)
    data = room.read_log(topic, partition, position, offset - position)
    base = position
    while position < offset:
        length = data[position - base : position - base + LENGTH_BYTES]
        next_position = position + LENGTH_BYTES + int.from_bytes(length, "big")
        if len(length) < LENGTH_BYTES or next_position > offset:
            raise OffsetInsideMessage(
                f"no message begins at offset {offset} of {topic}-{partition}",
                f"the message before it begins at {position}",
                offset=offset,
                message_offset=position,
            )
        position = next_position


def _segment_base(room: Room, topic: str, partition: int, offset: int) -> int:
    bases = [
        segment["base_offset"]
        for topic_facts in room.facts()["topics"]
        for partition_facts in topic_facts["partitions"]
        for segment in partition_facts["segments"]
        if topic_facts["topic"] == topic and partition_facts["partition"] == partition
    ]
    return max((base for base in bases if base <= offset), default=offset)
