"""Message sets: written, compressed, read back, checked, previewed."""

import re
import time
import tracemalloc
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import InvalidMessage, InvalidMessageSize, MessageTooLarge, OffsetscopeError, UnsupportedCodec
from engine.message.compression import NESTED_ROOM_BYTES, deflate
from engine.message.format import GZIP, NO_CODEC, SNAPPY, encode_magic_1, iterate_shallow
from engine.message.message_set import (
    NESTED_MAX,
    PREVIEW_CHARACTERS,
    CheckedSet,
    check_set,
    encode_compressed_set,
    encode_message_set,
    iterate_deep,
    preview,
)

MAGIC_1_TESTING = bytes.fromhex("0000000d0100e8f35a0674657374696e67")
GZIP_TESTING = bytes.fromhex(
    "0000002f010107fdc3761f8b08000000000004ff626060e0656478f1398aad24b5b824332f1d100000ffff0c6a829111000000"
)
UNLIMITED = 1 << 31


def gzip_entry(inner: bytes) -> bytes:
    """Make a gzip entry that holds ``inner``, whatever that is."""
    return encode_magic_1(deflate(inner), GZIP)


def payloads_of(data: bytes) -> list[bytes]:
    return [payload for _, _, payload in iterate_deep(data, 0)]


def offset_of_fault(read: Callable[[], object]) -> int:
    """Return the offset at which ``read`` finds a fault; 0 if it finds none."""
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
def test_the_next_offset_is_the_offset_plus_nine_bytes_and_the_payload(
    offset: int, payload_bytes: int, next_offset: int
) -> None:
    # case 6
    (entry,) = iterate_shallow(encode_message_set([b"p" * payload_bytes]), offset)
    assert entry[:2] == (offset, next_offset)


def test_a_message_of_magic_1_is_read_too() -> None:
    # case 2
    assert list(iterate_deep(MAGIC_1_TESTING, 100)) == [(100, 117, b"testing")]


def test_a_set_that_another_client_compressed_is_read() -> None:
    # case 3
    assert list(iterate_deep(GZIP_TESTING, 0)) == [(0, 51, b"testing")]
    assert check_set(GZIP_TESTING, UNLIMITED) == CheckedSet(51, (51,), 1)


@given(st.lists(st.binary(max_size=30), min_size=1, max_size=6))
def test_messages_of_a_compressed_set_except_the_last_have_its_start_as_next_offset(payloads: list[bytes]) -> None:
    encoded = encode_compressed_set(payloads)
    messages = list(iterate_deep(encoded, 1000))
    assert [payload for _, _, payload in messages] == payloads
    assert {offset for offset, _, _ in messages} == {1000}
    next_offsets = [next_offset for _, next_offset, _ in messages]
    assert next_offsets == [1000] * (len(payloads) - 1) + [1000 + len(encoded)]


def test_plain_and_compressed_sets_follow_one_another() -> None:
    compressed = encode_compressed_set([b"b", b"c"])
    end = 10 + len(compressed)
    mixed = encode_message_set([b"a"]) + compressed + encode_message_set([b"d"])
    messages = list(iterate_deep(mixed, 0))
    assert messages == [(0, 10, b"a"), (10, 10, b"b"), (10, end, b"c"), (end, end + 10, b"d")]


def test_the_same_payloads_are_compressed_to_the_same_bytes() -> None:
    assert encode_compressed_set([b"a", b"b"]) == encode_compressed_set([b"a", b"b"])
    assert encode_compressed_set([]) == b""


def test_good_messages_before_a_damaged_one_are_still_delivered() -> None:
    encoded = bytearray(encode_message_set([b"aa", b"bb", b"cc"]))
    encoded[20] ^= 1
    walk = iterate_deep(bytes(encoded), 1000)
    assert next(walk) == (1000, 1011, b"aa")
    with pytest.raises(InvalidMessage, match="does not match its CRC") as caught:
        next(walk)
    assert caught.value.fields == {"offset": 1011}


def test_a_read_from_the_middle_of_a_message_never_yields_a_message() -> None:
    encoded = encode_message_set([b"a message of some length", b"and another"])
    for start in range(1, 33):
        with pytest.raises((InvalidMessage, InvalidMessageSize)):
            list(iterate_deep(encoded[start:], start))


