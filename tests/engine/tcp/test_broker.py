"""What the broker answers, byte for byte, over a real socket."""

import time
from pathlib import Path

import pytest

from engine.ids import TopicPartition
from engine.message.compression import deflate
from engine.message.format import GZIP, SNAPPY, encode_magic_1
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.protocol.requests import (
    EARLIEST_MS,
    LATEST_MS,
    RANDOM_PARTITION,
    FetchRequest,
    MultiFetchRequest,
    MultiProduceRequest,
    OffsetsRequest,
    ProduceRequest,
    Request,
    encode_request,
)
from engine.protocol.responses import Response, decode_multi_fetch, decode_offsets
from tests.engine.tcp.support import RawClient, RunningBroker, StartBroker, until

MAGIC_1_42 = bytes.fromhex("000000080100" + "3224b088" + "3432")
FOREVER_MS = 1 << 53
MEBIBYTE = 1 << 20


def produce(broker: RunningBroker, message_set: bytes, topic: str = "test", partition: int = 0) -> None:
    with RawClient(broker.port) as client:
        client.say(encode_request(ProduceRequest(topic, partition, message_set)))
        client.ask(encode_request(FetchRequest(topic, 0, 0, 0)))  # requests of a connection are served in order


def fetch(
    broker: RunningBroker, offset: int = 0, max_bytes: int = MEBIBYTE, topic: str = "test", partition: int = 0
) -> Response:
    with RawClient(broker.port) as client:
        return client.ask(encode_request(FetchRequest(topic, partition, offset, max_bytes)))


def offsets(broker: RunningBroker, time_ms: int, max_offsets: int = 10, topic: str = "test") -> tuple[int, ...]:
    with RawClient(broker.port) as client:
        answer = client.ask(encode_request(OffsetsRequest(topic, 0, time_ms, max_offsets)))
    assert answer.error_code == 0
    return decode_offsets(answer.body)


def is_cut_off_by(broker: RunningBroker, request: Request) -> bool:
    with RawClient(broker.port) as client:
        client.say(encode_request(request))
        return client.was_cut_off()


# --- produce --------------------------------------------------------------------------------------------------------


def test_a_produce_gets_no_answer_and_its_bytes_come_back(broker: RunningBroker, data_dir: Path) -> None:
    message_set = encode_message_set([b"testing", b"again"])
    with RawClient(broker.port) as client:
        client.say(encode_request(ProduceRequest("page-views", 0, message_set)))
        # the first bytes that come are those of the next answer
        assert client.ask(encode_request(FetchRequest("page-views", 0, 0, MEBIBYTE))) == Response(0, message_set)
    assert (data_dir / "page-views-0" / f"{0:020d}.kafka").read_bytes() == message_set


def test_messages_of_other_clients_are_kept_as_they_are(broker: RunningBroker) -> None:
    message_set = MAGIC_1_42 + encode_compressed_set([b"one", b"two"]) + encode_message_set([b"three"])
    produce(broker, message_set)
    assert fetch(broker) == Response(0, message_set)


def test_a_partition_of_minus_one_leaves_the_choice_to_the_broker(start_broker: StartBroker) -> None:
    broker = start_broker(partitions=3)
    entry = encode_message_set([b"x"])
    for _ in range(40):
        produce(broker, entry, partition=RANDOM_PARTITION)
    sizes = [len(fetch(broker, partition=number).body) for number in range(3)]
    assert sum(sizes) == 40 * len(entry)
    assert all(sizes)


def test_a_multi_produce_reaches_every_partition(start_broker: StartBroker) -> None:
    broker = start_broker(partitions=2)
    sets = [encode_message_set([text]) for text in (b"a", b"bb")]
    with RawClient(broker.port) as client:
        produces = (ProduceRequest("test", 0, sets[0]), ProduceRequest("test", 1, sets[1]))
        client.say(encode_request(MultiProduceRequest(produces)))
        for number in range(2):
            answer = client.ask(encode_request(FetchRequest("test", number, 0, MEBIBYTE)))
            assert answer == Response(0, sets[number])


