"""Requests to a simulated broker from a client that the cluster does not know."""

from engine.broker.broker import Broker
from engine.ids import TopicPartition
from engine.protocol.envelope import FetchLabel, Label, OffsetsLabel, ResponseEnvelope, enclose
from engine.protocol.faults import NO_ERROR, error_of
from engine.protocol.requests import AnsweredRequest, FetchRequest, OffsetsRequest
from engine.protocol.responses import Response, decode_offsets

CLIENT = "client"


def send(broker: Broker, label: Label, request: AnsweredRequest) -> Response:
    """Send a request; return the response that the broker sends at once."""
    sent: list[object] = []
    broker.machine.network.listen(sent.append)
    envelope = enclose(label, request)
    broker.handle(CLIENT, envelope)
    (response,) = sent
    assert isinstance(response, ResponseEnvelope)
    assert response.answers == envelope
    return response.response


def fetch(broker: Broker, partition: TopicPartition, offset: int, max_bytes: int) -> Response:
    """Send a fetch; return its response."""
    label = FetchLabel(broker.machine.numbers.next("fetch"), "g", "c")
    return send(broker, label, FetchRequest(*partition, offset, max_bytes))


def offsets_before(broker: Broker, partition: TopicPartition, time_ms: int, max_offsets: int) -> tuple[int, ...]:
    """Return offsets before a time, newest first; raise the error that the broker's code stands for."""
    label = OffsetsLabel(broker.machine.numbers.next("offsets"))
    response = send(broker, label, OffsetsRequest(*partition, time_ms, max_offsets))
    if response.error_code != NO_ERROR:
        raise error_of(response.error_code, *partition, 0)
    return decode_offsets(response.body)
