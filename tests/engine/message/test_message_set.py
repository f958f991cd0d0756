"""Message sets: written, compressed, read back shallow and deep, checked, previewed."""

import re
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidMessage, InvalidMessageSize, MessageTooLarge, OffsetscopeError
from engine.message.compression import deflate
from engine.message.format import WRAPPED_HEADER
from engine.message.message_set import (
    PREVIEW_CHARACTERS,
    DeepMessage,
    Entry,
    SetSummary,
    encode_compressed_set,
    encode_message_set,
    iterate_deep,
    iterate_shallow,
    preview,
    summarize_set,
)

MAGIC_1_TESTING = bytes.fromhex("0000000d0100e8f35a0674657374696e67")
GZIP_TESTING = bytes.fromhex(
    "0000002f010107fdc3761f8b08000000000004ff626060e0656478f1398aad24b5b824332f1d100000ffff0c6a829111000000"
)
UNLIMITED = 1 << 31


def wrapped(attributes: int, payload: bytes) -> bytes:
    return WRAPPED_HEADER.pack(6 + len(payload), 1, attributes, zlib.crc32(payload)) + payload


def offset_of_fault(read: Callable[[], object]) -> int:
    """Where ``read`` finds a fault; 0 if it finds none."""
    try:
        read()
    except OffsetscopeError as fault:
        return int(str(fault.fields["offset"]))
    return 0


# --- reading --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "payload_bytes", "next_offset"),
    [(0, 206, 215), (14516809, 200, 14517018), (2050706778, 158, 2050706945)],
)
def test_the_next_offset_is_nine_bytes_and_the_payload_further(
    offset: int, payload_bytes: int, next_offset: int
) -> None:
    # case 6
    (entry,) = iterate_shallow(encode_message_set([b"p" * payload_bytes]), offset)
    assert (entry.offset, entry.next_offset) == (offset, next_offset)


def test_a_message_of_magic_1_is_read_too() -> None:
    # case 2
    assert list(iterate_shallow(MAGIC_1_TESTING, 100)) == [Entry(100, 117, 1, "none", b"testing")]
    assert list(iterate_deep(MAGIC_1_TESTING, 100)) == [DeepMessage(100, 117, b"testing")]


def test_a_set_that_another_client_compressed_is_read() -> None:
    # case 3
    (outer,) = iterate_shallow(GZIP_TESTING, 0)
    assert (outer.next_offset, outer.magic, outer.codec) == (51, 1, "gzip")
    assert list(iterate_deep(GZIP_TESTING, 0)) == [DeepMessage(0, 51, b"testing")]
    assert summarize_set(GZIP_TESTING, UNLIMITED) == SetSummary((51,), 1)


@given(st.lists(st.binary(max_size=30), max_size=6), st.integers(0, 1 << 60))
def test_plain_messages_come_back_as_they_were_at_offsets_that_meet(payloads: list[bytes], base_offset: int) -> None:
    encoded = encode_message_set(payloads)
    entries = list(iterate_shallow(encoded, base_offset))
    assert [entry.payload for entry in entries] == payloads
    assert [base_offset, *(entry.next_offset for entry in entries)] == [
        *(entry.offset for entry in entries),
        base_offset + len(encoded),
    ]


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=6))
def test_messages_of_a_compressed_set_but_the_last_lead_back_to_its_start(payloads: list[bytes]) -> None:
    encoded = encode_compressed_set(payloads)
    messages = list(iterate_deep(encoded, 1000))
    assert [message.payload for message in messages] == payloads
    assert {message.offset for message in messages} == {1000}
    assert [message.next_offset for message in messages] == [1000] * (len(payloads) - 1) + [1000 + len(encoded)]


def test_plain_and_compressed_sets_follow_one_another() -> None:
    compressed = encode_compressed_set([b"b", b"c"])
    end = 10 + len(compressed)
    mixed = encode_message_set([b"a"]) + compressed + encode_message_set([b"d"])
    assert list(iterate_deep(mixed, 0)) == [
        DeepMessage(0, 10, b"a"),
        DeepMessage(10, 10, b"b"),
        DeepMessage(10, end, b"c"),
        DeepMessage(end, end + 10, b"d"),
    ]