def test_an_empty_produce_makes_the_log_and_nothing_else(broker: RunningBroker, data_dir: Path) -> None:
    # case 8
    produce(broker, b"")
    assert (data_dir / "test-0" / f"{0:020d}.kafka").read_bytes() == b""


@pytest.mark.parametrize("partition", [-2, 1, 2**31 - 1])
def test_a_produce_to_an_invalid_partition_ends_the_connection(
    broker: RunningBroker, data_dir: Path, partition: int
) -> None:
    assert is_cut_off_by(broker, ProduceRequest("test", partition, MAGIC_1_42))
    assert not list(data_dir.glob("test*"))


NO_NAMES = ["", ".", "..", "../outside", "a/b", "/tmp/a", "/", "a/", "a\0b", "\0", "a" * 254, "ä" * 127, "a" * 30_000]


@pytest.mark.parametrize("topic", NO_NAMES, ids=range(len(NO_NAMES)))
def test_a_topic_that_cannot_be_a_directory_is_refused(broker: RunningBroker, data_dir: Path, topic: str) -> None:
    assert is_cut_off_by(broker, ProduceRequest(topic, 0, MAGIC_1_42))
    assert [path.name for path in data_dir.parent.rglob("*") if path.is_dir()] == ["logs"]
    assert sorted(path.name for path in data_dir.iterdir()) == [".lock"]


@pytest.mark.parametrize("topic", NO_NAMES[1:], ids=range(1, len(NO_NAMES)))
def test_a_topic_that_cannot_be_a_directory_is_read_as_an_unknown_topic(broker: RunningBroker, topic: str) -> None:
    assert fetch(broker, topic=topic) == Response(0, b"")
    assert offsets(broker, LATEST_MS, topic=topic) == (0,)


def test_a_fetch_from_a_topic_without_a_name_gets_the_code_for_unknown(broker: RunningBroker) -> None:
    # 0.7.2: getLogPool looks at the name before it looks at the partition
    for partition in (0, 9):
        assert fetch(broker, topic="", partition=partition) == Response(-1, b"")
    assert is_cut_off_by(broker, OffsetsRequest("", 0, LATEST_MS, 1))


NAMES = [
    "_schemas",
    "-x",
    "-",
    "--",
    "x-",
    "x-7",
    ".x",
    "...",
    "a b",
    " ",
    "a: b, +c",
    "~",
    "*?",
    "a\\b",
    "ä",
    "日本",
    "\u00e4\u0308",
]
NAMES += ["Orders", "orders", "a\nb", "\x1b[31m", "\U0001f600", "a" * 81, "a" * 250, "a" * 253, "ä" * 126]


def test_any_name_of_a_directory_is_a_valid_topic_and_is_found_after_a_restart(
    start_broker: StartBroker, data_dir: Path
) -> None:
    broker = start_broker()
    for number, topic in enumerate(NAMES):
        produce(broker, encode_message_set([str(number).encode()]), topic=topic)
    broker.stop()
    assert {f"{topic}-0" for topic in NAMES} == {path.name for path in data_dir.iterdir() if path.is_dir()}
    again = start_broker()
    for number, topic in enumerate(NAMES):
        assert fetch(again, topic=topic).body == encode_message_set([str(number).encode()])
        assert offsets(again, LATEST_MS, topic=topic)[0] > 0


def test_a_multi_produce_keeps_what_came_before_a_bad_partition(broker: RunningBroker) -> None:
    good, bad = ProduceRequest("test", 0, MAGIC_1_42), ProduceRequest("test", 7, MAGIC_1_42)
    assert is_cut_off_by(broker, MultiProduceRequest((good, bad, good)))
    assert fetch(broker).body == MAGIC_1_42


