"""Clients that break the rules lose their connection; no other client notices, and memory stays bounded."""

import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.broker.clean_shutdown import MARK_NAME
from engine.errors import StorageFailed
from engine.message.compression import deflate
from engine.message.format import GZIP, encode_magic_1
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.protocol.requests import (
    LATEST_MS,
    FetchRequest,
    MultiFetchRequest,
    MultiProduceRequest,
    OffsetsRequest,
    ProduceRequest,
    encode_request,
)
from engine.protocol.responses import Response, decode_offsets, response_header
from engine.tcp.settings import ConnectionLimits
from tests.engine.tcp.support import RawClient, RunningBroker, StartBroker, broker_process, until
from tests.support.disks import FaultyDisk

MEBIBYTE = 1 << 20
ENTRY = encode_message_set([b"hello"])
PRODUCE = encode_request(ProduceRequest("test", 0, ENTRY))
FETCH = encode_request(FetchRequest("test", 0, 0, len(ENTRY)))
IMPATIENT = ConnectionLimits(pace_s=0.2, idle_s=30.0, sweep_s=0.05)


@pytest.fixture
def honest(broker: RunningBroker) -> Iterator[RawClient]:
    """Connect a client before the others."""
    with RawClient(broker.port) as client:
        client.say(PRODUCE)
        assert client.ask(FETCH) == Response(0, ENTRY)
        yield client


# --- garbage --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        (0).to_bytes(4, "big"),
        b"\xff\xff\xff\xff",
        (104_857_601).to_bytes(4, "big"),
        b"\0\0\0\x02\0\x09",
        b"\0\0\0\x01\0",
        FETCH[:8] + b"\xff" * 30,
    ],
)
def test_garbage_ends_only_its_own_connection(broker: RunningBroker, honest: RawClient, said: bytes) -> None:
    with RawClient(broker.port) as client:
        client.say(said)
        assert client.was_cut_off()
    assert honest.ask(FETCH) == Response(0, ENTRY)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.just(PRODUCE),
            st.just(FETCH),
            st.binary(max_size=40).map(lambda body: len(body).to_bytes(4, "big") + body),
            st.tuples(st.sampled_from([PRODUCE, FETCH]), st.integers(4, 40), st.integers(0, 255)).map(
                lambda drawn: drawn[0][: drawn[1]] + bytes([drawn[2]]) + drawn[0][drawn[1] + 1 :]
            ),
        ),
        max_size=6,
    )
)
def test_no_bytes_at_all_disturb_another_client(
    broker: RunningBroker, honest: RawClient, caplog: pytest.LogCaptureFixture, said: list[bytes]
) -> None:
    with RawClient(broker.port) as client:
        client.say(b"".join(said))
        client.socket.shutdown(socket.SHUT_WR)
        try:
            while client.socket.recv(1 << 16):
                pass
        except ConnectionResetError:
            pass
    assert honest.ask(FETCH) == Response(0, ENTRY)
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_a_request_cut_off_by_its_client_does_nothing(broker: RunningBroker, honest: RawClient, data_dir: Path) -> None:
    other = encode_request(ProduceRequest("other", 0, ENTRY))
    with RawClient(broker.port) as client:
        client.say(other[:-1])
    assert honest.ask(FETCH) == Response(0, ENTRY)
    assert not list(data_dir.glob("other*"))


# --- slow -----------------------------------------------------------------------------------------------------------


def test_a_request_that_makes_no_progress_is_cut_off(start_broker: StartBroker) -> None:
    broker = start_broker(limits=IMPATIENT)
    with RawClient(broker.port) as slow, RawClient(broker.port) as idle:
        slow.say(PRODUCE[:7])
        assert slow.was_cut_off()
        idle.say(PRODUCE)
        assert idle.ask(FETCH) == Response(0, ENTRY)  # silence between requests has another limit


def test_a_client_that_stays_silent_is_eventually_disconnected(start_broker: StartBroker) -> None:
    broker = start_broker(limits=ConnectionLimits(idle_s=0.1, sweep_s=0.05))
    with RawClient(broker.port) as silent:
        assert silent.was_cut_off()


