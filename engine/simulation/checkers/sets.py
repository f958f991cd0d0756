"""The messages in fetched bytes, found without the engine's own decoder, so that a fault there shows."""

import zlib

GZIP = 1


def message_ends(data: bytes, base_offset: int) -> list[int]:
    """For each message in whole entries of good bytes, where a consumer that is done with it stands next.

    Of a compressed set all messages but the last leave it at the set's start (0.7: ByteBufferMessageSet).
    """
    ends: list[int] = []
    position = 0
    while position < len(data):
        size = 4 + int.from_bytes(data[position : position + 4], "big")
        entry = data[position : position + size]
        if entry[4] == 1 and entry[5] & 3 == GZIP:
            inner = zlib.decompress(entry[10:], wbits=31)
            ends += [base_offset + position] * (len(message_ends(inner, 0)) - 1)
        position += size
        ends.append(base_offset + position)
    return ends
