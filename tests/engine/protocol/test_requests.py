"""Requests byte by byte: what other clients of 0.7 send, and what is no request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol.faults import MalformedRequest
from engine.protocol.requests import (
    FetchRequest,
    MultiFetchRequest,
    MultiProduceRequest,
    OffsetsRequest,
    ProduceRequest,
    Request,
    decode_request,
    encode_request,
    steps_of,
)

MAGIC_1_TESTING = bytes.fromhex("0000000d0100e8f35a0674657374696e67")

topics = st.text(max_size=12)
int16s = st.integers(-(2**15), 2**15 - 1)
int32s = st.integers(-(2**31), 2**31 - 1)
int64s = st.integers(-(2**63), 2**63 - 1)
produces = st.builds(ProduceRequest, topics, int32s, st.binary(max_size=40))
fetches = st.builds(FetchRequest, topics, int32s, int64s, int32s)
requests = st.one_of(
    produces,
    fetches,
    st.builds(MultiFetchRequest, st.lists(fetches, max_size=4).map(tuple)),
    st.builds(MultiProduceRequest, st.lists(produces, max_size=4).map(tuple)),
    st.builds(OffsetsRequest, topics, int32s, int64s, int32s),
)


# --- the bytes of other clients -------------------------------------------------------------------------------------


def test_an_empty_produce_is_the_bytes_of_the_ruby_client() -> None:
    # case 8
    assert encode_request(ProduceRequest("test", 0, b"")).hex() == "0000001000000004746573740000000000000000"


def test_a_produce_is_the_bytes_of_the_go_client() -> None:
    # case 9
    encoded = encode_request(ProduceRequest("test", 0, MAGIC_1_TESTING))
    assert encoded == bytes.fromhex("0000002100000004746573740000000000000011") + MAGIC_1_TESTING
    assert len(encoded) == 37


def test_a_multi_produce_has_the_size_and_the_count_of_the_c_sharp_client() -> None:
    # case 10
    message = bytes.fromhex("000000100100") + b"\0" * 4 + b"x" * 10
    encoded = encode_request(MultiProduceRequest((ProduceRequest("topic-1", 0, message),) * 4))
    assert len(encoded) == 156
    assert encoded[:8].hex() == "00000098" + "0003" + "0004"


@pytest.mark.parametrize(("topic", "length"), [("test", 24), ("someothertopicname", 38)])
def test_a_fetch_has_the_length_of_the_ruby_client(topic: str, length: int) -> None:
    # case 11
    encoded = encode_request(FetchRequest(topic, 0, 0, 1024))
    assert int.from_bytes(encoded[:4], "big") == length == len(encoded) - 4


def test_a_fetch_holds_its_fields_in_the_order_of_the_protocol() -> None:
    encoded = encode_request(FetchRequest("ab", 1, 2, 3))
    assert encoded.hex() == "00000016" + "0001" + "00026162" + "00000001" + "0000000000000002" + "00000003"


def test_an_offsets_request_holds_its_fields_in_the_order_of_the_protocol() -> None:
    encoded = encode_request(OffsetsRequest("ab", 1, -2, 3))
    assert encoded.hex() == "00000016" + "0004" + "00026162" + "00000001" + "fffffffffffffffe" + "00000003"


def test_a_multi_fetch_counts_its_fetches_in_two_bytes() -> None:
    fetch = FetchRequest("ab", 1, 2, 3)
    encoded = encode_request(MultiFetchRequest((fetch, fetch)))
    assert encoded[4:8].hex() == "0002" + "0002"
    assert encoded[8:] == encode_request(fetch)[6:] * 2


# --- there and back -------------------------------------------------------------------------------------------------


@given(requests)
def test_a_request_survives_encoding_and_decoding(request: Request) -> None:
    encoded = encode_request(request)
    assert int.from_bytes(encoded[:4], "big") == len(encoded) - 4
    assert decode_request(encoded[4:]) == request


@given(requests, st.binary(min_size=1, max_size=8))
def test_bytes_after_a_request_are_ignored(request: Request, more: bytes) -> None:
    assert decode_request(encode_request(request)[4:] + more) == request


# --- what is no request ---------------------------------------------------------------------------------------------


@given(requests, st.data())
def test_a_request_cut_anywhere_is_refused(request: Request, data: st.DataObject) -> None:
    frame = encode_request(request)[4:]
    with pytest.raises(MalformedRequest):
        decode_request(frame[: data.draw(st.integers(0, len(frame) - 1))])


@given(st.binary(max_size=200))
def test_garbage_is_decoded_or_refused_as_a_malformed_request(frame: bytes) -> None:
    try:
        decoded = decode_request(frame)
    except MalformedRequest:
        return
    again = encode_request(decoded)[4:]
    assert again == frame[: len(again)]


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        ("0005", "no request of kind 5"),
        ("ffff", "no request of kind -1"),
        ("0001ffff", "a string of -1 bytes"),
        ("00010002c328" + "00" * 16, "not UTF-8"),
        ("0002ffff", "a count of -1"),
        ("0000000161" + "00000000" + "ffffffff", "a message set of -1 bytes"),
        ("0000000161" + "00000000" + "00000002" + "00", "a message set of 2 bytes, where 1 are left"),
    ],
)
def test_the_error_for_a_malformed_request_says_what_is_wrong(frame: str, reason: str) -> None:
    with pytest.raises(MalformedRequest, match=reason):
        decode_request(bytes.fromhex(frame))


@pytest.mark.parametrize(
    "request_",
    [
        FetchRequest("a", 2**31, 0, 0),
        FetchRequest("a", 0, 2**63, 0),
        FetchRequest("a" * 40_000, 0, 0, 0),
        FetchRequest("\ud800", 0, 0, 0),
        MultiFetchRequest((FetchRequest("a", 0, 0, 0),) * 40_000),
    ],
)
def test_a_value_too_large_for_its_field_is_refused(request_: Request) -> None:
    with pytest.raises(MalformedRequest):
        encode_request(request_)


@given(requests)
def test_a_multi_produce_has_its_produces_as_steps_and_other_requests_have_one_step(request: Request) -> None:
    assert steps_of(request) == (request.produces if isinstance(request, MultiProduceRequest) else (request,))
