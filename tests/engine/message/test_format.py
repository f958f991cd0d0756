"""Entries byte by byte: what is good, where a walk ends, and why."""

import hashlib
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidMessage, InvalidMessageSize, OffsetscopeError
from engine.message.format import (
    GZIP,
    NO_CODEC,
    SNAPPY,
    Entry,
    encode_magic_1,
    iterate_lengths,
    iterate_shallow,
    read_header,
    size_of_first,
)
from engine.message.message_set import encode_message_set

MAGIC_1_TESTING = bytes.fromhex("0000000d0100e8f35a0674657374696e67")

payload_lists = st.lists(st.binary(max_size=40), max_size=8)


def walk(data: bytes, base_offset: int = 0) -> tuple[list[Entry], str]:
    """Return the entries before an error, and its message ("" if there is none)."""
    entries: list[Entry] = []
    try:
        for entry in iterate_shallow(data, base_offset):
            entries.append(entry)  # noqa: PERF402  # those before an error count
    except OffsetscopeError as error:
        return entries, error.message
    return entries, ""


def test_a_plain_message_is_the_bytes_that_other_clients_write() -> None:
    # case 1
    assert encode_message_set([b"testing"]).hex() == "0000000c00e8f35a0674657374696e67"


def test_a_hundred_messages_are_the_file_that_real_kafka_shipped() -> None:
    # case 4
    encoded = encode_message_set([b"x" * 100] * 100)
    assert len(encoded) == 10_900
    assert encoded[:9].hex() == "00000069005e0e5d8f"
    assert hashlib.sha256(encoded).hexdigest() == "0db77e65c9cbe560e47d45e6dd43b8e61adf0c0e39c6ed9fe16890ef8d109625"


@pytest.mark.parametrize(("text", "crc"), [(b"ale", 1120192889), (b"alejandro", 2865078607)])
def test_the_crc_is_that_of_the_payload_alone(text: bytes, crc: int) -> None:
    # case 7
    assert read_header(encode_message_set([text]).ljust(10)).crc == crc


def test_a_header_of_magic_1_is_one_byte_longer() -> None:
    # case 2
    header = read_header(MAGIC_1_TESTING)
    assert (header.size_bytes, header.overhead_bytes, header.magic, header.crc) == (17, 10, 1, 0xE8F35A06)


@given(payload_lists, st.integers(0, 1 << 60))
def test_a_walk_over_a_message_set_gives_every_entry(payloads: list[bytes], base_offset: int) -> None:
    encoded = encode_message_set(payloads)
    entries, error = walk(encoded, base_offset)
    assert ([payload for _, _, payload, _ in entries], error) == (payloads, "")
    starts, ends = [entry[0] for entry in entries], [entry[1] for entry in entries]
    assert [base_offset, *ends] == [*starts, base_offset + len(encoded)]
    assert {codec for _, _, _, codec in entries} <= {NO_CODEC}


@given(st.lists(st.binary(max_size=40), min_size=1, max_size=8), st.data())
def test_a_walk_over_a_cut_message_set_ends_at_the_last_whole_entry(payloads: list[bytes], data: st.DataObject) -> None:
    encoded = encode_message_set(payloads)
    ends = [end for _, end, _, _ in iterate_shallow(encoded, 0)]
    cut = data.draw(st.integers(ends[0], len(encoded)))
    entries, error = walk(encoded[:cut])
    assert ([entry[1] for entry in entries], error) == ([end for end in ends if end <= cut], "")


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8), st.data())
def test_a_flipped_bit_in_a_payload_ends_the_walk_there(payloads: list[bytes], data: st.DataObject) -> None:
    damaged = data.draw(st.integers(0, len(payloads) - 1))
    start = sum(9 + len(payload) for payload in payloads[:damaged])
    position = start + 9 + data.draw(st.integers(0, len(payloads[damaged]) - 1))
    encoded = bytearray(encode_message_set(payloads))
    encoded[position] ^= 1 << data.draw(st.integers(0, 7))
    entries, error = walk(bytes(encoded), 1000)
    assert len(entries) == damaged
    assert error == f"the message at offset {1000 + start} is damaged: the payload does not match its CRC"


def test_entries_of_magic_1_report_their_codec_and_no_codec_ends_the_walk() -> None:
    encoded = encode_message_set([b"plain"]) + MAGIC_1_TESTING
    encoded += b"".join([encode_magic_1(b"packed", codec) for codec in (GZIP, SNAPPY, 3, 0b1111_1101)])
    entries, error = walk(encoded)
    assert [codec for _, _, _, codec in entries] == [NO_CODEC, NO_CODEC, GZIP, SNAPPY, 3, GZIP]
    assert [payload for _, _, payload, _ in entries] == [b"plain", b"testing", *[b"packed"] * 4]
    assert error == ""


