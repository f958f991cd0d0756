"""Brokers for the tests of the socket side: one in a thread of this process, one in a process of its own."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Self

from engine.broker.request_handler import RequestHandler
from engine.protocol.responses import Response, decode_response
from engine.storage.disk import Disk, OsDisk
from engine.storage.log import Log
from engine.tcp.client_log import ClientLog
from engine.tcp.partition_logs import PartitionLogs
from engine.tcp.platform import listen
from engine.tcp.server import BrokerServer, logger
from engine.tcp.settings import BrokerSettings, ConnectionLimits

ROOT = Path(__file__).resolve().parents[3]
PATIENCE_S = 20.0


class RunningBroker:
    """A broker in a thread; the test may look at its logs while the broker is idle."""

    def __init__(self, settings: BrokerSettings, limits: ConnectionLimits, disk: Disk, port: int) -> None:
        self.logs = PartitionLogs.open(settings, disk=disk, clock=time.monotonic)
        listening = listen("127.0.0.1", port)
        self.port: int = listening.getsockname()[1]
        client_log = ClientLog(logger, time.monotonic)
        chance = Random(2011)
        handler = RequestHandler(self.logs, Log.locate, lambda: chance.randrange(settings.partitions))
        self._server = BrokerServer(listening, self.logs, handler, client_log, limits, time.monotonic)
        self._stopped = False
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()

    @property
    def clients(self) -> int:
        return self._server.clients

    def stop(self) -> None:
        """Stop; a second time is fine."""
        if self._stopped:
            return
        self._stopped = True
        assert self._thread.is_alive(), "the loop has broken down"
        self._server.stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive(), "the loop hangs"
        self.logs.close()


StartBroker = Callable[..., RunningBroker]


def starter(data_dir: Path, running: list[RunningBroker]) -> StartBroker:
    """Return a function that starts brokers on one folder; its keywords are those of the settings."""

    def start(
        *, limits: ConnectionLimits | None = None, disk: Disk | None = None, port: int = 0, **settings: int
    ) -> RunningBroker:
        chosen = BrokerSettings(data_dir, **{"flush_messages": 1, **settings})
        broker = RunningBroker(chosen, limits or ConnectionLimits(), disk or OsDisk(sync=False), port)
        running.append(broker)
        return broker

    return start


class RawClient:
    """A socket that sends any bytes and reads responses."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def say(self, data: bytes) -> None:
        self.socket.sendall(data)

    def hear(self) -> Response:
        """Return the next response."""
        return decode_response(self._exactly(int.from_bytes(self._exactly(4), "big")))

    def ask(self, request: bytes) -> Response:
        self.say(request)
        return self.hear()

    def was_cut_off(self) -> bool:
        """Wait until the broker sends something or hangs up; return whether it hung up."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def _exactly(self, size_bytes: int) -> bytes:
        received = bytearray()
        while len(received) < size_bytes:
            portion = self.socket.recv(size_bytes - len(received))
            assert portion, "the broker hung up"
            received += portion
        return bytes(received)


def until(holds: Callable[[], bool]) -> None:
    """Check repeatedly until the condition holds; fail after ``PATIENCE_S``."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline_s, "it never came true"


# --- in a process of its own ----------------------------------------------------------------------------------------


class BrokerProcess:
    """A process that runs ``offsetscope broker`` as a user types it."""

    def __init__(self, data_dir: Path, *arguments: str) -> None:
        command = ["broker", "--data-dir", str(data_dir), "--port", "0", *arguments]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "webapp", *command],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r":(\d+)$", line.strip())
        if found is None:
            self.process.kill()
            raise AssertionError(f"no address in {line!r}: {self.process.communicate()[1]}")
        self.port = int(found[1])

    def end(self, number: int) -> int:
        """Send a signal; return the exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode

    def resident_bytes(self) -> int:
        """Return the memory that the process has in RAM now."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def broker_process(data_dir: Path, *arguments: str) -> Iterator[BrokerProcess]:
    """Start a broker process that is killed afterwards."""
    broker = BrokerProcess(data_dir, *arguments)
    try:
        yield broker
    finally:
        with broker.process:
            broker.process.kill()


def run_broker(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a broker command line that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "webapp", "broker", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
