"""Gzip: inflated piece by piece, deflated to the same bytes every time."""

import zlib

import pytest

from engine.errors import InvalidMessage
from engine.message.compression import INFLATED_PIECE_BYTES, Inflater, InflationLimit, deflate, inflate_start


def inflated(packed: bytes, offset: int = 0) -> bytes:
    """Return all that is in a stream."""
    return Inflater(packed, offset, InflationLimit(1 << 30)).read(1 << 30)


def test_deflated_bytes_inflate_to_the_original() -> None:
    text = b"the same words, " * 50
    assert len(deflate(text)) < len(text)
    assert inflated(deflate(text)) == text


def test_deflated_bytes_carry_no_time_and_no_name() -> None:
    packed = deflate(b"words")
    assert packed[:4].hex() == "1f8b0800"  # gzip, deflate, no flags, so no file name
    assert packed[4:8] == bytes(4)


def test_a_stream_is_read_in_pieces_and_reads_past_its_end_return_nothing() -> None:
    text = bytes(range(256)) * 5_000
    stream = Inflater(deflate(text) + deflate(b"more"), 0, InflationLimit(1 << 30))
    first = stream.read(1_000_000)
    assert 1_000_000 <= len(first) <= 1_000_000 + INFLATED_PIECE_BYTES
    assert first + stream.read(1_000_000) == text + b"more"
    assert [stream.read(10), stream.read(10)] == [b"", b""]


def test_a_cut_stream_is_refused_by_its_offset() -> None:
    with pytest.raises(InvalidMessage, match="truncated") as caught:
        inflated(deflate(b"words" * 100)[:-1], 215)
    assert caught.value.fields == {"offset": 215}


def test_a_damaged_stream_is_refused() -> None:
    packed = bytearray(deflate(b"words" * 100))
    packed[-6] ^= 0xFF  # the checksum at the end
    with pytest.raises(InvalidMessage, match="gzip reports"):
        inflated(bytes(packed))


def test_bytes_that_are_not_gzip_are_refused() -> None:
    with pytest.raises(InvalidMessage, match="gzip reports"):
        inflated(zlib.compress(b"words"))


def test_a_single_stream_never_reaches_the_limit_however_well_it_is_compressed() -> None:
    packed = deflate(bytes(50_000_000))
    assert len(Inflater(packed, 0, InflationLimit(len(packed))).read(1 << 30)) == 50_000_000


def test_the_start_of_a_stream_can_be_inflated_alone() -> None:
    assert inflate_start(deflate(b"0123456789" * 1000), 12) == b"012345678901"
    assert inflate_start(b"no gzip", 12) == b""
