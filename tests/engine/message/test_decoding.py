"""Fetched bytes to messages: the fast way says the same as the plain one, errors included."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidMessage, InvalidMessageSize, OffsetscopeError
from engine.message.decoding import Message, iterate_messages
from engine.message.format import ALIKE_AT_MOST, scan_entries
from engine.message.message_set import encode_compressed_set, encode_message_set, iterate_deep

Told = tuple[list[Message], str, object]


def told(messages: Iterable[Message]) -> Told:
    """The messages before an error, its code and the offset that it names."""
    found: list[Message] = []
    try:
        for message in messages:
            found.append(message)  # noqa: PERF402  # those before an error count
    except OffsetscopeError as error:
        return found, error.code, error.fields["offset"]
    return found, "", 0


def agree(data: bytes, base_offset: int = 1000) -> Told:
    """What both ways say; they must say the same."""
    plain = told((message.next_offset, message.payload) for message in iterate_deep(data, base_offset))
    assert told(iterate_messages(data, base_offset)) == plain
    return plain


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, ALIKE_AT_MOST, ALIKE_AT_MOST + 1, 300])
@pytest.mark.parametrize("size", [0, 1, 200])
def test_messages_of_one_length_come_back_with_where_to_read_on(count: int, size: int) -> None:
    payloads = [bytes([number % 251]) * size for number in range(count)]
    messages, code, _ = agree(encode_message_set(payloads))
    assert messages == [(1000 + (number + 1) * (9 + size), payload) for number, payload in enumerate(payloads)]
    assert code == ""


def test_messages_of_any_lengths_come_back_in_order() -> None:
    payloads = [b"x" * (number * number % 97) for number in range(3000)]
    assert [payload for _, payload in agree(encode_message_set(payloads))[0]] == payloads


def test_runs_of_one_length_follow_other_runs() -> None:
    payloads = [b"x" * (number // 100) for number in range(1000)]
    assert [payload for _, payload in agree(encode_message_set(payloads))[0]] == payloads


@pytest.mark.parametrize("damaged", [0, 1, 30, 63, 64, 99])
def test_the_messages_before_a_damaged_one_are_delivered_and_it_is_named(damaged: int) -> None:
    data = bytearray(encode_message_set([b"%03d" % number for number in range(100)]))
    data[damaged * 12 + 11] ^= 1
    messages, code, offset = agree(bytes(data))
    assert (len(messages), code, offset) == (damaged, InvalidMessage.code, 1000 + damaged * 12)


def test_a_length_that_lies_in_the_middle_of_a_run_is_found() -> None:
    data = bytearray(encode_message_set([b"%03d" % number for number in range(100)]))
    data[50 * 12 + 3] = 3
    assert agree(bytes(data))[1:] == (InvalidMessageSize.code, 1000 + 50 * 12)


@pytest.mark.parametrize("count", [1, 20, 100])
def test_a_part_of_a_message_at_the_end_is_left_for_the_next_fetch(count: int) -> None:
    data = encode_message_set([b"some text"] * count)
    for cut in range(1, 18):
        messages, code, _ = agree(data[:-cut])
        assert len(messages) == max(0, count - 1 if cut < 18 else count - 2)
        assert code == ("" if count > 1 or cut > 14 else InvalidMessageSize.code)


def test_a_fetch_smaller_than_its_first_message_is_an_error_once_the_length_can_be_read() -> None:
    # case 34
    entry = encode_message_set([b"first"])
    assert agree(entry[:10], 430) == ([], InvalidMessageSize.code, 430)
    assert agree(entry[:3], 430) == ([], "", 0)


def test_compressed_sets_stand_between_plain_messages() -> None:
    data = (
        encode_message_set([b"plain"] * 70) + encode_compressed_set([b"a", b"b"]) + encode_message_set([b"more"] * 70)
    )
    messages, code, _ = agree(data)
    assert (len(messages), code) == (142, "")
    set_offset = 1000 + 70 * 14
    assert messages[70] == (set_offset, b"a")
    assert messages[71][0] == set_offset + len(encode_compressed_set([b"a", b"b"]))


@given(st.lists(st.tuples(st.binary(max_size=4), st.integers(1, 70)), max_size=5), st.data())
def test_both_ways_agree_on_bytes_that_were_damaged_and_cut(
    pieces: list[tuple[bytes, int]], data: st.DataObject
) -> None:
    encoded = bytearray(encode_message_set([payload for payload, count in pieces for _ in range(count)]))
    for _ in range(data.draw(st.integers(0, 2))):
        if encoded:
            encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.integers(0, len(encoded)))
    agree(bytes(encoded[:cut]))


@given(st.binary(max_size=200))
def test_both_ways_agree_on_noise(noise: bytes) -> None:
    agree(noise)


def test_a_scan_counts_runs_and_strays_alike() -> None:
    payloads = [b"x" * (200 if number % 90 else number) for number in range(400)]
    encoded = encode_message_set(payloads)
    scan = scan_entries(encoded)
    assert scan.sizes == [9 + len(payload) for payload in payloads]
    assert scan.end == len(encoded)