# --- compressed sets of other clients -------------------------------------------------------------------------------

INNER = encode_message_set([b"one", b"two"])


@pytest.mark.parametrize(
    ("inner", "payloads"),
    [
        (b"", []),
        (b"\0\0\0", []),
        (INNER + encode_message_set([b"cut"])[:-1], [b"one", b"two"]),
        (INNER + b"\0\0\0\3\0", [b"one", b"two"]),
        (INNER + MAGIC_1_TESTING, [b"one", b"two", b"testing"]),
        (encode_compressed_set([b"twice"]), [b"twice"]),
        (INNER + encode_compressed_set([b"a", b"b"]) + INNER, [b"one", b"two", b"a", b"b", b"one", b"two"]),
        (gzip_entry(gzip_entry(INNER)) + gzip_entry(b""), [b"one", b"two"]),
    ],
)
def test_the_inside_of_a_compressed_set_is_read_by_the_rules_of_an_outer_set(
    inner: bytes, payloads: list[bytes]
) -> None:
    # 0.7.2: ByteBufferMessageSet.internalIterator goes into each level alike
    data = gzip_entry(inner)
    assert payloads_of(data) == payloads
    assert check_set(data, UNLIMITED) == CheckedSet(len(data), (len(data),), len(payloads))
    next_offsets = [next_offset for _, next_offset, _ in iterate_deep(data, 0)]
    assert next_offsets == [0] * (len(payloads) - 1) + [len(data)] * bool(payloads)


def test_a_gzip_stream_of_several_members_is_read_to_its_end() -> None:
    packed = deflate(INNER[:5]) + deflate(INNER[5:]) + deflate(b"") + deflate(INNER)
    assert payloads_of(encode_magic_1(packed, GZIP)) == [b"one", b"two"] * 2
    assert payloads_of(encode_magic_1(packed + b"no gzip", GZIP)) == [b"one", b"two"] * 2


@pytest.mark.parametrize(
    ("packed", "reason"),
    [
        (b"no gzip", "gzip reports"),
        (b"", "truncated"),
        (deflate(INNER)[:-1], "truncated"),
        (deflate(INNER)[:-5] + b"\xff" + deflate(INNER)[-4:], "gzip reports"),
        (deflate(INNER[:8]), "are left"),
        (deflate(b"\0\0\0\0"), "length 0"),
        (deflate(INNER[:-1] + b"\0"), "does not match its CRC"),
        (deflate(encode_magic_1(b"?", 3)), "codec 3, which 0.7 does not know"),
        (deflate(gzip_entry(INNER[:-1] + b"\0")), "does not match its CRC"),
    ],
)
def test_a_compressed_set_with_damaged_content_is_refused_everywhere(packed: bytes, reason: str) -> None:
    broken = encode_message_set([b"plain"]) + encode_magic_1(packed, GZIP)
    with pytest.raises(InvalidMessage, match=reason) as caught:
        list(iterate_deep(broken, 36))
    assert caught.value.fields == {"offset": 50}
    with pytest.raises(InvalidMessage, match=reason) as caught:
        check_set(broken, UNLIMITED)
    assert caught.value.fields == {"offset": 14}


def test_a_snappy_set_is_accepted_unopened_and_reported_by_deep_iteration() -> None:
    data = encode_message_set([b"plain"]) + encode_magic_1(b"packed", SNAPPY)
    assert check_set(data, UNLIMITED) == CheckedSet(30, (14, 16), 2)
    walk = iterate_deep(data, 77)
    assert next(walk)[2] == b"plain"
    with pytest.raises(UnsupportedCodec, match="snappy") as caught:
        next(walk)
    assert caught.value.fields == {"offset": 91, "codec": "snappy"}
    assert (caught.value.code, caught.value.definite) == ("unsupported_codec", True)


def test_a_snappy_set_inside_gzip_is_accepted_and_reported_too() -> None:
    data = gzip_entry(INNER + encode_magic_1(b"packed", SNAPPY))
    assert check_set(data, UNLIMITED).messages == 3
    with pytest.raises(UnsupportedCodec, match="snappy") as caught:
        list(iterate_deep(data, 5))
    assert caught.value.fields["offset"] == 5


