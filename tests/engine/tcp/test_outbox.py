"""How a broker sends: files in bounded calls, headers with what follows them, one open file at most."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.errors import StorageFailed
from engine.storage.segment import SegmentSlice
from engine.tcp.outbox import SENDFILE_MAX_BYTES, TURN_MAX_BYTES, Outbox

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.settimeout(0)
    theirs.settimeout(0)
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "00000000000000000000.kafka"
    path.write_bytes(CONTENT)
    return path


def delivered(outbox: Outbox, pair: tuple[socket.socket, socket.socket]) -> bytes:
    """Send everything to a reader that reads; return what it received."""
    ours, theirs = pair
    heard = bytearray()
    while not outbox.is_empty:
        outbox.send(ours)
        while True:
            try:
                heard += theirs.recv(1 << 20)
            except BlockingIOError:
                break
    return bytes(heard)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.one_of(st.binary(max_size=5), st.tuples(st.integers(0, 10_000), st.integers(0, 200))), max_size=10))
def test_pieces_in_memory_and_in_files_arrive_in_order(
    pair: tuple[socket.socket, socket.socket], file: Path, pieces: list[bytes | tuple[int, int]]
) -> None:
    outbox = Outbox()
    put = [piece if isinstance(piece, bytes) else SegmentSlice(file, *piece) for piece in pieces]
    outbox.put(put)
    expected = [piece if isinstance(piece, bytes) else CONTENT[piece[0] : sum(piece)] for piece in pieces]
    assert delivered(outbox, pair) == b"".join(expected)


def test_the_bytes_of_a_call_and_of_a_turn_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large"
    path.write_bytes(b"")
    os.truncate(path, 10 << 20)
    calls: list[int] = []

    def swallow(_out: int, _in: int, _offset: int, count: int) -> int:
        calls.append(count)
        return count

    monkeypatch.setattr(os, "sendfile", swallow)
    outbox = Outbox()
    outbox.put([SegmentSlice(path, 0, 10 << 20)])
    with socket.socket() as never_used:
        assert outbox.send(never_used) == TURN_MAX_BYTES
    assert set(calls) == {SENDFILE_MAX_BYTES}
    assert 100_000 <= SENDFILE_MAX_BYTES <= 300_000
    outbox.close()


def test_an_outbox_stops_sending_to_a_reader_that_does_not_read(
    pair: tuple[socket.socket, socket.socket], file: Path
) -> None:
    outbox = Outbox()
    outbox.put([b"head", SegmentSlice(file, 0, len(CONTENT))] * 100)
    while outbox.send(pair[0]):
        pass
    assert not outbox.is_empty
    outbox.close()


def open_files() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


def test_one_file_is_open_at_a_time_and_none_at_the_end(pair: tuple[socket.socket, socket.socket], file: Path) -> None:
    before = open_files()
    outbox = Outbox()
    outbox.put([SegmentSlice(file, 0, len(CONTENT))] * 100)
    while outbox.send(pair[0]):
        pass
    assert len(open_files() - before) <= 1
    outbox.close()
    assert open_files() <= before


def test_a_file_that_is_gone_or_too_short_is_a_storage_failure(
    pair: tuple[socket.socket, socket.socket], file: Path
) -> None:
    gone = Outbox()
    gone.put([SegmentSlice(file.with_name("gone"), 0, 10)])
    with pytest.raises(StorageFailed, match="gone"):
        gone.send(pair[0])
    short = Outbox()
    short.put([SegmentSlice(file, len(CONTENT) - 5, 10)])
    with pytest.raises(StorageFailed, match="shorter"):
        short.send(pair[0])
    short.close()
