"""The broker's way of answering fetches, ``sendfile``, beside reading and sending: what a byte costs the sender.

By the clock it is the readers who are measured: they share the machine.
"""

import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.compare import Comparison, compare, ratio
from benchmarks.fetching import READ_AND_SEND, SENDFILE, TITLE
from benchmarks.goals import Goal
from benchmarks.measure import Subject, require
from engine.storage.segment import SegmentSlice
from engine.tcp.outbox import Outbox

KIB: Final = 1024
SEGMENT_BYTES: Final = 64 * KIB * KIB
READERS_MOST: Final = 16
PATIENCE_S: Final = 30.0
ROOT: Final = Path(__file__).parent.parent

Condition = tuple[int, int]
"""How many readers, and the bytes of each answer."""

CONDITIONS: Final[tuple[Condition, ...]] = (
    (4, 300 * KIB),
    (1, 300 * KIB),
    (16, 300 * KIB),
    (4, 64 * KIB),
    (4, 1024 * KIB),
)


def title_of(condition: Condition) -> str:
    """What the comparison under a condition is called."""
    readers, fetch_bytes = condition
    return f"a segment over TCP, {fetch_bytes // KIB} KiB at a time, readers: {readers}"


def send_contests(folder: Path, rounds: int) -> list[Comparison]:
    """The answers to fetches from one segment, under several conditions: the broker's way, and the usual one."""
    path = folder / "segment"
    path.write_bytes(os.urandom(1 << 20) * (SEGMENT_BYTES >> 20))
    with drain() as port:
        return [_send_contest(path, port, condition, rounds) for condition in CONDITIONS]


def _send_contest(path: Path, port: int, condition: Condition, rounds: int) -> Comparison:
    readers, fetch_bytes = condition
    subjects = [
        _sender(SENDFILE, port, readers, lambda each: _send_outbox(each, path, fetch_bytes)),
        _sender(READ_AND_SEND, port, readers, lambda each: _read_and_send(each, path, fetch_bytes)),
    ]
    return compare(title_of(condition), "bytes", subjects, rounds)


Send = Callable[[socket.socket], Iterator[None]]


def _sender(name: str, port: int, readers: int, send: Send) -> Subject:
    def prepare() -> Callable[[], None]:
        connected = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(readers)]
        for each in connected:
            each.settimeout(0)
        return lambda: _to_all(connected, send)

    return Subject(name, readers * SEGMENT_BYTES, prepare, lambda: None)


def _to_all(connected: list[socket.socket], send: Send) -> None:
    """Send the segment to everybody, each in turn as the sockets take it; the readers must have it all."""
    with selectors.DefaultSelector() as selector:
        for each in connected:
            selector.register(each, selectors.EVENT_WRITE, send(each))
        left = len(connected)
        while left:
            for key, _ in selector.select():
                if next(key.data, "all sent") == "all sent":
                    selector.unregister(key.fileobj)
                    left -= 1
    for each in connected:
        each.shutdown(socket.SHUT_WR)
    for each in connected:
        each.settimeout(PATIENCE_S)
        received = int.from_bytes(each.recv(8, socket.MSG_WAITALL), "big")
        require(received == SEGMENT_BYTES, "a reader has another number of bytes")
        each.close()


def _send_outbox(connected: socket.socket, path: Path, fetch_bytes: int) -> Iterator[None]:
    """The broker's own code."""
    outbox = Outbox()
    for position in range(0, SEGMENT_BYTES, fetch_bytes):
        outbox.put([SegmentSlice(path, position, min(fetch_bytes, SEGMENT_BYTES - position))])
        while not outbox.is_empty:
            outbox.send(connected)
            yield
    outbox.close()


def _read_and_send(connected: socket.socket, path: Path, fetch_bytes: int) -> Iterator[None]:
    """The same with the bytes passing through the process: one read a fetch, and sent until they are gone."""
    for position in range(0, SEGMENT_BYTES, fetch_bytes):
        handle = os.open(path, os.O_RDONLY)
        data = memoryview(os.pread(handle, fetch_bytes, position))
        os.close(handle)
        while data:
            try:
                data = data[connected.send(data) :]
            except BlockingIOError:
                yield
        yield


@contextmanager
def drain() -> Iterator[int]:
    """A process that reads whatever comes, and tells each sender how much it was; the port."""
    program = f"from benchmarks.sending import drain_forever; drain_forever({READERS_MOST})"
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def drain_forever(readers: int) -> None:
    """What :func:`drain` runs."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=readers)
    print(listening.getsockname()[1], flush=True)
    buffer = memoryview(bytearray(1 << 20))
    selector = selectors.DefaultSelector()
    selector.register(listening, selectors.EVENT_READ, [0])
    while True:
        for key, _ in selector.select():
            if key.fileobj is listening:
                selector.register(listening.accept()[0], selectors.EVENT_READ, [0])
                continue
            reader = key.fileobj
            assert isinstance(reader, socket.socket)
            count = reader.recv_into(buffer)
            key.data[0] += count
            if not count:
                reader.sendall(key.data[0].to_bytes(8, "big"))
                selector.unregister(reader)
                reader.close()


def sending_goals(contests: Mapping[str, Comparison]) -> Iterator[Goal]:
    """Judged where the broker is used, as a whole; the bare sending is reported beside it."""
    if TITLE in contests:
        by_clock, by_cpu = ratio(contests[TITLE], READ_AND_SEND, SENDFILE)
        wanted = 0.75
        yield Goal(
            "processor time a byte of sendfile, of read and send; at most",
            wanted,
            round(by_clock, 3),
            round(by_cpu, 3),
            by_cpu <= wanted,
        )


def sending_costs(contests: Mapping[str, Comparison]) -> dict[str, float]:
    """Processor time a byte of sendfile, of read and send, by condition."""
    titles = [title for title in (TITLE, *map(title_of, CONDITIONS)) if title in contests]
    return {title: ratio(contests[title], READ_AND_SEND, SENDFILE)[1] for title in titles}
