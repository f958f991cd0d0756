"""Labels, and the frames that travel with them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.ids import TopicPartition
from engine.protocol.envelope import (
    NO_ADDRESS,
    BatchLabel,
    FetchLabel,
    Label,
    MultiFetchLabel,
    OffsetsLabel,
    ResponseEnvelope,
    enclose,
)
from engine.protocol.faults import NO_ERROR, UNKNOWN, MalformedRequest, MalformedResponse
from engine.protocol.frames import LENGTH_BYTES
from engine.protocol.requests import (
    LATEST_MS,
    FetchRequest,
    MultiFetchRequest,
    OffsetsRequest,
    ProduceRequest,
    Request,
    encode_request,
)
from engine.protocol.responses import (
    Response,
    decode_acknowledgement,
    encode_acknowledgement,
    encode_offsets_response,
    response_header,
)

PRODUCE = ProduceRequest("clicks", 2, b"a message set")
FETCH = FetchRequest("clicks", 2, 650, 300)
LATEST = OffsetsRequest("clicks", 2, LATEST_MS, 1)
SINGLE: list[tuple[Label, Request]] = [
    (BatchLabel(7, 3, NO_ADDRESS), PRODUCE),
    (FetchLabel(7, "readers", "A"), FETCH),
    (OffsetsLabel(7), LATEST),
]
SEVERAL = MultiFetchRequest((FETCH, FetchRequest("news", 0, 0, 100)))


@pytest.mark.parametrize(("label", "request_"), [*SINGLE, (MultiFetchLabel(7, "reader"), SEVERAL)])
def test_a_request_is_the_same_after_its_envelope(label: Label, request_: Request) -> None:
    envelope = enclose(label, request_)
    assert envelope.label == label
    assert envelope.request == request_
    assert envelope.frame == encode_request(request_)
    assert int.from_bytes(envelope.frame[:LENGTH_BYTES], "big") == len(envelope.frame) - LENGTH_BYTES


@pytest.mark.parametrize(("label", "request_"), SINGLE)
def test_a_request_for_one_partition_says_which(label: Label, request_: Request) -> None:
    assert enclose(label, request_).partition == TopicPartition("clicks", 2)


def test_only_a_produce_request_has_the_label_of_a_batch() -> None:
    label = BatchLabel(7, 3, "producer")
    assert enclose(label, PRODUCE).batch == label
    with pytest.raises(AssertionError):
        _ = enclose(OffsetsLabel(7), LATEST).batch


def test_two_requests_with_the_same_bytes_differ_by_their_labels() -> None:
    one, other = enclose(OffsetsLabel(1), LATEST), enclose(OffsetsLabel(2), LATEST)
    assert one.frame == other.frame
    assert one != other
    assert one == enclose(OffsetsLabel(1), LATEST)


def test_a_value_that_does_not_fit_its_field_is_refused() -> None:
    with pytest.raises(MalformedRequest):
        enclose(FetchLabel(1, "readers", "A"), FetchRequest("clicks", 0, 1 << 63, 100))


@pytest.mark.parametrize(
    ("frame", "response"),
    [
        (response_header(4, NO_ERROR) + b"body", Response(NO_ERROR, b"body")),
        (response_header(0, UNKNOWN), Response(UNKNOWN, b"")),
        (encode_offsets_response([650]), Response(NO_ERROR, bytes.fromhex("00000001" + "000000000000028a"))),
    ],
)
def test_a_response_envelope_decodes_its_frame_and_carries_its_request(frame: bytes, response: Response) -> None:
    request = enclose(FetchLabel(7, "readers", "A"), FETCH)
    envelope = ResponseEnvelope(request, frame)
    assert envelope.response == response
    assert envelope.answers == request


@given(st.integers(0, (1 << 63) - 1))
def test_an_acknowledgement_of_an_append_says_where_the_set_begins(offset: int) -> None:
    response = ResponseEnvelope(enclose(BatchLabel(7, 3, "producer"), PRODUCE), encode_acknowledgement(offset, ""))
    assert response.response.error_code == NO_ERROR
    assert decode_acknowledgement(response.response.body) == (offset, "")


@given(st.text(min_size=1, max_size=40))
def test_an_acknowledgement_of_a_failure_has_the_code_for_unknown_and_the_name_of_the_error(error: str) -> None:
    response = ResponseEnvelope(enclose(BatchLabel(7, 3, "producer"), PRODUCE), encode_acknowledgement(0, error))
    assert response.response.error_code == UNKNOWN
    assert decode_acknowledgement(response.response.body) == (0, error)


@pytest.mark.parametrize("size_bytes", [0, 8, 9, 10])
def test_an_acknowledgement_that_is_cut_short_is_refused(size_bytes: int) -> None:
    body = ResponseEnvelope(enclose(BatchLabel(7, 3, "producer"), PRODUCE), encode_acknowledgement(0, "x")).response
    with pytest.raises(MalformedResponse):
        decode_acknowledgement(body.body[:size_bytes])
