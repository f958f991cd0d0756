"""Entries byte by byte: what is good, where a scan ends, and why."""

import hashlib
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.message.format import Ending, read_header, scan_entries
from engine.message.message_set import encode_message_set

MAGIC_1_TESTING = bytes.fromhex("0000000d0100e8f35a0674657374696e67")

payload_lists = st.lists(st.binary(max_size=40), max_size=8)


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
    assert read_header(encode_message_set([text])).crc == crc


def test_a_header_of_magic_1_is_one_byte_longer() -> None:
    # case 2
    header = read_header(MAGIC_1_TESTING)
    assert (header.size_bytes, header.overhead_bytes, header.crc) == (17, 10, 0xE8F35A06)


@given(payload_lists)
def test_a_scan_of_a_message_set_finds_every_entry(payloads: list[bytes]) -> None:
    scan = scan_entries(encode_message_set(payloads))
    assert scan.sizes == [9 + len(payload) for payload in payloads]
    assert (scan.ending, scan.reason) == (Ending.WHOLE, "")


@given(payload_lists, st.data())
def test_a_scan_of_a_cut_message_set_ends_at_the_last_whole_entry(payloads: list[bytes], data: st.DataObject) -> None:
    encoded = encode_message_set(payloads)
    cut = data.draw(st.integers(0, len(encoded)))
    scan = scan_entries(encoded[:cut])
    ends = [0]
    for payload in payloads:
        ends.append(ends[-1] + 9 + len(payload))
    assert scan.end == max(end for end in ends if end <= cut)
    assert scan.ending is (Ending.WHOLE if cut in ends else Ending.PARTIAL)


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=8), st.data())
def test_a_flipped_bit_in_a_payload_ends_the_scan_there(payloads: list[bytes], data: st.DataObject) -> None:
    damaged = data.draw(st.integers(0, len(payloads) - 1))
    start = sum(9 + len(payload) for payload in payloads[:damaged])
    position = start + 9 + data.draw(st.integers(0, len(payloads[damaged]) - 1))
    encoded = bytearray(encode_message_set(payloads))
    encoded[position] ^= 1 << data.draw(st.integers(0, 7))
    scan = scan_entries(bytes(encoded))
    assert (scan.end, scan.ending) == (start, Ending.BAD_MESSAGE)
    assert scan.reason == "the payload contradicts its CRC"


@given(st.binary(max_size=200))
def test_a_scan_of_any_bytes_ends_inside_them_and_says_why(noise: bytes) -> None:
    scan = scan_entries(noise)
    assert scan.end == sum(scan.sizes) <= len(noise)
    assert (scan.ending is Ending.WHOLE) == (scan.end == len(noise))
    assert bool(scan.reason) == (scan.ending is not Ending.WHOLE)


def test_wrapped_entries_are_told_by_their_position() -> None:
    scan = scan_entries(encode_message_set([b"plain"]) + MAGIC_1_TESTING + encode_message_set([b"plain"]))
    assert scan.sizes == [14, 17, 14]
    assert scan.wrapped == [14]


@pytest.mark.parametrize(
    ("hexadecimal", "ending", "reason"),
    [
        ("000000", Ending.PARTIAL, "3 bytes are too few for a length"),
        ("00000000", Ending.BAD_SIZE, "a message cannot have length 0"),
        ("ffffffff0000000000", Ending.BAD_SIZE, "a message cannot have length -1"),
        ("00000004" + "00" * 9, Ending.BAD_SIZE, "a message cannot have length 4"),
        ("00000005" + "00" * 4, Ending.PARTIAL, "the message is 5 bytes long and 4 are left"),
        ("0000000502" + "00" * 4, Ending.BAD_MESSAGE, "unknown magic 2"),
        ("0000000501" + "00" * 4, Ending.BAD_SIZE, "a message of magic 1 cannot have length 5"),
        ("0000000c00e8f35a0774657374696e67", Ending.BAD_MESSAGE, "the payload contradicts its CRC"),
        ("0000000d0100e8f35a0774657374696e67", Ending.BAD_MESSAGE, "the payload contradicts its CRC"),
    ],
)
def test_what_is_wrong_with_an_entry_is_said_exactly(hexadecimal: str, ending: Ending, reason: str) -> None:
    scan = scan_entries(bytes.fromhex(hexadecimal))
    assert (scan.sizes, scan.end, scan.ending, scan.reason) == ([], 0, ending, reason)


def test_an_empty_payload_is_a_message_of_nine_bytes() -> None:
    assert zlib.crc32(b"") == 0
    assert encode_message_set([b""]).hex() == "000000050000000000"
    assert scan_entries(encode_message_set([b"", b""])).sizes == [9, 9]
