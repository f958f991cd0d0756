"""Fetched bytes to messages, every CRC checked: the engine's innermost loop when it reads."""

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

from engine.message.format import (
    ALIKE_AT_LEAST,
    LENGTH_BYTES,
    PATIENCE_AT_MOST,
    PLAIN_HEADER,
    PLAIN_OVERHEAD_BYTES,
    run_of_alike,
)
from engine.message.message_set import iterate_deep

Message = tuple[int, bytes]
"""Where to read on after a message, and its payload: what a consumer needs, in the cheapest form there is."""


def iterate_messages(data: bytes, base_offset: int) -> Iterator[Message]:
    """The messages of fetched bytes, those of compressed sets one by one, as (next offset, payload).

    The same messages and the same errors in the same places as :func:`iterate_deep`, several times
    as fast: nothing written in Python runs between two messages of a block.
    """
    return chain.from_iterable(_blocks(data, base_offset))


def _blocks(data: bytes, base_offset: int) -> Iterator[Iterable[Message]]:
    """The messages in pieces: entries of one length in runs. The less often there are runs, the fewer are tried."""
    position = 0
    patience = ALIKE_AT_LEAST
    while True:
        run = run_of_alike(data, position)
        if run:
            size = len(run[0]) + PLAIN_OVERHEAD_BYTES
            end = position + size * len(run)
            yield zip(range(base_offset + position + size, base_offset + end + 1, size), run, strict=True)
            position = end
            patience = ALIKE_AT_LEAST
            continue
        block, position = _one_by_one(data, position, base_offset, patience)
        yield block
        if len(block) < patience:
            break
        patience = min(2 * patience, PATIENCE_AT_MOST)
    yield _the_rest(data, position, base_offset)


def _one_by_one(data: bytes, position: int, base_offset: int, most: int) -> tuple[list[Message], int]:
    """Up to ``most`` good plain entries, and the position behind them."""
    unpack_header = PLAIN_HEADER.unpack_from
    crc32 = zlib.crc32
    block: list[Message] = []
    end = len(data)
    last_header = end - PLAIN_OVERHEAD_BYTES
    while position <= last_header and len(block) < most:
        length, magic, crc = unpack_header(data, position)
        next_position = position + length + 4
        if magic or length < 5 or next_position > end:
            break
        payload = data[position + 9 : next_position]
        if crc32(payload) != crc:
            break
        block.append((base_offset + next_position, payload))
        position = next_position
    return block, position


def _the_rest(data: bytes, position: int, base_offset: int) -> Iterator[Message]:
    """What the loops above leave: compressed entries and all behind them, a part of an entry at the end, a fault."""
    rest = data[position:]
    if position and _is_part_of_an_entry(rest):
        return
    for message in iterate_deep(rest, base_offset + position):
        yield message.next_offset, message.payload


def _is_part_of_an_entry(rest: bytes) -> bool:
    length = int.from_bytes(rest[:LENGTH_BYTES], "big", signed=True)
    return len(rest) < LENGTH_BYTES or length > max(len(rest) - LENGTH_BYTES, LENGTH_BYTES)
