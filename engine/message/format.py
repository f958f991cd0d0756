"""The entries that logs and message sets are made of, byte by byte as the 2011 paper and 0.7 lay them out.

An entry is ``length(4) magic(1) crc(4) payload`` for magic 0, which is the paper's nine bytes of overhead, or
``length(4) magic(1) attributes(1) crc(4) payload`` for magic 1. Integers are big-endian, ``length`` does not
count itself, the CRC-32 covers the payload only (0.7: message/Message.scala).
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from struct import Struct
from typing import Any

from engine.errors import InvalidMessage, InvalidMessageSize, OffsetscopeError
from engine.values import value

LENGTH_BYTES = 4
PLAIN_OVERHEAD_BYTES = 9
WRAPPED_OVERHEAD_BYTES = 10
MAX_OVERHEAD_BYTES = WRAPPED_OVERHEAD_BYTES
MAGIC_POSITION = 4
ATTRIBUTES_POSITION = 5
PLAIN_MAGIC = 0
PLAIN_HEADER = Struct(">iBI")
WRAPPED_HEADER = Struct(">iBBI")

ALIKE_AT_LEAST = 8
ALIKE_AT_MOST = 128
PATIENCE_AT_MOST = 1024

_START_BYTES = LENGTH_BYTES + 1
_LENGTH = Struct(">i")
_CRC = Struct(">I")


class Ending(Enum):
    """Why a scan stopped where it stopped."""

    WHOLE = "the last entry ends where the bytes end"
    PARTIAL = "the bytes end inside an entry"
    BAD_SIZE = "the length cannot be that of a message"
    BAD_MESSAGE = "the bytes contradict the magic or the CRC"


@value
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


def read_header(data: bytes) -> Header:
    """The header at the start of ``data``, which must be long enough for it; nothing is checked."""
    length, magic, crc = PLAIN_HEADER.unpack_from(data)
    if magic == 0:
        return Header(LENGTH_BYTES + length, PLAIN_OVERHEAD_BYTES, crc)
    crc = WRAPPED_HEADER.unpack_from(data)[3]
    return Header(LENGTH_BYTES + length, WRAPPED_OVERHEAD_BYTES, crc)


def is_one_plain_entry(data: bytes) -> bool:
    """Whether the bytes are one good plain entry and nothing else: the set of a producer that does not batch."""
    if len(data) < PLAIN_OVERHEAD_BYTES:
        return False
    length, magic, crc = PLAIN_HEADER.unpack_from(data)
    good: bool = magic == PLAIN_MAGIC and length + LENGTH_BYTES == len(data) and zlib.crc32(data[9:]) == crc
    return good


def scan_entries(data: bytes) -> Scan:
    """Walk the entries of ``data`` as far as sizes, magic and CRC are good. Never raises.

    Every append and every recovery goes through it, so entries of one length are taken in runs. The less often there
    are runs, the fewer are tried.
    """
    sizes: list[int] = []
    wrapped: list[int] = []
    position = 0
    patience = ALIKE_AT_LEAST
    while True:
        run = run_of_alike(data, position)
        if run:
            size = len(run[0]) + PLAIN_OVERHEAD_BYTES
            sizes += [size] * len(run)
            position += size * len(run)
            patience = ALIKE_AT_LEAST
            continue
        found = len(sizes)
        position = _scan_one_by_one(data, position, patience, sizes, wrapped)
        if len(sizes) - found < patience:
            break
        patience = min(2 * patience, PATIENCE_AT_MOST)
    ending, reason = _diagnose(data, position)
    return Scan(sizes, wrapped, position, ending, reason)


def _scan_one_by_one(data: bytes, position: int, most: int, sizes: list[int], wrapped: list[int]) -> int:
    """Add up to ``most`` good entries to the lists; returns the position behind them."""
    unpack_header = PLAIN_HEADER.unpack_from
    crc32 = zlib.crc32
    last_header = len(data) - PLAIN_OVERHEAD_BYTES
    for _ in range(most):
        if position > last_header:
            break
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
    return position


def run_of_alike(data: bytes, position: int) -> tuple[bytes, ...]:
    """The payloads of good plain entries of one length from ``position`` on; none if there are too few in a row.

    A handful of calls for all of them, where walking takes a handful for each.
    """
    start = data[position : position + _START_BYTES]
    size = LENGTH_BYTES + int.from_bytes(start[:LENGTH_BYTES], "big")
    if size < PLAIN_OVERHEAD_BYTES or start[-1]:
        return ()
    count = min(ALIKE_AT_MOST, (len(data) - position) // size)
    last = position + (count - 1) * size
    if count < ALIKE_AT_LEAST or data[last : last + _START_BYTES] != start:
        return ()
    fields = _layout(count, size - PLAIN_OVERHEAD_BYTES)(data, position)
    payloads: tuple[bytes, ...] = fields[2::3]
    if fields[::3].count(start) != count or tuple(map(zlib.crc32, payloads)) != fields[1::3]:
        return ()
    return payloads


@lru_cache(maxsize=64)
def _layout(count: int, payload_bytes: int) -> Callable[[bytes, int], tuple[Any, ...]]:
    """What takes ``count`` entries alike apart: length with magic, CRC and payload by turns."""
    return Struct(">" + f"5sI{payload_bytes}s" * count).unpack_from


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


def fault_of(scan: Scan, base_offset: int) -> OffsetscopeError:
    """The error for the entry at which ``scan`` stopped; ``base_offset`` is that of the scanned bytes."""
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