def test_a_message_that_is_too_large_is_dropped_and_the_connection_stays(start_broker: StartBroker) -> None:
    # case 33
    broker = start_broker(max_message_bytes=5)
    accepted = encode_message_set([b"You", b"bethe"])
    with RawClient(broker.port) as client:
        client.say(encode_request(ProduceRequest("test", 0, encode_message_set([b"change"]))))
        client.say(encode_request(ProduceRequest("test", 0, accepted)))
        assert client.ask(encode_request(FetchRequest("test", 0, 0, MEBIBYTE))).body == accepted


def test_a_damaged_message_ends_the_connection_and_nothing_is_kept(broker: RunningBroker) -> None:
    damaged = bytearray(encode_message_set([b"good", b"bad"]))
    damaged[-1] ^= 1
    assert is_cut_off_by(broker, ProduceRequest("test", 0, bytes(damaged)))
    assert fetch(broker) == Response(0, b"")


@pytest.mark.parametrize(
    "message_set",
    [
        encode_magic_1(b"packed by another client", SNAPPY),
        encode_compressed_set([bytes(1_000_000)] * 40),
        encode_magic_1(deflate(encode_compressed_set([b"twice"])), GZIP),
        encode_magic_1(deflate(b""), GZIP) + MAGIC_1_42,
        encode_magic_1(deflate(MAGIC_1_42 + MAGIC_1_42[:-1]), GZIP),
    ],
)
def test_compressed_sets_of_0_7_clients_are_served_as_they_came(broker: RunningBroker, message_set: bytes) -> None:
    produce(broker, message_set)
    assert fetch(broker).body == message_set


@pytest.mark.parametrize("nothing", [b"", b"\0", b"\0\0\0"])
def test_an_empty_set_does_not_affect_the_rest_of_a_multi_produce(broker: RunningBroker, nothing: bytes) -> None:
    sets = [nothing, MAGIC_1_42, nothing, MAGIC_1_42 + b"\0\0\0\4", MAGIC_1_42]
    with RawClient(broker.port) as client:
        client.say(encode_request(MultiProduceRequest(tuple([ProduceRequest("test", 0, each) for each in sets]))))
        until(lambda: fetch(broker).body == MAGIC_1_42 * 3)


def test_a_set_that_is_too_large_and_damaged_is_dropped_and_the_rest_is_appended(start_broker: StartBroker) -> None:
    broker = start_broker(max_message_bytes=5)
    bad = MAGIC_1_42[:-1] + b"?" + encode_message_set([b"change"])
    with RawClient(broker.port) as client:
        sets = [MAGIC_1_42, bad, MAGIC_1_42]
        client.say(encode_request(MultiProduceRequest(tuple([ProduceRequest("test", 0, each) for each in sets]))))
        assert client.ask(encode_request(FetchRequest("test", 0, 0, MEBIBYTE))).body == MAGIC_1_42 * 2


def test_twelve_thousand_entries_and_one_too_large_delay_no_other_client(broker: RunningBroker) -> None:
    bad = encode_magic_1(b"", 0) * 12_000 + encode_message_set([bytes(1_000_001)])
    begin_s = time.monotonic()
    with RawClient(broker.port) as client:
        client.say(
            encode_request(ProduceRequest("test", 0, bad)) + encode_request(ProduceRequest("test", 0, MAGIC_1_42))
        )
        assert client.ask(encode_request(FetchRequest("test", 0, 0, MEBIBYTE))).body == MAGIC_1_42
    assert time.monotonic() - begin_s < 3


@pytest.mark.parametrize("tail_bytes", [1, 3, 4, 11])
def test_a_partial_message_at_the_end_is_dropped(broker: RunningBroker, tail_bytes: int) -> None:
    whole = encode_message_set([b"whole"])
    produce(broker, whole + encode_message_set([b"cut"])[:tail_bytes])
    assert fetch(broker).body == whole


