"""The broker on a socket: unacknowledged produce beside Redis Streams, and sendfile beside read-and-send."""

import os
import re
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.compare import Comparison, compare, ratio
from benchmarks.goals import Goal, at_least
from benchmarks.measure import Subject, require
from benchmarks.messages import batches_of, payloads
from engine.message import encode_message_set
from engine.storage.segment import SegmentSlice
from webapp.tcp.client import Producer
from webapp.tcp.outbox import Outbox

BROKER: Final = "broker, no acknowledgement"
REDIS: Final = "Redis Streams, C client"
SENDFILE: Final = "sendfile"
READ_AND_SEND: Final = "read and send"

PRODUCE_TITLE: Final = "produce over TCP, batches of 50"
SEND_TITLE: Final = "a segment to four readers over TCP"
BATCH_MESSAGES: Final = 50
FETCH_BYTES: Final = 300 * 1024
READERS: Final = 4
SEGMENT_BYTES: Final = 64 * 1024 * 1024
PATIENCE_S: Final = 30.0
ROOT: Final = Path(__file__).parent.parent


# --- produce --------------------------------------------------------------------------------------------------------


def produce_contest(folder: Path, messages: int, rounds: int) -> Comparison:
    """Everybody sends the same number of 200-byte messages, 50 at a time, over one connection.

    The turn of the broker ends when all of them are in its log: no acknowledgement means that nobody waits meanwhile.
    """
    everything = payloads(messages)
    with ExitStack() as servers:
        broker = servers.enter_context(broker_at(folder / "broker"))
        subjects = [_to_broker(folder / "broker", broker, batches_of(everything, BATCH_MESSAGES), messages)]
        if redis_version():
            redis = servers.enter_context(redis_at(folder / "redis"))
            subjects.append(_to_redis(redis, len(everything[0]), messages))
        return compare(PRODUCE_TITLE, "messages", subjects, rounds)


@dataclass(frozen=True, slots=True)
class Server:
    """A process that takes connections at a port of this machine."""

    port: int
    process: int

    def cpu_clock(self) -> float:
        """Seconds that all threads of the server, this process and its ended children have worked."""
        tasks = Path(f"/proc/{self.process}/task").glob("*/schedstat")
        server_ns = sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks)
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return server_ns / 1e9 + time.process_time() + children.ru_utime + children.ru_stime


def _to_broker(data_dir: Path, broker: Server, batches: Sequence[Sequence[bytes]], messages: int) -> Subject:
    expected = b"".join([encode_message_set(batch) for batch in batches])
    turn = [0]

    def prepare() -> Callable[[], None]:
        turn[0] += 1
        topic = f"turn{turn[0]}"
        producer = Producer("127.0.0.1", broker.port)
        file = data_dir / f"{topic}-0" / f"{0:020d}.kafka"

        def work() -> None:
            for batch in batches:
                producer.send(topic, batch, partition=0)
            while not file.exists() or file.stat().st_size < len(expected):
                time.sleep(0.0002)
            producer.close()

        return work

    def verify() -> None:
        file = data_dir / f"turn{turn[0]}-0" / f"{0:020d}.kafka"
        require(file.read_bytes() == expected, "the broker's log holds other bytes")

    return Subject(BROKER, messages, prepare, verify, broker.cpu_clock)


def _to_redis(redis: Server, payload_bytes: int, messages: int) -> Subject:
    """Redis's own client, in C: one connection, 50 commands in flight, one field a message."""
    command = ["redis-benchmark", "-p", str(redis.port), "-c", "1", "-P", str(BATCH_MESSAGES)]
    command += ["-n", str(messages), "-q", "XADD", "stream", "*", "f", "x" * payload_bytes]

    def prepare() -> Callable[[], None]:
        redis_says(redis.port, "DEL", "stream")

        def work() -> None:
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

        return work

    def verify() -> None:
        require(redis_says(redis.port, "XLEN", "stream") == str(messages), "Redis holds another number of messages")

    return Subject(REDIS, messages, prepare, verify, redis.cpu_clock)