def test_a_reader_that_never_reads_is_cut_off_and_delays_no_other_client(start_broker: StartBroker) -> None:
    broker = start_broker(limits=IMPATIENT, max_message_bytes=MEBIBYTE)
    large = encode_message_set([bytes(MEBIBYTE)] * 24)
    wanted = encode_request(FetchRequest("large", 0, 0, len(large)))
    with RawClient(broker.port) as honest, RawClient(broker.port) as stuck:
        honest.say(encode_request(ProduceRequest("large", 0, large)))
        honest.say(PRODUCE)
        assert honest.ask(FETCH) == Response(0, ENTRY)
        stuck.say(wanted * 1_000)
        assert honest.ask(FETCH) == Response(0, ENTRY)
        until(lambda: broker.clients == 1)
        assert honest.ask(FETCH) == Response(0, ENTRY)


def test_bytes_that_inflate_a_thousandfold_do_not_delay_other_clients_for_long(start_broker: StartBroker) -> None:
    broker = start_broker()
    bomb = encode_compressed_set([b""] * 200_000)
    bombs = MultiProduceRequest((ProduceRequest("bombs", 0, bomb),) * 300)
    with RawClient(broker.port) as honest, RawClient(broker.port) as bomber:
        honest.say(PRODUCE)
        assert honest.ask(FETCH) == Response(0, ENTRY)
        bomber.say(encode_request(bombs))
        bombed = encode_request(OffsetsRequest("bombs", 0, LATEST_MS, 1))
        until(lambda: decode_offsets(honest.ask(bombed).body) != (0,))
        # served between two steps of a request that has many more
        assert decode_offsets(honest.ask(bombed).body)[0] < 150 * len(bomb)


def test_gzip_inside_gzip_that_inflates_beyond_the_limit_is_refused(broker: RunningBroker, honest: RawClient) -> None:
    bomb = encode_magic_1(deflate(encode_compressed_set([bytes(1_000_000)] * 40) * 40), GZIP)
    with RawClient(broker.port) as client:
        client.say(encode_request(ProduceRequest("bombs", 0, bomb)))
        assert client.was_cut_off()
    assert honest.ask(FETCH) == Response(0, ENTRY)


# --- many -----------------------------------------------------------------------------------------------------------


def test_one_client_too_many_replaces_the_quietest(start_broker: StartBroker) -> None:
    broker = start_broker(limits=ConnectionLimits(connections=3, settled_s=0.0))
    with RawClient(broker.port) as quiet, RawClient(broker.port) as first, RawClient(broker.port) as second:
        for client in (first, second):
            client.say(PRODUCE)
            client.ask(FETCH)
        with RawClient(broker.port) as newcomer:
            assert newcomer.ask(FETCH) == Response(0, ENTRY)
            assert quiet.was_cut_off()
        assert first.ask(FETCH) == Response(0, ENTRY)
        assert second.ask(FETCH) == Response(0, ENTRY)


def test_no_client_is_disconnected_in_the_middle_of_its_work(start_broker: StartBroker) -> None:
    broker = start_broker(limits=ConnectionLimits(connections=2, settled_s=60.0))
    with RawClient(broker.port) as first, RawClient(broker.port) as second:
        for client in (first, second):
            client.say(PRODUCE)
            client.ask(FETCH)
        with RawClient(broker.port) as newcomer:
            assert newcomer.was_cut_off()
        assert first.ask(FETCH) == Response(0, ENTRY)


def test_the_client_with_the_largest_unfinished_request_is_cut_off_when_memory_runs_short(
    start_broker: StartBroker,
) -> None:
    broker = start_broker(limits=ConnectionLimits(buffered_max_bytes=MEBIBYTE))
    announced = (100 * MEBIBYTE).to_bytes(4, "big")
    with RawClient(broker.port) as modest, RawClient(broker.port) as greedy, RawClient(broker.port) as honest:
        modest.say(announced + bytes(200_000))
        with pytest.raises(ConnectionError):
            greedy.say(announced + bytes(100 * MEBIBYTE))
        honest.say(PRODUCE)
        assert honest.ask(FETCH) == Response(0, ENTRY)
        modest.socket.setblocking(False)
        with pytest.raises(BlockingIOError):
            modest.socket.recv(1)  # still connected