# --- fetch ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def rolled(start_broker: StartBroker) -> RunningBroker:
    """Make the log of cases 13 and 17: twenty messages of 12 bytes in three segments."""
    broker = start_broker(segment_bytes=100)
    for _ in range(20):
        produce(broker, MAGIC_1_42)
    return broker


@pytest.mark.parametrize(("offset", "size_bytes"), [(0, 108), (108, 108), (216, 24), (240, 0)])
def test_a_fetch_stops_at_the_end_of_a_segment(rolled: RunningBroker, offset: int, size_bytes: int) -> None:
    # cases 13 and 17
    assert fetch(rolled, offset) == Response(0, (MAGIC_1_42 * 9)[:size_bytes])


@pytest.mark.parametrize(("offset", "max_bytes"), [(0, 10), (12, 3), (5, 50), (100, 8), (0, 0)])
def test_a_fetch_is_bounded_and_starts_anywhere(rolled: RunningBroker, offset: int, max_bytes: int) -> None:
    # case 34, the broker's half: it looks at no message
    body = (MAGIC_1_42 * 20)[offset : offset + max_bytes]
    assert fetch(rolled, offset, max_bytes) == Response(0, body)


@pytest.mark.parametrize("offset", [-1, 241, 2**63 - 1, -(2**63)])
def test_an_offset_outside_the_log_is_code_1(rolled: RunningBroker, offset: int) -> None:
    # case 36
    assert fetch(rolled, offset) == Response(1, b"")


@pytest.mark.parametrize("partition", [-1, 1, 2**31 - 1])
def test_an_invalid_partition_is_code_3(rolled: RunningBroker, partition: int) -> None:
    # case 36
    assert fetch(rolled, partition=partition) == Response(3, b"")


def test_a_fetch_of_a_negative_size_is_code_4(rolled: RunningBroker) -> None:
    assert fetch(rolled, 0, -1) == Response(4, b"")


def test_a_fetch_of_an_unknown_topic_is_empty_and_makes_no_log(broker: RunningBroker, data_dir: Path) -> None:
    # case 15
    assert fetch(broker, topic="unknown") == Response(0, b"")
    assert not list(data_dir.glob("unknown*"))


def test_a_multi_fetch_answers_each_in_order_with_errors(rolled: RunningBroker) -> None:
    asked = [("test", 0, 0), ("test", 9, 0), ("test", 0, 999), ("other", 0, 0), ("test", 0, 228)]
    fetches = tuple([FetchRequest(topic, partition, offset, 24) for topic, partition, offset in asked])
    with RawClient(rolled.port) as client:
        outer = client.ask(encode_request(MultiFetchRequest(fetches)))
    assert outer.error_code == 0
    assert decode_multi_fetch(outer.body, 5) == (
        Response(0, MAGIC_1_42 * 2),
        Response(3, b""),
        Response(1, b""),
        Response(0, b""),
        Response(0, MAGIC_1_42),
    )


def test_an_empty_multi_fetch_is_answered_with_an_outer_header(broker: RunningBroker) -> None:
    with RawClient(broker.port) as client:
        assert client.ask(encode_request(MultiFetchRequest(()))) == Response(0, b"")


def test_requests_that_arrive_together_are_answered_in_order(rolled: RunningBroker) -> None:
    places = list(range(0, 240, 12)) * 20
    with RawClient(rolled.port) as client:
        client.say(b"".join([encode_request(FetchRequest("test", 0, offset, 12)) for offset in places]))
        assert [client.hear() for _ in places] == [Response(0, MAGIC_1_42)] * len(places)


def test_a_large_segment_arrives_whole_in_one_answer(start_broker: StartBroker) -> None:
    broker = start_broker()
    message_set = encode_message_set([bytes([number]) * 900_000 for number in range(25)])
    produce(broker, message_set)
    assert fetch(broker, 0, 2**31 - 1).body == message_set


# --- flush ----------------------------------------------------------------------------------------------------------


