"""The broker on a socket: unacknowledged produce beside Redis Streams."""

import re
import resource
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
from engine.message.message_set import encode_message_set
from engine.tcp.client import Producer

BROKER: Final = "broker, no acknowledgement"
REDIS: Final = "Redis Streams, C client"

PRODUCE_TITLE: Final = "produce over TCP, batches of 50"
BATCH_MESSAGES: Final = 50
PATIENCE_S: Final = 30.0
ROOT: Final = Path(__file__).parent.parent


# --- produce --------------------------------------------------------------------------------------------------------


def produce_contest(folder: Path, messages: int, rounds: int) -> Comparison:
    """Each client sends the same number of 200-byte messages, 50 at a time, over one connection.

    The turn of the broker ends when all of them are in its log; the client does not wait for an acknowledgement.
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

    def own_cpu_clock(self) -> float:
        """Seconds that all threads of the server have worked."""
        tasks = Path(f"/proc/{self.process}/task").glob("*/schedstat")
        return sum(int(task.read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9

    def cpu_clock(self) -> float:
        """Seconds that all threads of the server, this process and its ended children have worked."""
        children = resource.getrusage(resource.RUSAGE_CHILDREN)
        return self.own_cpu_clock() + time.process_time() + children.ru_utime + children.ru_stime


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
def broker_at(data_dir: Path, program: str = "webapp") -> Iterator[Server]:
    """A broker process that puts its log on disk once a second, as Redis does its file."""
    options = ["--port", "0", "--flush-messages", "1000000000", "--flush-ms", "1000"]
    command = [sys.executable, "-m", program, "broker", "--data-dir", str(data_dir), *options]
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
    printed = subprocess.run(["redis-server", "--version"], check=True, capture_output=True, text=True).stdout
    found = re.search(r"v=([\d.]+)", printed)
    return found[1] if found else printed.strip()


# --- goals ----------------------------------------------------------------------------------------------------------


def tcp_goals(contests: dict[str, Comparison]) -> Iterator[Goal]:
    """What the socket side has set itself."""
    if PRODUCE_TITLE in contests and REDIS in contests[PRODUCE_TITLE]["contenders"]:
        found = ratio(contests[PRODUCE_TITLE], BROKER, REDIS)
        yield at_least("produce over TCP in batches of 50, times Redis Streams through its C client", 3, found)
