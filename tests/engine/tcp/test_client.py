"""The clients: what they return, which errors they raise, when they retry."""

import socket
import threading
from collections.abc import Iterator

import pytest

from engine.errors import InvalidMessage, InvalidMessageSize, OffsetOutOfRange, UnknownPartition, UnsupportedCodec
from engine.message.compression import deflate
from engine.message.format import GZIP, SNAPPY, encode_magic_1
from engine.message.message_set import DeepMessage, encode_message_set
from engine.protocol.faults import InvalidFetchSize, MalformedRequest, MalformedResponse, UnknownServerFault
from engine.protocol.requests import EARLIEST_MS, FetchRequest
from engine.protocol.responses import encode_offsets_response, multi_fetch_header, response_header
from engine.tcp.client import Fetched, Producer, ProducerData, SimpleConsumer
from engine.tcp.faults import BrokerUnreachable, ConnectionBroken, UnknownCompression
from tests.engine.tcp.support import RunningBroker, StartBroker, until


@pytest.fixture
def producer(broker: RunningBroker) -> Iterator[Producer]:
    with Producer("127.0.0.1", broker.port) as connected:
        yield connected


@pytest.fixture
def consumer(broker: RunningBroker) -> Iterator[SimpleConsumer]:
    with SimpleConsumer("127.0.0.1", broker.port) as connected:
        yield connected


def written(consumer: SimpleConsumer, topic: str, end_offset: int, partition: int = 0) -> None:
    """Wait until the broker has put so many bytes into the log: sending is not acknowledged."""
    until(lambda: consumer.offsets_before(topic, partition) == (end_offset,))


# --- with a broker --------------------------------------------------------------------------------------------------


def test_what_is_sent_is_fetched(producer: Producer, consumer: SimpleConsumer) -> None:
    producer.send("pageviews", [b"/jobs", b"/in/ada"])
    written(consumer, "pageviews", 14 + 16)
    assert list(consumer.fetch("pageviews", 0, 0).messages()) == [
        DeepMessage(0, 14, b"/jobs"),
        DeepMessage(14, 30, b"/in/ada"),
    ]
    assert [message.payload for message in consumer.fetch("pageviews", 0, 14).messages()] == [b"/in/ada"]
    assert list(consumer.fetch("pageviews", 0, 30).messages()) == []


def test_a_compressed_set_is_sent_as_one_and_fetched_message_by_message(
    broker: RunningBroker, consumer: SimpleConsumer
) -> None:
    with Producer("127.0.0.1", broker.port, compression="gzip") as producer:
        producer.send("pageviews", [b"one", b"two", b"three"], partition=0)
    until(lambda: consumer.offsets_before("pageviews", 0) > (0,))
    messages = list(consumer.fetch("pageviews", 0, 0).messages())
    assert [message.payload for message in messages] == [b"one", b"two", b"three"]
    assert [message.next_offset for message in messages] == [0, 0, *consumer.offsets_before("pageviews", 0)]


def test_several_partitions_in_one_request(start_broker: StartBroker) -> None:
    port = start_broker(partitions=2).port
    with Producer("127.0.0.1", port) as producer, SimpleConsumer("127.0.0.1", port) as consumer:
        producer.multi_send([ProducerData("a", [b"1"], 0), ProducerData("a", [b"22"], 1), ProducerData("b", [b"3"], 0)])
        written(consumer, "b", 10)
        fetched = consumer.multi_fetch([FetchRequest("a", 1, 0, 100), FetchRequest("b", 0, 0, 100)])
        assert [[message.payload for message in each.messages()] for each in fetched] == [[b"22"], [b"3"]]


def test_an_error_of_one_fetch_leaves_the_others_alone(producer: Producer, consumer: SimpleConsumer) -> None:
    producer.send("a", [b"1"])
    written(consumer, "a", 10)
    bad, good = consumer.multi_fetch([FetchRequest("a", 0, 99, 100), FetchRequest("a", 0, 0, 100)])
    assert [message.payload for message in good.messages()] == [b"1"]
    with pytest.raises(OffsetOutOfRange):
        bad.messages()


def test_a_message_larger_than_the_fetch_is_an_error(producer: Producer, consumer: SimpleConsumer) -> None:
    # case 34
    producer.send("a", [b"12345"])
    written(consumer, "a", 14)
    fetched = consumer.fetch("a", 0, 0, max_bytes=10)
    assert (fetched.error_code, len(fetched.data)) == (0, 10)
    with pytest.raises(InvalidMessageSize):
        list(fetched.messages())


def test_a_fetch_of_three_bytes_is_no_message_and_no_error(producer: Producer, consumer: SimpleConsumer) -> None:
    # case 34
    producer.send("a", [b"12345"])
    written(consumer, "a", 14)
    fetched = consumer.fetch("a", 0, 0, max_bytes=3)
    assert len(fetched.data) == 3
    assert list(fetched.messages()) == []