@pytest.mark.slow
def test_announced_sizes_and_unread_answers_cost_no_memory(data_dir: Path) -> None:
    large = encode_message_set([bytes(900_000)] * 40)
    wanted = encode_request(FetchRequest("large", 0, 0, len(large)))
    many = encode_request(MultiFetchRequest((FetchRequest("large", 0, 0, len(large)),) * 40))
    with broker_process(data_dir, "--flush-messages", "1") as broker, RawClient(broker.port) as honest:
        honest.say(PRODUCE + encode_request(ProduceRequest("large", 0, large)))
        assert honest.ask(wanted) == Response(0, large)
        before_bytes = broker.resident_bytes()
        clients = [RawClient(broker.port) for _ in range(100)]
        for client in clients[:50]:
            client.say((104_857_600).to_bytes(4, "big") + b"\0\0")
        for client in clients[50:]:
            client.say(many + wanted * 100)
        assert honest.ask(FETCH) == Response(0, ENTRY)
        assert broker.resident_bytes() - before_bytes < 32 * MEBIBYTE
        for client in clients:
            client.socket.close()


# --- faults of the broker itself ------------------------------------------------------------------------------------


def test_a_disk_that_refuses_ends_the_producers_connection_and_readers_keep_reading(start_broker: StartBroker) -> None:
    disk = FaultyDisk()
    broker = start_broker(disk=disk)
    with RawClient(broker.port) as reader, RawClient(broker.port) as producer:
        reader.say(PRODUCE)
        assert reader.ask(FETCH) == Response(0, ENTRY)
        disk.refuse("append")
        producer.say(PRODUCE)
        assert producer.was_cut_off()
        assert reader.ask(FETCH) == Response(0, ENTRY)
        disk.allow("append")
        reader.say(PRODUCE)
        assert reader.ask(encode_request(FetchRequest("test", 0, len(ENTRY), 100))) == Response(0, ENTRY)


def test_a_segment_that_was_shortened_from_outside_ends_the_readers_connection(
    broker: RunningBroker, honest: RawClient, data_dir: Path
) -> None:
    (data_dir / "test-0" / f"{0:020d}.kafka").write_bytes(ENTRY[:5])
    with RawClient(broker.port) as reader:
        reader.say(FETCH)
        assert reader.socket.recv(6, socket.MSG_WAITALL) == response_header(len(ENTRY), 0)
        assert reader.socket.recv(5, socket.MSG_WAITALL) == ENTRY[:5]
        assert reader.was_cut_off()
    honest.say(encode_request(FetchRequest("test", 0, 0, 0)))
    assert honest.hear() == Response(0, b"")


def test_a_flush_that_fails_stops_the_log_and_not_the_broker(
    start_broker: StartBroker, data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    disk = FaultyDisk()
    broker = start_broker(disk=disk, flush_messages=1_000, flush_ms=20)
    with RawClient(broker.port) as client:
        client.say(encode_request(ProduceRequest("test", 0, b"")))
        assert client.ask(FETCH) == Response(0, b"")
        disk.refuse("sync")
        client.say(PRODUCE)
        until(lambda: "test-0: cannot flush" in caplog.text)
        assert client.ask(FETCH) == Response(0, b"")
        client.say(PRODUCE)
        assert client.was_cut_off()
    with pytest.raises(StorageFailed):
        broker.stop()
    assert not (data_dir / MARK_NAME).exists()


def test_a_broker_at_its_limit_of_logs_creates_no_more(start_broker: StartBroker, data_dir: Path) -> None:
    broker = start_broker(partitions_max=1)
    with RawClient(broker.port) as client:
        client.say(PRODUCE)
        assert client.ask(FETCH) == Response(0, ENTRY)
        client.say(encode_request(ProduceRequest("another", 0, ENTRY)))
        assert client.was_cut_off()
    assert not (data_dir / "another-0").exists()


def test_an_unexpected_exception_ends_one_connection(
    broker: RunningBroker, honest: RawClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mistaken(topic: str, partition: int) -> None:
        raise ZeroDivisionError(topic, partition)

    with RawClient(broker.port) as client, monkeypatch.context() as planted:
        planted.setattr(broker.logs, "checked", mistaken)
        client.say(FETCH)
        assert client.was_cut_off()
    assert honest.ask(FETCH) == Response(0, ENTRY)
    assert "ZeroDivisionError" in caplog.text


def test_the_input_of_a_client_cannot_forge_a_line_in_the_log(
    broker: RunningBroker, caplog: pytest.LogCaptureFixture
) -> None:
    with RawClient(broker.port) as client:
        client.say(encode_request(ProduceRequest("a\nWARNING all is lost", 9, ENTRY)))
        assert client.was_cut_off()
    assert all("\n" not in record.getMessage() for record in caplog.records)
    assert "no partition 9 of a·WARNING" in caplog.text