def test_the_same_payloads_are_compressed_to_the_same_bytes() -> None:
    assert encode_compressed_set([b"a", b"b"]) == encode_compressed_set([b"a", b"b"])
    assert encode_compressed_set([]) == b""


# --- reading what is not whole --------------------------------------------------------------------------------------


def test_a_part_of_a_message_behind_whole_ones_is_left_for_the_next_fetch() -> None:
    encoded = encode_message_set([b"first", b"second"])
    for cut in range(14, len(encoded)):
        assert [entry.payload for entry in iterate_shallow(encoded[:cut], 0)] == [b"first"]


def test_a_fetch_smaller_than_its_first_message_is_an_error_once_the_length_can_be_read() -> None:
    # case 34
    entry = encode_message_set([b"first"])
    assert len(entry) == 14
    with pytest.raises(InvalidMessageSize) as caught:
        list(iterate_shallow(entry[:10], 430))
    assert caught.value.fields == {"offset": 430}
    assert list(iterate_shallow(entry[:3], 430)) == []


@pytest.mark.parametrize("length", ["80000000", "ffffffff", "00000000", "00000004"])
def test_a_length_that_cannot_be_is_an_error_wherever_it_stands(length: str) -> None:
    walk = iterate_shallow(encode_message_set([b"first"]) + bytes.fromhex(length) + bytes(20), 100)
    assert next(walk).payload == b"first"
    with pytest.raises(InvalidMessageSize) as caught:
        next(walk)
    assert caught.value.fields == {"offset": 114}


def test_good_messages_before_a_damaged_one_are_still_delivered() -> None:
    encoded = bytearray(encode_message_set([b"aa", b"bb", b"cc"]))
    encoded[20] ^= 1
    walk = iterate_deep(bytes(encoded), 1000)
    assert next(walk) == DeepMessage(1000, 1011, b"aa")
    with pytest.raises(InvalidMessage, match="contradicts its CRC") as caught:
        next(walk)
    assert caught.value.fields == {"offset": 1011}


def test_a_read_from_the_middle_of_a_message_never_yields_one() -> None:
    encoded = encode_message_set([b"a message of some length", b"and another"])
    for start in range(1, 33):
        with pytest.raises((InvalidMessage, InvalidMessageSize)):
            list(iterate_shallow(encoded[start:], start))


@pytest.mark.parametrize(
    ("codec", "problem"), [(2, r"snappy \(codec 2\), which is not supported"), (3, "codec 3, which nobody knows")]
)
def test_a_codec_that_cannot_be_read_is_named_and_never_appended(codec: int, problem: str) -> None:
    data = encode_message_set([b"plain"]) + wrapped(codec, b"packed")
    walk = iterate_deep(data, 77)
    assert next(walk).payload == b"plain"
    with pytest.raises(InvalidMessage, match=problem) as caught:
        next(walk)
    assert caught.value.fields == {"offset": 91}
    with pytest.raises(InvalidMessage, match=problem):
        summarize_set(data, UNLIMITED)


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        (b"", "holds no message"),
        (encode_message_set([b"whole", b"cut"])[:-1], "are left"),
        (b"\x00\x00\x00\x00", "length 0"),
        (encode_compressed_set([b"twice"]), "compressed again"),
    ],
)
def test_a_compressed_set_with_a_broken_inside_is_refused_everywhere(inner: bytes, reason: str) -> None:
    broken = wrapped(1, deflate(inner))
    with pytest.raises(InvalidMessage, match=reason) as caught:
        list(iterate_deep(broken, 50))
    assert caught.value.fields == {"offset": 50}
    with pytest.raises(InvalidMessage, match=reason):
        summarize_set(broken, UNLIMITED)


# --- checking before an append --------------------------------------------------------------------------------------


