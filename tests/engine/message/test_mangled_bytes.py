"""Mangled message sets: reading gives typed errors or messages, never anything else, and never takes much memory."""

import zlib
from contextlib import suppress

from hypothesis import example, given, settings
from hypothesis import strategies as st

from engine.consumer.fetcher import decode
from engine.errors import InvalidMessage, InvalidMessageSize, MessageTooLarge, UnsupportedCodec
from engine.message.format import GZIP, encode_magic_1, iterate_shallow
from engine.message.message_set import check_set, encode_compressed_set, encode_message_set, iterate_deep, preview

SPEAKABLE = (InvalidMessage, InvalidMessageSize, UnsupportedCodec)

payloads = st.lists(st.binary(max_size=40), min_size=1, max_size=6)
whole_sets = st.one_of(payloads.map(encode_message_set), payloads.map(encode_compressed_set))
several_sets = st.lists(whole_sets, min_size=1, max_size=4).map(b"".join)


@st.composite
def mangled_sets(draw: st.DrawFn) -> bytes:
    """Draw a good set with some bytes changed, removed, inserted or cut off."""
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
    """Make an entry of magic 1 that claims to be gzip, with a good CRC, whatever is in it."""
    return encode_magic_1(packed, GZIP)


def gzipped(data: bytes) -> bytes:
    return zlib.compress(data, wbits=31)


# A good CRC outside and anything inside: what a malicious producer can send.
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
                positions += message[:2]
        except SPEAKABLE as error:
            positions.append(int(str(error.fields["offset"])))
        assert positions == sorted(positions)
        assert positions[-1] <= base_offset + len(data)


@settings(max_examples=400, deadline=None)
@given(data=any_bytes, max_message_bytes=st.integers(1, 80))
def test_a_set_that_an_append_accepts_can_be_read_to_its_end(data: bytes, max_message_bytes: int) -> None:
    try:
        size_bytes, sizes, messages = check_set(data, max_message_bytes)
    except (*SPEAKABLE, MessageTooLarge):
        return
    whole = data[:size_bytes]
    assert [end - start for start, end, _, _ in iterate_shallow(whole, 0)] == list(sizes)
    with suppress(UnsupportedCodec):  # snappy is appended and not read
        assert len(list(iterate_deep(whole, 0))) == messages


@settings(max_examples=300, deadline=None)
@given(data=any_bytes)
def test_a_consumer_gets_good_messages_and_an_error_code_from_any_bytes(data: bytes) -> None:
    messages, error = decode(data, 1000, 1 << 20)
    assert error in {"", "invalid_message", "invalid_message_size", "unsupported_codec"}
    offsets = [1000, *(next_offset for _, next_offset, _ in messages), 1000 + len(data)]
    assert offsets == sorted(offsets)


@settings(max_examples=300, deadline=None)
@given(data=any_bytes, codec=st.integers(0, 3))
def test_a_preview_of_any_bytes_is_a_short_printable_text(data: bytes, codec: int) -> None:
    text = preview(data, codec)
    assert len(text) <= 24
    assert text.isprintable()