def test_an_offset_inside_a_message_is_found_by_the_consumer(producer: Producer, consumer: SimpleConsumer) -> None:
    producer.send("a", [b"\0\0\0\x06\0" + b"\x01" * 11])
    written(consumer, "a", 25)
    with pytest.raises(InvalidMessageSize):
        list(consumer.fetch("a", 0, 1).messages())
    with pytest.raises(InvalidMessage):
        list(consumer.fetch("a", 0, 9).messages())  # four bytes of the payload are taken for a length


@pytest.mark.parametrize(
    ("partition", "offset", "max_bytes", "kind"),
    [(0, -1, 10, OffsetOutOfRange), (5, 0, 10, UnknownPartition), (0, 0, -1, InvalidFetchSize)],
)
def test_a_code_is_raised_as_its_error(
    producer: Producer, consumer: SimpleConsumer, partition: int, offset: int, max_bytes: int, kind: type[Exception]
) -> None:
    # case 36
    producer.send("a", [b"1"])
    written(consumer, "a", 10)
    with pytest.raises(kind):
        consumer.fetch("a", partition, offset, max_bytes).messages()


def test_a_topic_without_a_name_is_an_unknown_server_fault(consumer: SimpleConsumer) -> None:
    with pytest.raises(UnknownServerFault):
        consumer.fetch("", 0, 0).messages()


def test_a_log_that_is_not_there_begins_at_zero_however_many_offsets_are_asked_for(consumer: SimpleConsumer) -> None:
    for max_offsets in (1, 0, -1):
        assert consumer.offsets_before("a", 0, max_offsets=max_offsets) == (0,)


@pytest.mark.parametrize("compression", ["snappy", "", "GZIP", "lz4"])
def test_the_error_for_an_unknown_compression_lists_the_known_ones(compression: str) -> None:
    with pytest.raises(UnknownCompression) as caught:
        Producer("127.0.0.1", 1, compression=compression)
    assert caught.value.fields == {"compression": compression}
    assert repr(compression) in caught.value.message
    assert "none or gzip" in caught.value.remedy


def test_an_unknown_partition_breaks_the_connection_and_the_next_request_opens_another(
    consumer: SimpleConsumer,
) -> None:
    with pytest.raises(ConnectionBroken) as caught:
        consumer.offsets_before("a", 9)
    assert caught.value.definite is False
    assert consumer.offsets_before("a", 0, EARLIEST_MS) == (0,)


def test_a_value_that_does_not_fit_its_field_is_refused_before_anything_is_sent(consumer: SimpleConsumer) -> None:
    with pytest.raises(MalformedRequest):
        consumer.fetch("a", 2**40, 0)


def test_a_consumer_survives_a_restart_of_the_broker(start_broker: StartBroker) -> None:
    first = start_broker()
    with Producer("127.0.0.1", first.port) as producer, SimpleConsumer("127.0.0.1", first.port) as consumer:
        producer.send("a", [b"1"])
        written(consumer, "a", 10)
        first.stop()
        start_broker(port=first.port)
        assert [message.payload for message in consumer.fetch("a", 0, 0).messages()] == [b"1"]


def test_a_producer_reports_once_that_its_connection_is_gone_and_continues(start_broker: StartBroker) -> None:
    first = start_broker()
    with Producer("127.0.0.1", first.port) as producer, SimpleConsumer("127.0.0.1", first.port) as consumer:
        producer.send("a", [b"1"])
        written(consumer, "a", 10)
        first.stop()
        start_broker(port=first.port)
        with pytest.raises(ConnectionBroken):
            producer.send("a", [b"2"])
        producer.send("a", [b"3"])
        written(consumer, "a", 20)
        assert [message.payload for message in consumer.fetch("a", 0, 0).messages()] == [b"1", b"3"]


def test_a_producer_that_names_no_partition_sends_minus_one_and_leaves_the_choice_to_the_broker() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Producer("127.0.0.1", listener.getsockname()[1]) as producer,
    ):
        producer.send("t", [b"v"])
        connection, _ = listener.accept()
        with connection:
            request = connection.recv(1000)
    assert request[4:13] == bytes.fromhex("0000 0001 74 ffffffff")  # case 44: type 0, "t", partition -1


def test_an_address_without_a_broker_is_reported_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(BrokerUnreachable, match=str(port)):
        Producer("127.0.0.1", port).send("a", [b"1"])
    with pytest.raises(BrokerUnreachable, match=str(port)):
        SimpleConsumer("127.0.0.1", port).fetch("a", 0, 0)


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 70_000), ("a" * 100, 9092), ("a..b", 9092), ("", 0)])
def test_an_invalid_address_counts_as_unreachable(host: str, port: int) -> None:
    with pytest.raises(BrokerUnreachable):
        SimpleConsumer(host, port).fetch("a", 0, 0)