def test_a_summary_counts_the_messages_inside_compressed_sets() -> None:
    compressed = encode_compressed_set([b"b", b"c", b"d"])
    summary = summarize_set(encode_message_set([b"a"]) + compressed + MAGIC_1_TESTING, UNLIMITED)
    assert summary == SetSummary((10, len(compressed), 17), 5)
    assert summarize_set(b"", UNLIMITED) == SetSummary((), 0)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5), st.data())
def test_a_set_is_appended_whole_or_not_at_all(payloads: list[bytes], data: st.DataObject) -> None:
    encoded = encode_message_set(payloads)
    cut = data.draw(st.integers(1, len(encoded)))
    whole = cut in {sum(9 + len(payload) for payload in payloads[:count]) for count in range(len(payloads) + 1)}
    if whole:
        assert sum(summarize_set(encoded[:cut], UNLIMITED).sizes) == cut
    else:
        with pytest.raises(InvalidMessageSize):
            summarize_set(encoded[:cut], UNLIMITED)


def test_a_payload_may_be_as_large_as_the_limit_and_no_larger() -> None:
    # case 33
    assert summarize_set(encode_message_set([b"You", b"bethe"]), 5).messages == 2
    with pytest.raises(MessageTooLarge) as caught:
        summarize_set(encode_message_set([b"You", b"change"]), 5)
    assert caught.value.fields == {"offset": 12, "payload_bytes": 6, "max_message_bytes": 5}


def test_the_limit_is_on_the_payload_whatever_the_header() -> None:
    assert summarize_set(MAGIC_1_TESTING, 7).messages == 1
    with pytest.raises(MessageTooLarge):
        summarize_set(MAGIC_1_TESTING, 6)


@given(st.binary(max_size=120))
def test_no_bytes_do_more_than_raise_a_fault_of_the_tree(noise: bytes) -> None:
    assert 0 <= offset_of_fault(lambda: list(iterate_deep(noise, 0))) <= len(noise)
    assert 0 <= offset_of_fault(lambda: summarize_set(noise, UNLIMITED)) <= len(noise)


# --- previews -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (b"/home user-17", "/home user-17"),
        (b"", ""),
        (b"x" * 100, "x" * PREVIEW_CHARACTERS),
        ("é€😀".encode() * 20, "é€😀" * 8),
        (b"a\nb\x00c\x1b[31m", "a·b·c·[31m"),
        ("left\u202eright".encode(), "left·right"),
        (
            "\U0001f469\u200d\U0001f680 \u0645\u06cc\u200c\u062e".encode(),
            "\U0001f469\u200d\U0001f680 \u0645\u06cc\u200c\u062e",
        ),
        ("\u200da \u200cb\u200d\u200d".encode(), "·a ·b\u200d·"),
        (b"ok\xff\xfeok", "ok\ufffd\ufffdok"),
        ("€".encode()[:2], "\ufffd"),
    ],
)
def test_a_preview_is_text_that_can_be_shown(payload: bytes, shown: str) -> None:
    assert preview(payload) == shown


@given(st.binary(max_size=200))
def test_any_payload_has_a_preview_of_printable_characters(payload: bytes) -> None:
    for codec in ("none", "gzip"):
        shown = preview(payload, codec)
        assert len(shown) <= PREVIEW_CHARACTERS
        assert re.sub(r"(?<=\S)[\u200c\u200d]", "", shown).isprintable()


@pytest.mark.parametrize("first", [b"", b"short", "größer".encode(), b"x" * 500])
def test_the_preview_of_a_compressed_set_is_that_of_its_first_message(first: bytes) -> None:
    (outer,) = iterate_shallow(encode_compressed_set([first, b"second"]), 0)
    assert preview(outer.payload, "gzip") == preview(first)


def test_the_preview_of_a_compressed_message_of_magic_1_skips_its_longer_header() -> None:
    (outer,) = iterate_shallow(GZIP_TESTING, 0)
    assert preview(outer.payload, "gzip") == "testing"
    assert preview(b"no gzip", "gzip") == ""