@pytest.mark.parametrize(
    ("hexadecimal", "kind", "reason"),
    [
        ("00000000", InvalidMessageSize, "a message cannot have length 0"),
        ("ffffffff0000000000", InvalidMessageSize, "a message cannot have length -1"),
        ("00000004" + "00" * 9, InvalidMessageSize, "a message cannot have length 4"),
        ("00000005" + "00" * 4, InvalidMessageSize, "the message is 5 bytes long and 4 are left"),
        ("00000003" + "00" * 2, InvalidMessageSize, "the message is 3 bytes long and 2 are left"),
        ("0000000502" + "00" * 4, InvalidMessage, "unknown magic 2"),
        ("0000000501" + "00" * 4, InvalidMessageSize, "a message of magic 1 cannot have length 5"),
        ("0000000c00e8f35a0774657374696e67", InvalidMessage, "the payload does not match its CRC"),
        ("0000000d0100e8f35a0774657374696e67", InvalidMessage, "the payload does not match its CRC"),
    ],
)
def test_the_error_for_a_bad_first_entry_says_exactly_what_is_wrong(
    hexadecimal: str, kind: type[OffsetscopeError], reason: str
) -> None:
    with pytest.raises(kind, match=reason) as caught:
        list(iterate_shallow(bytes.fromhex(hexadecimal), 430))
    assert caught.value.fields == {"offset": 430}


@pytest.mark.parametrize("tail", ["00", "000000", "00000001", "0000000401", "0000000300ff", "0000000900", "7fffffff"])
def test_a_partial_entry_after_a_whole_one_is_ignored_whatever_length_it_claims(tail: str) -> None:
    # 0.7.2: ByteBufferMessageSet compares the length with what is left before anything else
    entries, error = walk(MAGIC_1_TESTING + bytes.fromhex(tail))
    assert (len(entries), error) == (1, "")


@pytest.mark.parametrize("length", ["80000000", "ffffffff", "00000000", "00000001", "00000004"])
def test_an_impossible_length_is_an_error_wherever_it_is(length: str) -> None:
    entries, error = walk(MAGIC_1_TESTING + bytes.fromhex(length) + bytes(20), 100)
    assert len(entries) == 1
    assert error.startswith("no whole message at offset 117: a message cannot have length")


def test_fewer_than_four_bytes_are_no_entry_and_no_error() -> None:
    # case 34
    for size in range(4):
        assert walk(bytes(size), 430) == ([], "")


def test_an_empty_payload_is_a_message_of_nine_bytes() -> None:
    assert zlib.crc32(b"") == 0
    assert encode_message_set([b""]).hex() == "000000050000000000"
    assert [entry[1] for entry in iterate_shallow(encode_message_set([b"", b""]), 0)] == [9, 18]


@given(st.binary(max_size=200), st.integers(0, 2**62))
def test_a_walk_over_any_bytes_ends_inside_them(noise: bytes, base_offset: int) -> None:
    entries, _ = walk(noise, base_offset)
    ends = [base_offset, *(entry[1] for entry in entries)]
    assert ends == sorted(set(ends))
    assert ends[-1] <= base_offset + len(noise)


# --- by the lengths alone -------------------------------------------------------------------------------------------


def test_damaged_entries_have_lengths_too() -> None:
    encoded = bytearray(encode_message_set([b"aa", b"bb"]) + MAGIC_1_TESTING)
    encoded[4] = 77  # an unknown magic
    encoded[20] ^= 1
    assert list(iterate_lengths(bytes(encoded))) == [(0, 11), (11, 22), (22, 39)]


@pytest.mark.parametrize("tail", ["", "0000", "00000000", "0000000000", "ffffffff00", "000000020000ff"[:10]])
def test_a_walk_by_lengths_ends_at_a_length_that_cannot_be_followed(tail: str) -> None:
    assert list(iterate_lengths(MAGIC_1_TESTING + bytes.fromhex(tail))) == [(0, 17)]


@given(st.binary(max_size=200))
def test_a_walk_by_lengths_over_any_bytes_is_contiguous_and_ends_inside_them(noise: bytes) -> None:
    position = 0
    for start, end in iterate_lengths(noise):
        assert start == position < end <= len(noise)
        position = end


def test_the_size_of_the_first_entry_is_what_its_length_says() -> None:
    assert size_of_first(MAGIC_1_TESTING[:4]) == 17
    assert size_of_first(MAGIC_1_TESTING[:3]) == 4
    assert size_of_first(bytes.fromhex("ffffffff00")) == 4


# --- cost -----------------------------------------------------------------------------------------------------------


def seconds_for(count: int) -> float:
    """Return the shortest processor time of some walks over so many entries of magic 1."""
    data = MAGIC_1_TESTING * count
    found = []
    for _ in range(5):
        begin = time.process_time()
        assert sum(1 for _ in iterate_shallow(data, 0)) == sum(1 for _ in iterate_lengths(data)) == count
        found.append(time.process_time() - begin)
    return min(found)


def test_sixteen_times_as_many_entries_take_about_sixteen_times_as_long() -> None:
    assert seconds_for(32_000) < 16 * 4 * seconds_for(2_000)