def test_a_damaged_snappy_set_is_refused() -> None:
    damaged = encode_magic_1(b"packed", SNAPPY)[:-1] + b"?"
    with pytest.raises(InvalidMessage, match="CRC"):
        check_set(damaged, UNLIMITED)


def test_an_unknown_codec_is_reported_and_never_appended() -> None:
    data = encode_message_set([b"plain"]) + encode_magic_1(b"packed", 3)
    walk = iterate_deep(data, 77)
    assert next(walk)[2] == b"plain"
    with pytest.raises(InvalidMessage, match="codec 3") as caught:
        next(walk)
    assert caught.value.fields == {"offset": 91}
    with pytest.raises(InvalidMessage, match="codec 3"):
        check_set(data, UNLIMITED)


# --- sets that inflate to a lot -------------------------------------------------------------------------------------


def peak_bytes(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_set_that_inflates_to_forty_megabytes_is_checked_and_read_in_a_few_megabytes() -> None:
    data = encode_compressed_set([bytes(1_000_000)] * 40)
    assert len(data) < 50_000
    assert peak_bytes(lambda: check_set(data, UNLIMITED)) < 8_000_000
    assert peak_bytes(lambda: sum(1 for _ in iterate_deep(data, 0))) < 8_000_000
    assert check_set(data, UNLIMITED).messages == sum(1 for _ in iterate_deep(data, 0)) == 40


def test_a_message_that_inflates_to_twenty_megabytes_is_read_whole() -> None:
    data = encode_compressed_set([b"small", bytes(20_000_000), b"small"])
    assert check_set(data, UNLIMITED).messages == 3
    assert [len(payload) for payload in payloads_of(data)] == [5, 20_000_000, 5]


@pytest.mark.parametrize("size", [1, 262_134, 262_135, 262_136, 262_144, 262_145, 524_288])
def test_messages_of_any_size_may_span_the_pieces_in_which_a_set_is_inflated(size: int) -> None:
    payloads = [b"before", b"x" * size, b"between", b"y" * size, b""]
    assert payloads_of(encode_compressed_set(payloads)) == payloads


def test_a_message_longer_than_any_request_is_refused_by_its_header() -> None:
    inner = (200 * 1024 * 1024).to_bytes(4, "big") + bytes(500_000)
    with pytest.raises(InvalidMessage, match="longer than"):
        list(iterate_deep(gzip_entry(INNER + inner), 0))


def test_nested_sets_share_one_limit() -> None:
    level = gzip_entry(encode_message_set([bytes(NESTED_ROOM_BYTES // 4)]))
    assert len(payloads_of(gzip_entry(level * 3))) == 3
    bomb = gzip_entry(gzip_entry(encode_message_set([bytes(1_000_000)] * 40)) * 40)
    for work in (payloads_of, lambda data: check_set(data, UNLIMITED)):
        with pytest.raises(InvalidMessage, match="gzip inside gzip"):
            work(bomb)


def test_sets_nest_up_to_a_limit_and_no_deeper() -> None:
    data = INNER
    for _ in range(NESTED_MAX):
        data = gzip_entry(data)
    assert payloads_of(data) == [b"one", b"two"]
    with pytest.raises(InvalidMessage, match="nests more than"):
        payloads_of(gzip_entry(data))


# --- checking before an append --------------------------------------------------------------------------------------


def test_a_check_counts_the_messages_inside_compressed_sets() -> None:
    compressed = encode_compressed_set([b"b", b"c", b"d"])
    checked = check_set(encode_message_set([b"a"]) + compressed + MAGIC_1_TESTING, UNLIMITED)
    assert checked == CheckedSet(27 + len(compressed), (10, len(compressed), 17), 5)
    assert check_set(b"", UNLIMITED) == CheckedSet(0, (), 0)


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=5), st.data())
def test_whole_entries_are_accepted_and_a_partial_one_after_them_is_dropped(
    payloads: list[bytes], data: st.DataObject
) -> None:
    encoded = encode_message_set(payloads)
    ends = [end for _, end, _, _ in iterate_shallow(encoded, 0)]
    cut = data.draw(st.integers(1, len(encoded)))
    if cut < 4 or cut >= ends[0]:
        assert sum(check_set(encoded[:cut], UNLIMITED).sizes) == max([0, *(end for end in ends if end <= cut)])
    else:
        with pytest.raises(InvalidMessageSize):
            check_set(encoded[:cut], UNLIMITED)


def test_a_payload_may_be_as_large_as_the_limit_and_no_larger() -> None:
    # case 33
    assert check_set(encode_message_set([b"You", b"bethe"]), 5).messages == 2
    with pytest.raises(MessageTooLarge) as caught:
        check_set(encode_message_set([b"You", b"change"]), 5)
    assert caught.value.fields == {"offset": 12, "payload_bytes": 6, "max_message_bytes": 5}


@pytest.mark.parametrize(
    "entry", [MAGIC_1_TESTING, encode_magic_1(b"7 bytes", SNAPPY), encode_message_set([b"7 bytes"])]
)
def test_the_limit_is_on_the_payload_whatever_the_header(entry: bytes) -> None:
    assert check_set(entry, 7).messages == 1
    with pytest.raises(MessageTooLarge):
        check_set(entry, 6)


DAMAGED = encode_message_set([b"good"])[:-1] + b"?"
LARGE = encode_message_set([b"much too large"])


@pytest.mark.parametrize(
    "data",
    [DAMAGED + LARGE, LARGE + DAMAGED, encode_magic_1(b"?", 3) + LARGE, LARGE + bytes(4), LARGE + LARGE[:-1]],
)
def test_the_size_is_checked_before_anything_else(data: bytes) -> None:
    # 0.7.2: Log.append calls verifyMessageSize first
    with pytest.raises(MessageTooLarge):
        check_set(data, 8)


def test_an_impossible_length_or_magic_is_reported_before_the_size_of_a_later_message() -> None:
    for start in (bytes(4), b"\xff\xff\xff\xff"):
        with pytest.raises(InvalidMessageSize):
            check_set(start + LARGE, 8)
    unknown_magic = encode_message_set([b"good"])[:4] + b"\2" + encode_message_set([b"good"])[5:]
    with pytest.raises(InvalidMessage, match="magic"):
        check_set(unknown_magic + LARGE, 8)


def seconds_to_refuse(count: int) -> float:
    """Return the processor time to refuse a set of so many empty messages of magic 1 and one too large after them."""
    data = encode_magic_1(b"", 0) * count + LARGE
    begin = time.process_time()
    with pytest.raises(MessageTooLarge):
        check_set(data, 8)
    return time.process_time() - begin


def test_the_cost_of_refusing_a_set_is_linear_in_its_length() -> None:
    assert seconds_to_refuse(64_000) < 16 * 6 * min(seconds_to_refuse(4_000) for _ in range(5))


@given(st.binary(max_size=120))
def test_any_bytes_raise_only_typed_errors(noise: bytes) -> None:
    assert 0 <= offset_of_fault(lambda: list(iterate_deep(noise, 0))) <= len(noise)
    assert 0 <= offset_of_fault(lambda: check_set(noise, UNLIMITED)) <= len(noise)


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
    for codec in (NO_CODEC, GZIP, SNAPPY):
        shown = preview(payload, codec)
        assert len(shown) <= PREVIEW_CHARACTERS
        assert re.sub(r"(?<=\S)[\u200c\u200d]", "", shown).isprintable()


@pytest.mark.parametrize("first", [b"", b"short", "größer".encode(), b"x" * 500])
def test_the_preview_of_a_compressed_set_is_that_of_its_first_message(first: bytes) -> None:
    ((_, _, packed, _),) = iterate_shallow(encode_compressed_set([first, b"second"]), 0)
    assert preview(packed, GZIP) == preview(first)


def test_the_preview_of_a_compressed_message_of_magic_1_skips_its_longer_header() -> None:
    ((_, _, packed, _),) = iterate_shallow(GZIP_TESTING, 0)
    assert preview(packed, GZIP) == "testing"
    assert preview(b"no gzip", GZIP) == ""