# --- with a server that is no broker --------------------------------------------------------------------------------


class FalseBroker:
    """A server that answers each connection with the next of some bytes, and hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.requests: list[bytes] = []
        self._thread = threading.Thread(target=self._answer, args=(answers,))
        self._thread.start()

    def _answer(self, answers: tuple[bytes, ...]) -> None:
        for answer in answers:
            connected, _ = self._listening.accept()
            with connected:
                self.requests.append(connected.recv(1 << 16))
                connected.sendall(answer)
        self._listening.close()

    def end(self) -> None:
        self._thread.join()


WHOLE = encode_message_set([b"hello"])
GOOD = response_header(len(WHOLE), 0) + WHOLE


@pytest.mark.parametrize("first", [b"", GOOD[:3], GOOD[:-1]])
def test_a_connection_that_breaks_is_opened_again_once(first: bytes) -> None:
    broker = FalseBroker(first, GOOD)
    with SimpleConsumer("127.0.0.1", broker.port) as consumer:
        assert [message.payload for message in consumer.fetch("a", 0, 0).messages()] == [b"hello"]
    broker.end()
    assert len(broker.requests) == 2
    assert broker.requests[0] == broker.requests[1]


def test_a_connection_that_breaks_twice_is_an_error() -> None:
    broker = FalseBroker(b"", b"")
    with SimpleConsumer("127.0.0.1", broker.port) as consumer, pytest.raises(ConnectionBroken):
        consumer.fetch("a", 0, 0)
    broker.end()


def test_a_broker_that_does_not_answer_is_an_error_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        consumer = SimpleConsumer("127.0.0.1", silent.getsockname()[1], timeout_s=0.05)
        with consumer, pytest.raises(ConnectionBroken):
            consumer.fetch("a", 0, 0)


def test_a_broker_that_stops_reading_is_an_error_after_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        producer = Producer("127.0.0.1", deaf.getsockname()[1], timeout_s=0.05)
        with producer, pytest.raises(ConnectionBroken):
            producer.send("a", [b"x" * 100_000_000])  # more than the system buffers for a reader that does not read


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\xff\xff\xff\xff",
        b"\0\0\0\0",
        b"\0\0\0\x01\0",
        response_header(1000, 0) + b"x" * 1000,
    ],
)
def test_a_malformed_answer_is_refused(answer: bytes) -> None:
    broker = FalseBroker(answer)
    with SimpleConsumer("127.0.0.1", broker.port) as consumer, pytest.raises(MalformedResponse):
        consumer.fetch("a", 0, 0, max_bytes=999)
    broker.end()


def test_more_offsets_than_were_asked_for_are_refused() -> None:
    broker = FalseBroker(encode_offsets_response([3, 2, 1]))
    with SimpleConsumer("127.0.0.1", broker.port) as consumer, pytest.raises(MalformedResponse):
        consumer.offsets_before("a", 0, max_offsets=2)
    broker.end()


def test_fewer_answers_than_fetches_are_refused() -> None:
    broker = FalseBroker(multi_fetch_header(len(GOOD)) + GOOD)
    with SimpleConsumer("127.0.0.1", broker.port) as consumer, pytest.raises(MalformedResponse):
        consumer.multi_fetch([FetchRequest("a", 0, 0, 100)] * 2)
    broker.end()


# --- compressed sets ------------------------------------------------------------------------------------------------

SNAPPY_SET = encode_magic_1(b"packed", SNAPPY)
NOTHING = encode_magic_1(deflate(b""), GZIP)


def test_a_snappy_set_is_reported_at_its_offset_after_the_messages_before_it() -> None:
    messages = Fetched(FetchRequest("a", 0, 100, 1000), WHOLE + SNAPPY_SET, 0).messages()
    assert next(messages) == DeepMessage(100, 114, b"hello")
    with pytest.raises(UnsupportedCodec, match="snappy") as caught:
        next(messages)
    assert caught.value.fields["offset"] == 114


def test_the_next_offset_is_after_every_whole_entry_whatever_it_holds() -> None:
    data = WHOLE + SNAPPY_SET + NOTHING + WHOLE[:-1]
    fetched = Fetched(FetchRequest("a", 0, 100, 1000), data, 0)
    assert fetched.next_offset == 100 + len(WHOLE + SNAPPY_SET + NOTHING)
    assert Fetched(FetchRequest("a", 0, 100, 1000), b"", 0).next_offset == 100
    with pytest.raises(OffsetOutOfRange):
        _ = Fetched(FetchRequest("a", 0, 100, 1000), b"", 1).next_offset