@contextmanager
def broker_at(data_dir: Path) -> Iterator[Server]:
    """A broker process that puts its log on disk once a second, as Redis does its file."""
    options = ["--port", "0", "--flush-messages", "1000000000", "--flush-ms", "1000"]
    command = [sys.executable, "-m", "webapp", "broker", "--data-dir", str(data_dir), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as broker:
        assert broker.stdout is not None
        found = re.search(r":(\d+)$", broker.stdout.readline().strip())
        require(found is not None, "the broker did not start")
        assert found is not None
        try:
            yield Server(int(found[1]), broker.pid)
        finally:
            broker.send_signal(signal.SIGTERM)


@contextmanager
def redis_at(folder: Path) -> Iterator[Server]:
    """A Redis whose append-only file is put on disk once a second and never rewritten meanwhile."""
    folder.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    options = ["--appendonly", "yes", "--appendfsync", "everysec", "--auto-aof-rewrite-percentage", "0", "--save", ""]
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as server:
        try:
            given_up_s = time.monotonic() + PATIENCE_S
            while redis_says(port, "PING") != "PONG":
                require(time.monotonic() < given_up_s, "Redis did not start")
            yield Server(port, server.pid)
        finally:
            server.terminate()


def redis_says(port: int, *words: str) -> str:
    """The answer to one command."""
    asked = subprocess.run(["redis-cli", "-p", str(port), *words], check=False, capture_output=True, text=True)
    return asked.stdout.strip()


def redis_version() -> str:
    """Which Redis is installed, with its client; "" if there is none."""
    if not (shutil.which("redis-server") and shutil.which("redis-benchmark") and shutil.which("redis-cli")):
        return ""
    told = subprocess.run(["redis-server", "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"v=([\d.]+)", told)
    return found[1] if found else told.strip()


# --- sendfile -------------------------------------------------------------------------------------------------------


def send_contest(folder: Path, rounds: int) -> Comparison:
    """The answers to fetches of 300 KiB, from one segment to four readers at once: the broker's way, and the usual one.

    What counts is the sender's processor time a byte: the wall clock is that of the readers, who share the machine.
    """
    path = folder / "segment"
    path.write_bytes(os.urandom(1 << 20) * (SEGMENT_BYTES >> 20))
    with drain() as port:
        subjects = [
            _sender(SENDFILE, path, port, _send_outbox),
            _sender(READ_AND_SEND, path, port, _read_and_send),
        ]
        return compare(SEND_TITLE, "bytes", subjects, rounds)


SendPart = Callable[[socket.socket, Path], Iterator[None]]


def _sender(name: str, path: Path, port: int, send: SendPart) -> Subject:
    def prepare() -> Callable[[], None]:
        connected = [socket.create_connection(("127.0.0.1", port), PATIENCE_S) for _ in range(READERS)]
        for each in connected:
            each.settimeout(0)
        return lambda: _to_all(connected, path, send)

    return Subject(name, READERS * SEGMENT_BYTES, prepare, lambda: None)


def _to_all(connected: list[socket.socket], path: Path, send: SendPart) -> None:
    """Send the segment to everybody, each in turn as the sockets take it; the readers must have it all."""
    with selectors.DefaultSelector() as selector:
        for each in connected:
            selector.register(each, selectors.EVENT_WRITE, send(each, path))
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


def _send_outbox(connected: socket.socket, path: Path) -> Iterator[None]:
    """The broker's own code."""
    outbox = Outbox()
    for position in range(0, SEGMENT_BYTES, FETCH_BYTES):
        outbox.put([SegmentSlice(path, position, min(FETCH_BYTES, SEGMENT_BYTES - position))])
        while not outbox.is_empty:
            outbox.send(connected)
            yield
    outbox.close()


def _read_and_send(connected: socket.socket, path: Path) -> Iterator[None]:
    """The same with the bytes passing through the process: one read a fetch, and sent until they are gone."""
    for position in range(0, SEGMENT_BYTES, FETCH_BYTES):
        handle = os.open(path, os.O_RDONLY)
        data = memoryview(os.pread(handle, FETCH_BYTES, position))
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
    program = f"from benchmarks.tcp import drain_forever; drain_forever({READERS})"
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


# --- goals ----------------------------------------------------------------------------------------------------------


def tcp_goals(contests: dict[str, Comparison]) -> Iterator[Goal]:
    """What the socket side has set itself."""
    if PRODUCE_TITLE in contests and REDIS in contests[PRODUCE_TITLE]["contenders"]:
        found = ratio(contests[PRODUCE_TITLE], BROKER, REDIS)
        yield at_least("produce over TCP in batches of 50, times Redis Streams through its C client", 4, found)
    if SEND_TITLE in contests:
        by_clock, by_cpu = ratio(contests[SEND_TITLE], READ_AND_SEND, SENDFILE)
        wanted = 0.65
        yield Goal(
            "processor time a byte of sendfile, of read and send; at most",
            wanted,
            round(by_clock, 3),
            round(by_cpu, 3),
            by_cpu <= wanted,
        )
