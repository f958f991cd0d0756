"""A whole broker under the fetches of real consumers: what a byte costs it by ``sendfile``, and by reading and sending.

``python -m benchmarks.fetching PORT`` is a consumer that reads everything, message sets unopened.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from benchmarks.compare import Comparison, compare
from benchmarks.measure import Subject, require
from benchmarks.messages import batches_of, payloads
from benchmarks.tcp import Server, broker_at
from engine.tcp.client import Producer, SimpleConsumer

TITLE: Final = "a broker's answers to 4 consumers, 300 KiB at a time"
SENDFILE: Final = "sendfile"
READ_AND_SEND: Final = "read and send"
PROGRAMS: Final = {SENDFILE: "webapp", READ_AND_SEND: "benchmarks.reading_broker"}
CONSUMERS: Final = 4
TOPIC: Final = "pageviews"
ROOT: Final = Path(__file__).parent.parent


def fetch_contest(folder: Path, messages: int, rounds: int) -> Comparison:
    """Four processes read the log of a broker to its end; the processor time is that of the broker alone."""
    with ExitStack() as brokers:
        subjects = []
        for name, program in PROGRAMS.items():
            broker = brokers.enter_context(broker_at(folder / program, program))
            subjects.append(_subject(name, broker, _filled(broker, messages)))
        return compare(TITLE, "bytes", subjects, rounds)


def _filled(broker: Server, messages: int) -> int:
    """Send so many messages; the bytes of the broker's log when all can be read."""
    log_bytes = 209 * messages
    with Producer("127.0.0.1", broker.port) as producer:
        for batch in batches_of(payloads(messages), 50):
            producer.send(TOPIC, batch, 0)
    with SimpleConsumer("127.0.0.1", broker.port) as consumer:
        while consumer.offsets_before(TOPIC, 0) != (log_bytes,):
            time.sleep(0.01)
    return log_bytes


def _subject(name: str, broker: Server, log_bytes: int) -> Subject:
    seen: list[int] = []

    def work() -> None:
        seen[:] = _consume(broker.port)

    def prepare() -> Callable[[], None]:
        return work

    def verify() -> None:
        require(seen == [log_bytes] * CONSUMERS, f"a consumer of {name} saw another number of bytes")

    return Subject(name, CONSUMERS * log_bytes, prepare, verify, broker.own_cpu_clock)


def _consume(port: int) -> list[int]:
    """Start the consumers, and wait until each has said how many bytes it saw."""
    command = [sys.executable, "-m", "benchmarks.fetching", str(port)]
    with ExitStack() as running:
        consumers = [
            running.enter_context(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True))
            for _ in range(CONSUMERS)
        ]
        return [int(consumer.communicate()[0]) for consumer in consumers]


def consume(port: int) -> int:
    """Fetch to the end of the log, as much at a time as a consumer of 0.7 asks for; the bytes seen."""
    offset = 0
    with SimpleConsumer("127.0.0.1", port) as consumer:
        while data := consumer.fetch(TOPIC, 0, offset).data:
            offset += len(data)
    return offset


if __name__ == "__main__":
    print(consume(int(sys.argv[1])))
