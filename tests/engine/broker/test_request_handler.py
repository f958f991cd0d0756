"""What a broker answers to a request, whether the bytes are read or sent from the file."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from engine.broker.request_handler import ReadLog, RequestHandler, ResponsePart
from engine.config import MILLISECOND_US
from engine.errors import InvalidName, MachineFault, UnknownPartition
from engine.ids import TopicPartition
from engine.message.message_set import encode_message_set
from engine.protocol.faults import (
    INVALID_FETCH_SIZE,
    NO_ERROR,
    OFFSET_OUT_OF_RANGE,
    UNKNOWN,
    WRONG_PARTITION,
    MalformedRequest,
)
from engine.protocol.frames import LENGTH_BYTES
from engine.protocol.requests import (
    EARLIEST_MS,
    LATEST_MS,
    RANDOM_PARTITION,
    AnsweredRequest,
    FetchRequest,
    MultiFetchRequest,
    OffsetsRequest,
    ProduceRequest,
)
from engine.protocol.responses import (
    CODE_BYTES,
    HEADER_BYTES,
    RESPONSE_MAX_BYTES,
    Response,
    decode_multi_fetch,
    decode_offsets,
    decode_response,
    response_header,
)
from engine.storage.faulty_disk import FaultyDisk as SimulatedDisk
from engine.storage.log import Log
from engine.storage.log_config import LogConfig
from engine.storage.segment import SegmentSlice
from tests.support.disks import FaultyDisk, HandClock

ENTRY = encode_message_set([b"test"])  # 13 bytes; two of them fill a segment
PARTITIONS = 3


@dataclass
class Logs:
    """Topics of three partitions, of which some have a log."""

    held: dict[TopicPartition, Log] = field(default_factory=dict)

    def checked(self, topic: str, partition: int) -> TopicPartition:
        if not topic:
            raise InvalidName("a topic without a name", "name it")
        if not 0 <= partition < PARTITIONS:
            raise UnknownPartition(f"there is no partition {partition}", "use 0 to 2")
        return TopicPartition(topic, partition)

    def holds(self, partition: TopicPartition) -> bool:
        return partition in self.held

    def get(self, partition: TopicPartition) -> Log:
        return self.held[partition]


class Server:
    """A handler over the log of clicks-0 with three messages in two segments, one every second, and clicks-1 with one.

    ``machine`` is the disk on which the simulated ``disk`` of the broker lies.
    """

    def __init__(self, directory: Path, read_log: ReadLog = Log.read) -> None:
        self.machine = FaultyDisk()
        self.disk = SimulatedDisk(self.machine)
        self.clock = HandClock()
        self.logs = Logs()
        for partition, messages in ((0, 3), (1, 1)):
            log = Log.open(
                directory / f"clicks-{partition}",
                limits=LogConfig(25, 1, 1_000_000),
                disk=self.disk,
                now_us=self.clock,
            )
            self.logs.held[TopicPartition("clicks", partition)] = log
            for _ in range(messages):
                self.clock.now_us += 1_000 * MILLISECOND_US
                log.append(ENTRY)
        self.handler = RequestHandler(self.logs, read_log, lambda: 2)

    def ask(self, request: AnsweredRequest) -> bytes:
        """Return the whole response, length first."""
        return b"".join([bytes_of(part) for part in self.handler.answer(request)])


def bytes_of(part: ResponsePart) -> bytes:
    """Return the bytes of a part of a response; a slice is read from its file, as sendfile would."""
    if isinstance(part, bytes):
        return part
    return part.path.read_bytes()[part.position : part.position + part.size_bytes]


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def fetch(offset: int, max_bytes: int = 1_000, *, topic: str = "clicks", partition: int = 0) -> FetchRequest:
    return FetchRequest(topic, partition, offset, max_bytes)


def read(response: bytes) -> Response:
    """Decode a whole response, whose length must be right."""
    assert int.from_bytes(response[:LENGTH_BYTES], "big") == len(response) - LENGTH_BYTES
    return decode_response(response[LENGTH_BYTES:])


# --- fetch ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (fetch(0), ENTRY * 2),  # as far as its segment goes
        (fetch(26), ENTRY),
        (fetch(13, 9), ENTRY[:9]),
        (fetch(0, 0), b""),
        (fetch(39), b""),  # the end
        (fetch(0, partition=2), b""),  # no message has come there yet
        (fetch(500, topic="nobody"), b""),
    ],
)
def test_a_fetch_returns_the_bytes_of_one_segment_or_none(server: Server, request_: FetchRequest, body: bytes) -> None:
    assert read(server.ask(request_)) == Response(NO_ERROR, body)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (fetch(40), OFFSET_OUT_OF_RANGE),
        (fetch(-1), OFFSET_OUT_OF_RANGE),
        (fetch(0, partition=3), WRONG_PARTITION),
        (fetch(0, partition=-1), WRONG_PARTITION),
        (fetch(0, -1), INVALID_FETCH_SIZE),
        (fetch(0, topic=""), UNKNOWN),
    ],
)
def test_a_fetch_that_cannot_be_served_is_answered_with_a_code_and_no_body(
    server: Server, request_: FetchRequest, code: int
) -> None:
    assert server.ask(request_) == response_header(0, code)


def test_a_disk_that_cannot_be_read_is_answered_with_the_code_for_unknown(server: Server) -> None:
    server.disk.fails = "read"
    assert server.ask(fetch(0)) == response_header(0, UNKNOWN)
    server.disk.fails = ""
    assert read(server.ask(fetch(26))).body == ENTRY


def test_a_multi_fetch_holds_the_response_of_each_fetch_in_order(server: Server) -> None:
    fetches = (fetch(26), fetch(99), fetch(0, partition=1), fetch(0, partition=7), fetch(0, partition=2))
    outer = read(server.ask(MultiFetchRequest(fetches)))
    assert outer.error_code == NO_ERROR
    assert decode_multi_fetch(outer.body, len(fetches)) == (
        Response(NO_ERROR, ENTRY),
        Response(OFFSET_OUT_OF_RANGE, b""),
        Response(NO_ERROR, ENTRY),
        Response(WRONG_PARTITION, b""),
        Response(NO_ERROR, b""),
    )
    assert outer.body == b"".join([server.ask(one) for one in fetches])


def test_an_empty_multi_fetch_gets_an_empty_response(server: Server) -> None:
    assert server.ask(MultiFetchRequest(())) == response_header(0, NO_ERROR)


def test_a_response_is_never_longer_than_its_length_field_can_hold(tmp_path: Path) -> None:
    asked: list[int] = []

    def locate_in_a_large_log(log: Log, offset: int, max_bytes: int) -> SegmentSlice:
        """Locate all the bytes that are asked for, except ``offset`` of them."""
        asked.append(max_bytes)
        return SegmentSlice(tmp_path, 0, max_bytes - offset)

    handler = Server(tmp_path, locate_in_a_large_log).handler
    everything = RESPONSE_MAX_BYTES
    header, _ = handler.answer(fetch(0, everything))
    assert asked == [RESPONSE_MAX_BYTES - CODE_BYTES]
    assert header == response_header(RESPONSE_MAX_BYTES - CODE_BYTES, NO_ERROR)
    asked.clear()
    header, *_ = handler.answer(
        MultiFetchRequest((fetch(100, everything), fetch(30, everything), fetch(0, everything)))
    )
    assert asked == [RESPONSE_MAX_BYTES - CODE_BYTES - 3 * HEADER_BYTES, 100, 30]
    assert header == response_header(RESPONSE_MAX_BYTES - CODE_BYTES, NO_ERROR)


# --- offsets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("time_ms", "most", "offsets"),
    [
        (LATEST_MS, 10, (39, 26, 0)),
        (LATEST_MS, 1, (39,)),
        (LATEST_MS, 0, ()),
        (EARLIEST_MS, 10, (0,)),
        (2_000, 10, (0,)),
        (2_999, 10, (0,)),
        (3_000, 10, (26, 0)),
        (4_000, 10, (39, 26, 0)),
        (1_000, 10, ()),
    ],
)
def test_offsets_before_a_time_in_milliseconds(
    server: Server, time_ms: int, most: int, offsets: tuple[int, ...]
) -> None:
    answer = read(server.ask(OffsetsRequest("clicks", 0, time_ms, most)))
    assert (answer.error_code, decode_offsets(answer.body)) == (NO_ERROR, offsets)


@pytest.mark.parametrize(("time_ms", "offsets"), [(LATEST_MS, (0,)), (EARLIEST_MS, (0,)), (4_000, ())])
def test_a_partition_without_a_log_begins_and_ends_at_0(server: Server, time_ms: int, offsets: tuple[int, ...]) -> None:
    for most in (10, 0, -1):
        answer = read(server.ask(OffsetsRequest("clicks", 2, time_ms, most)))
        assert decode_offsets(answer.body) == offsets


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (OffsetsRequest("clicks", 3, LATEST_MS, 1), UnknownPartition),
        (OffsetsRequest("", 0, LATEST_MS, 1), InvalidName),
        (OffsetsRequest("clicks", 0, LATEST_MS, -1), MalformedRequest),
    ],
)
def test_an_offsets_request_that_cannot_be_answered_raises(
    server: Server, request_: OffsetsRequest, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        server.handler.answer(request_)


# --- faults of the machine ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("request_", [fetch(26), MultiFetchRequest((fetch(0, partition=2), fetch(26)))])
def test_a_machine_fault_is_raised_and_not_answered(server: Server, request_: AnsweredRequest) -> None:
    server.machine.refuse("read")
    with pytest.raises(MachineFault):
        server.handler.answer(request_)


# --- the two ways in which bytes leave ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        *[fetch(offset, size) for offset in (-1, 0, 5, 13, 26, 38, 39, 40) for size in (-1, 0, 4, 13, 1_000)],
        fetch(0, partition=2),
        fetch(0, partition=9),
        MultiFetchRequest((fetch(0), fetch(99), fetch(26, 7), fetch(0, partition=1), fetch(0, partition=2))),
        OffsetsRequest("clicks", 0, LATEST_MS, 10),
    ],
)
def test_reading_and_locating_give_the_same_response_bytes(tmp_path: Path, request_: AnsweredRequest) -> None:
    reading, locating = Server(tmp_path / "read"), Server(tmp_path / "located", Log.locate)
    assert locating.ask(request_) == reading.ask(request_)


def test_located_bytes_are_returned_as_a_file_slice_and_not_read(tmp_path: Path) -> None:
    server = Server(tmp_path, Log.locate)
    server.disk.fails = "read"
    header, place = server.handler.answer(fetch(26))
    assert header == response_header(13, NO_ERROR)
    assert place == SegmentSlice(tmp_path / "clicks-0" / f"{26:020d}.kafka", 0, 13)


# --- produce --------------------------------------------------------------------------------------------------------


def test_a_set_goes_to_the_partition_it_names_or_to_one_of_the_broker_s_choice(server: Server) -> None:
    assert server.handler.destination(ProduceRequest("clicks", 1, ENTRY)) == TopicPartition("clicks", 1)
    assert server.handler.destination(ProduceRequest("clicks", RANDOM_PARTITION, ENTRY)) == TopicPartition("clicks", 2)


@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        (ProduceRequest("clicks", 3, ENTRY), UnknownPartition),
        (ProduceRequest("clicks", -2, ENTRY), UnknownPartition),
        (ProduceRequest("", 0, ENTRY), InvalidName),
    ],
)
def test_a_set_for_an_invalid_topic_or_partition_is_refused(
    server: Server, request_: ProduceRequest, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        server.handler.destination(request_)
