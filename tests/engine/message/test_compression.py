"""Gzip, bounded and repeatable."""

import zlib

import pytest

from engine.errors import InvalidMessage
from engine.message.compression import INFLATED_MAX_BYTES, codec_of, deflate, inflate, inflate_start
from engine.message.message_set import encode_compressed_set, summarize_set


def test_what_is_deflated_inflates_to_itself() -> None:
    text = b"the same words, " * 50
    assert len(deflate(text)) < len(text)
    assert inflate(deflate(text), 0) == text


def test_deflated_bytes_carry_no_time_and_no_name() -> None:
    packed = deflate(b"words")
    assert packed[:4].hex() == "1f8b0800"  # gzip, deflate, no flags, so no file name
    assert packed[4:8] == bytes(4)


def test_a_cut_stream_is_refused_by_its_offset() -> None:
    with pytest.raises(InvalidMessage, match="cut short") as caught:
        inflate(deflate(b"words" * 100)[:-1], 215)
    assert caught.value.fields == {"offset": 215}


def test_a_damaged_stream_is_refused() -> None:
    packed = bytearray(deflate(b"words" * 100))
    packed[-6] ^= 0xFF  # the checksum at the end
    with pytest.raises(InvalidMessage, match="gzip says"):
        inflate(bytes(packed), 0)


def test_bytes_that_are_no_gzip_are_refused() -> None:
    with pytest.raises(InvalidMessage, match="gzip says"):
        inflate(zlib.compress(b"words"), 0)


def test_a_stream_that_inflates_without_end_is_refused() -> None:
    assert len(inflate(deflate(bytes(1000)), 0, 1000)) == 1000
    for max_bytes in (999, 0, -1):
        with pytest.raises(InvalidMessage, match="this is more"):
            inflate(deflate(bytes(1000)), 0, max_bytes)


def test_what_is_compressed_in_a_set_shares_one_limit() -> None:
    third = encode_compressed_set([bytes(INFLATED_MAX_BYTES // 3)])
    assert summarize_set(third * 2, len(third)).messages == 2
    with pytest.raises(InvalidMessage, match="this is more") as caught:
        summarize_set(third * 3, len(third))
    assert caught.value.fields == {"offset": 2 * len(third)}


def test_the_start_of_a_stream_needs_no_more_than_that() -> None:
    assert inflate_start(deflate(b"0123456789" * 1000), 12) == b"012345678901"
    assert inflate_start(b"no gzip", 12) == b""


def test_codecs_of_the_low_two_bits_have_names() -> None:
    assert codec_of(0b0000_0000, 0) == "none"
    assert codec_of(0b1111_1101, 0) == "gzip"
    with pytest.raises(InvalidMessage, match="codec 2") as caught:  # snappy: later than the paper
        codec_of(2, 430)
    assert caught.value.fields == {"offset": 430}
