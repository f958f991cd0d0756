"""Message sets that somebody mangled: typed errors or messages, never anything else, and never much memory."""

import tracemalloc
import zlib
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.consumer.fetcher import decode
from engine.errors import InvalidMessage, InvalidMessageSize, MessageTooLarge, OffsetscopeError
from engine.message.compression import INFLATED_MAX_BYTES
from engine.message.format import WRAPPED_HEADER
from engine.message.message_set import (
    encode_compressed_set,
    encode_message_set,
    iterate_deep,
    iterate_shallow,
    preview,
    summarize_set,
)

SPEAKABLE = (InvalidMessage, InvalidMessageSize)

payloads = st.lists(st.binary(max_size=40), min_size=1, max_size=6)
whole_sets = st.one_of(payloads.map(encode_message_set), payloads.map(encode_compressed_set))
several_sets = st.lists(whole_sets, min_size=1, max_size=4).map(b"".join)


@st.composite
def mangled_sets(draw: st.DrawFn) -> bytes:
    """A good set with some bytes changed, taken out, put in or cut off."""
    data = bytearray(draw(several_sets))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        match draw(st.sampled_from(["change", "take", "put", "cut"])):
            case "change" if at < len(data):
                data[at] ^= draw(st.integers(1, 255))
            case "take":
                del data[at : at + draw(st.integers(1, 12))]
            case "put":
                data[at:at] = draw(st.binary(min_size=1, max_size=12))
            case "cut":
                del data[at:]
    return bytes(data)


def wrapped(packed: bytes) -> bytes:
    """An entry of magic 1 that says it is gzip, its CRC good, whatever is in it."""
    return WRAPPED_HEADER.pack(6 + len(packed), 1, 1, zlib.crc32(packed)) + packed


def gzipped(data: bytes) -> bytes:
    return zlib.compress(data, wbits=31)


# Good CRC outside, anything inside: what a malicious producer can send.
hostile_sets = st.one_of(
    st.binary(max_size=60).map(wrapped),
    st.binary(max_size=60).map(gzipped).map(wrapped),
    mangled_sets().map(gzipped).map(wrapped),
    mangled_sets().map(gzipped).map(wrapped).map(gzipped).map(wrapped),
)
any_bytes = st.one_of(st.binary(max_size=200), mangled_sets(), hostile_sets)


@settings(max_examples=400, deadline=None)
@given(data=any_bytes, base_offset=st.integers(0, 2**62))
@example(data=b"", base_offset=0)
@example(data=wrapped(b""), base_offset=5)
@example(data=wrapped(gzipped(b"")), base_offset=5)
def test_reading_gives_messages_in_order_or_an_error_that_names_an_offset_within(data: bytes, base_offset: int) -> None:
    for iterate in (iterate_shallow, iterate_deep):
        positions = [base_offset]
        try:
            for message in iterate(data, base_offset):
                positions += [message.offset, message.next_offset]
        except SPEAKABLE as error:
            positions.append(int(str(error.fields["offset"])))
        assert positions == sorted(positions)
        assert positions[-1] <= base_offset + len(data)


@settings(max_examples=400, deadline=None)
@given(data=any_bytes, max_message_bytes=st.integers(1, 80))
def test_what_an_append_would_accept_can_be_read_to_its_end(data: bytes, max_message_bytes: int) -> None:
    try:
        sizes, messages = summarize_set(data, max_message_bytes)
    except (*SPEAKABLE, MessageTooLarge):
        return
    assert sum(sizes) == len(data)
    assert len(list(iterate_shallow(data, 0))) == len(sizes)
    assert len(list(iterate_deep(data, 0))) == messages


@settings(max_examples=300, deadline=None)
@given(data=any_bytes)
def test_a_consumer_gets_good_messages_and_a_code_from_any_bytes(data: bytes) -> None:
    messages, error = decode(data, 1000, 1 << 20)
    assert error in {"", "invalid_message", "invalid_message_size"}
    offsets = [1000, *(next_offset for next_offset, _ in messages), 1000 + len(data)]
    assert offsets == sorted(offsets)


@settings(max_examples=300, deadline=None)
@given(data=any_bytes, codec=st.sampled_from(["none", "gzip"]))
def test_a_preview_of_any_bytes_is_a_short_printable_text(data: bytes, codec: str) -> None:
    text = preview(data, codec)
    assert len(text) <= 24
    assert text.isprintable()


Reading = Callable[[bytes], object]


def peak_bytes(read: Reading, data: bytes) -> int:
    """How much memory it takes to find out that ``data`` inflates to too much."""
    tracemalloc.start()
    try:
        with pytest.raises(OffsetscopeError, match="may inflate"):
            read(data)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def bomb(size_bytes: int) -> bytes:
    """A small entry that inflates to one message of ``size_bytes``."""
    return encode_compressed_set([bytes(size_bytes)])


@pytest.mark.parametrize("read", [lambda data: summarize_set(data, 10**9), lambda data: list(iterate_deep(data, 0))])
def test_a_bomb_is_refused_before_it_has_gone_off(read: Reading) -> None:
    packed = bomb(4 * INFLATED_MAX_BYTES)
    assert len(packed) < INFLATED_MAX_BYTES // 100
    assert peak_bytes(read, packed) < 3 * INFLATED_MAX_BYTES


def test_many_small_bombs_in_one_set_are_refused_like_a_large_one() -> None:
    data = bomb(INFLATED_MAX_BYTES // 2) * 20
    assert peak_bytes(lambda data: summarize_set(data, 10**9), data) < 3 * INFLATED_MAX_BYTES


def test_sets_are_opened_one_by_one_as_their_messages_are_asked_for() -> None:
    data = bomb(INFLATED_MAX_BYTES // 2) * 20
    tracemalloc.start()
    assert sum(1 for _ in iterate_deep(data, 0)) == 20
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * INFLATED_MAX_BYTES
