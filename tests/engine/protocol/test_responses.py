"""Responses byte by byte, and error codes as errors."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import (
    InvalidMessage,
    InvalidMessageSize,
    LogClosed,
    OffsetOutOfRange,
    OffsetscopeError,
    UnknownPartition,
)
from engine.protocol.faults import InvalidFetchSize, MalformedResponse, UnknownServerFault, code_of, error_of
from engine.protocol.responses import (
    Response,
    decode_multi_fetch,
    decode_offsets,
    decode_response,
    encode_offsets_response,
    multi_fetch_header,
    response_header,
)

answers = st.builds(Response, st.integers(-1, 4), st.binary(max_size=30))


def encode(answer: Response) -> bytes:
    return response_header(len(answer.body), answer.error_code) + answer.body


def test_a_response_counts_its_code_into_its_length() -> None:
    assert response_header(39, 0).hex() == "00000029" + "0000"
    assert response_header(0, -1).hex() == "00000002" + "ffff"


def test_offsets_are_counted_and_follow_newest_first() -> None:
    encoded = encode_offsets_response([240, 0])
    assert encoded.hex() == "00000016" + "0000" + "00000002" + "00000000000000f0" + "0000000000000000"


@given(st.lists(answers, max_size=5))
def test_a_multi_fetch_is_an_outer_header_and_complete_responses_in_order(inner: list[Response]) -> None:
    body = b"".join([encode(answer) for answer in inner])
    encoded = multi_fetch_header(len(body)) + body
    assert int.from_bytes(encoded[:4], "big") == len(encoded) - 4
    outer = decode_response(encoded[4:])
    assert outer.error_code == 0
    assert decode_multi_fetch(outer.body, len(inner)) == tuple(inner)


@given(st.lists(st.integers(0, 2**63 - 1), max_size=5))
def test_offsets_survive_encoding_and_decoding(offsets: list[int]) -> None:
    answer = decode_response(encode_offsets_response(offsets)[4:])
    assert (answer.error_code, decode_offsets(answer.body)) == (0, tuple(offsets))


@given(st.binary(max_size=60), st.integers(0, 3))
def test_garbage_is_decoded_or_refused_as_a_malformed_response(frame: bytes, count: int) -> None:
    for decode in (decode_response, decode_offsets, lambda body: decode_multi_fetch(body, count)):
        with suppress(MalformedResponse):
            decode(frame)


@pytest.mark.parametrize(("count", "reason"), [(1, "after the last of 1"), (3, "a field of 4 bytes, where 0")])
def test_a_multi_fetch_response_with_a_wrong_number_of_answers_is_refused(count: int, reason: str) -> None:
    with pytest.raises(MalformedResponse, match=reason):
        decode_multi_fetch(encode(Response(0, b"x")) * 2, count)


@pytest.mark.parametrize("body", ["ffffffff", "00000001", "0000000100000000000000", "00000000" + "00"])
def test_a_wrong_count_of_offsets_is_refused(body: str) -> None:
    with pytest.raises(MalformedResponse):
        decode_offsets(bytes.fromhex(body))


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (OffsetOutOfRange, 1),
        (InvalidMessage, 2),
        (UnknownPartition, 3),
        (InvalidMessageSize, 4),
        (InvalidFetchSize, 4),
        (LogClosed, -1),
    ],
)
def test_each_error_has_the_code_of_the_protocol(kind: type[OffsetscopeError], code: int) -> None:
    assert code_of(kind("it failed", "try again")) == code


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (1, OffsetOutOfRange),
        (2, InvalidMessage),
        (3, UnknownPartition),
        (4, InvalidFetchSize),
        (-1, UnknownServerFault),
        (77, UnknownServerFault),
    ],
)
def test_each_code_becomes_its_error(code: int, kind: type[OffsetscopeError]) -> None:
    error = error_of(code, "pageviews", 3, 650)
    assert type(error) is kind
    assert "pageviews" in error.message or "650" in error.message