def test_bytes_become_visible_when_enough_messages_wait(start_broker: StartBroker) -> None:
    # case 22
    broker = start_broker(flush_messages=3)
    entry = encode_message_set([b"test"])
    for _ in range(2):
        produce(broker, entry)
    assert fetch(broker) == Response(0, b"")
    assert fetch(broker, 13) == Response(1, b"")
    assert offsets(broker, LATEST_MS) == (0,)
    produce(broker, entry)
    assert fetch(broker).body == entry * 3


def test_bytes_become_visible_when_they_have_waited_long_enough(start_broker: StartBroker) -> None:
    # case 23
    broker = start_broker(flush_messages=1_000, flush_ms=50)
    produce(broker, MAGIC_1_42)
    until(lambda: fetch(broker).body == MAGIC_1_42)


# --- offsets --------------------------------------------------------------------------------------------------------


def test_offsets_are_those_of_real_kafka(rolled: RunningBroker) -> None:
    # case 13
    assert offsets(rolled, LATEST_MS) == (240, 216, 108, 0)
    assert offsets(rolled, LATEST_MS, 1) == (240,)
    assert offsets(rolled, EARLIEST_MS) == (0,)
    assert offsets(rolled, FOREVER_MS) == (240, 216, 108, 0)
    assert offsets(rolled, 0) == ()


def test_offsets_of_an_unknown_topic_begin_at_zero_and_make_no_log(broker: RunningBroker, data_dir: Path) -> None:
    # case 15
    assert offsets(broker, LATEST_MS, topic="unknown") == (0,)
    assert offsets(broker, EARLIEST_MS, topic="unknown") == (0,)
    assert offsets(broker, FOREVER_MS, topic="unknown") == ()
    assert not list(data_dir.glob("unknown*"))


@pytest.mark.parametrize("max_offsets", [0, -1, -(2**31), 2**31 - 1])
def test_offsets_of_an_unknown_topic_do_not_depend_on_how_many_are_asked_for(
    broker: RunningBroker, max_offsets: int
) -> None:
    # 0.7.2: getEmptyOffsets
    assert offsets(broker, LATEST_MS, max_offsets, topic="unknown") == (0,)
    assert offsets(broker, EARLIEST_MS, max_offsets, topic="unknown") == (0,)
    assert offsets(broker, FOREVER_MS, max_offsets, topic="unknown") == ()


@pytest.mark.parametrize("partition", [-1, 1])
def test_an_offsets_request_for_an_invalid_partition_ends_the_connection(broker: RunningBroker, partition: int) -> None:
    assert is_cut_off_by(broker, OffsetsRequest("test", partition, LATEST_MS, 1))


@pytest.mark.parametrize("time_ms", [LATEST_MS, EARLIEST_MS, FOREVER_MS, 0])
def test_a_request_for_a_negative_number_of_offsets_ends_the_connection(rolled: RunningBroker, time_ms: int) -> None:
    # 0.7.2: an array of a negative size
    assert is_cut_off_by(rolled, OffsetsRequest("test", 0, time_ms, -1))
    assert offsets(rolled, time_ms, 0) == ()


# --- logs over time -------------------------------------------------------------------------------------------------


def test_a_restarted_broker_finds_its_logs(start_broker: StartBroker, data_dir: Path) -> None:
    broker = start_broker(flush_messages=1_000)
    produce(broker, MAGIC_1_42)
    broker.stop()
    again = start_broker()
    assert fetch(again).body == MAGIC_1_42
    assert again.logs.holds(TopicPartition("test", 0))


def test_logs_are_flushed_one_by_one_in_the_order_in_which_they_are_due(start_broker: StartBroker) -> None:
    broker = start_broker(flush_messages=1_000, flush_ms=20)
    for topic in ("a", "b", "c"):
        produce(broker, MAGIC_1_42, topic=topic)
    for topic in ("a", "b", "c"):
        until(lambda topic=topic: fetch(broker, topic=topic).body == MAGIC_1_42)  # type: ignore[misc]
