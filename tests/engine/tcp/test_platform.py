"""Broker, clients and server on a Python that lacks what it lacks on macOS or Windows; and each fallback."""

import errno
import os
import selectors
import signal
import socket
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.message.message_set import encode_message_set
from engine.protocol.requests import FetchRequest, ProduceRequest, encode_request
from engine.protocol.responses import Response
from engine.tcp import platform
from engine.tcp.faults import ConnectionBroken
from engine.tcp.link import BrokerLink
from engine.tcp.platform import (
    FILES_OF_WINDOWS,
    FILES_WANTED,
    PIECE_BYTES,
    SOCKETS_OF_SELECT,
    allow_many_files,
    is_closed_by_peer,
    limit_each_step,
    listen,
    send_file,
    send_now,
    set_address_reuse,
    sockets_at_once,
)
from engine.tcp.settings import ConnectionLimits
from tests.engine.tcp.support import RawClient, RunningBroker, StartBroker
from tests.support.other_systems import ROOT, run_on

BROKER = """
import os, signal, sys, threading
from pathlib import Path
from engine.protocol.requests import EARLIEST_MS, FetchRequest
from webapp import cli
from engine.tcp import command
from engine.tcp.client import Producer, ProducerData, SimpleConsumer
from engine.tcp.faults import ConnectionBroken

results = []

def talk(port):
    with Producer("127.0.0.1", port) as producer, SimpleConsumer("127.0.0.1", port) as consumer:
        for number in range(200):
            producer.send("page views", [b"\\r\\n\\x1a%d" % number * 1000])
        producer.multi_send([ProducerData("b", [b"1"], 0), ProducerData("b", [b"2"], 0)])
        while consumer.offsets_before("b", 0) != (20,):
            pass
        offset, count = consumer.offsets_before("page views", 0, EARLIEST_MS)[0], 0
        while messages := list(consumer.fetch("page views", 0, offset, 500_000).messages()):
            assert all(message.payload.startswith(b"\\r\\n\\x1a") for message in messages)
            offset, count = messages[-1].next_offset, count + len(messages)
        first, second = consumer.multi_fetch([FetchRequest("b", 0, 0, 100), FetchRequest("c", 0, 0, 100)])
        results.append((offset, count, [message.payload for message in first.messages()], second.data))
        try:
            consumer.offsets_before("b", 9)
        except ConnectionBroken:
            results.append("hung up")

def ready(line):
    port = int(line.rsplit(":", 1)[1])
    def run():
        try:
            talk(port)
        finally:
            signal.raise_signal(signal.SIGTERM)
    threading.Thread(target=run).start()

for options in (["--flush-messages", "1"], ["--flush-messages", "7"]):
    arguments = ["broker", "--data-dir", sys.argv[1], "--port", "0", "--segment-bytes", "100000", "--flush-ms", "20"]
    assert command.run(cli.parser().parse_args([*arguments, *options]), ready) == 0
    print(results.pop(0), results.pop(0))
    for file in (Path(sys.argv[1]) / "b-0").iterdir():
        file.unlink()
print(sorted(path.name for path in Path(sys.argv[1]).rglob("*")))
"""

SERVER = """
import json, signal, sys, threading, time
from pathlib import Path
from urllib.request import Request, urlopen
from simple_websocket import Client
from webapp.app import create_app
from webapp.connections import ConnectionLimits, Connections
from engine.tcp.platform import listen
from webapp.server import serve
from webapp.settings import Settings
from engine.tcp.platform import allow_many_files
from webapp.http.request.context import EXTENSION

def post(address, body, key=""):
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    with urlopen(Request(address, json.dumps(body).encode(), headers)) as answer:
        return json.load(answer)

def visit(base):
    with urlopen(base) as answer:
        assert answer.status == 200
    room = post(f"{base}api/rooms", {"scenario": "pageviews"})
    feed = Client(room["urls"]["feed"])
    feed.send(json.dumps({"pull": "checkpoint", "max_bytes": 1_000_000}))
    post(f"{base}api/rooms/{room['room']}/commands", {"command": "produce", "count": 3}, room["presenter_key"])
    kinds = set()
    while "batch_appended" not in kinds:
        kinds |= {event["event"] for event in json.loads(feed.receive(timeout=20))["events"]}
    feed.close()
    print("batch_appended", len(kinds) > 3)
    rooms.append(room["room"])
    with urlopen(f"{base}api/rooms/{rooms[0]}") as answer:  # the second time it is restored
        print(len(json.load(answer)["brokers"]), "brokers")

rooms = []
allow_many_files()
for time_of_start in range(2):
    app = create_app(Settings(data_dir=Path(sys.argv[1])))
    listening = listen("127.0.0.1", 0)
    def ready():
        def run():
            try:
                visit(f"http://127.0.0.1:{listening.getsockname()[1]}/")
            finally:
                signal.raise_signal(signal.SIGTERM)
        threading.Thread(target=run).start()
    serve(app, app.extensions[EXTENSION], "127.0.0.1", listening, Connections(ConnectionLimits()), ready=ready)
    print("stopped")
"""


@pytest.mark.parametrize("system", ["macos", "windows"])
def test_a_broker_and_its_clients_behave_the_same_on_every_system(system: str, tmp_path: Path) -> None:
    here = run_on("", BROKER, str(tmp_path / "here"))
    assert "hung up" in here
    assert run_on(system, BROKER, str(tmp_path / system)) == here


@pytest.mark.parametrize("system", ["macos", "windows"])
def test_rooms_are_served_on_every_system(system: str, tmp_path: Path) -> None:
    assert run_on(system, SERVER, str(tmp_path)) == "batch_appended True\n3 brokers\nstopped\n" * 2


@pytest.mark.slow
@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_no_name_that_another_system_lacks_is_used(system: str, tmp_path: Path) -> None:
    """The type checker knows the standard library of each system, so this covers lines that no test runs."""
    ended = subprocess.run(
        [sys.executable, "-m", "mypy", "--platform", system, "--cache-dir", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


# --- limits ---------------------------------------------------------------------------------------------------------


class Limits(types.ModuleType):
    """The module ``resource`` of a system whose kernel has a limit of its own, below the one that it reports."""

    RLIMIT_NOFILE = 8
    RLIM_INFINITY = 2**63 - 1

    def __init__(self, soft: int, hard: int, kernel: int) -> None:
        super().__init__("resource")
        self.limits = (soft, hard)
        self._kernel = kernel

    def getrlimit(self, which: int) -> tuple[int, int]:
        assert which == self.RLIMIT_NOFILE
        return self.limits

    def setrlimit(self, which: int, limits: tuple[int, int]) -> None:
        assert which == self.RLIMIT_NOFILE
        if limits[0] > self._kernel:
            raise ValueError("current limit exceeds maximum limit")
        self.limits = limits


@pytest.mark.parametrize(
    ("limits", "allowed"),
    [
        (Limits(256, Limits.RLIM_INFINITY, 10**6), FILES_WANTED),
        (Limits(256, Limits.RLIM_INFINITY, 2_000), 256),
        (Limits(256, 4_096, 10**6), 4_096),
        (Limits(20_000, 30_000, 10**6), 20_000),
        (Limits(Limits.RLIM_INFINITY, Limits.RLIM_INFINITY, 10**6), FILES_WANTED),
        (types.ModuleType("resource"), FILES_OF_WINDOWS),
    ],
    ids=["unlimited", "macos", "hard", "high", "no-limit", "windows"],
)
def test_the_limit_on_files_is_what_the_system_grants(
    limits: types.ModuleType, allowed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "_resource", limits)
    assert allow_many_files() == allowed


def test_a_broker_takes_no_more_clients_than_select_can_wait_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sockets_at_once() > ConnectionLimits().connections
    for name in ("epoll", "poll", "kqueue", "devpoll"):
        monkeypatch.delattr(f"select.{name}", raising=False)
    assert sockets_at_once() == SOCKETS_OF_SELECT


def test_ctrl_break_is_a_stop_signal_where_it_exists() -> None:
    assert set(platform.STOP_SIGNALS) == {signal.SIGTERM, signal.SIGINT}
    program = "import signal; signal.SIGBREAK = 21; from engine.tcp.platform import STOP_SIGNALS; print(*STOP_SIGNALS)"
    assert run_on("", program).split() == [str(int(number)) for number in (signal.SIGTERM, signal.SIGINT, 21)]


# --- sockets --------------------------------------------------------------------------------------------------------


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_a_port_that_is_in_use_cannot_be_bound_again(monkeypatch: pytest.MonkeyPatch) -> None:
    with listen("127.0.0.1", 0) as listening:
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) != 0
        with pytest.raises(OSError, match="in use"):
            listen("127.0.0.1", listening.getsockname()[1])
    monkeypatch.setattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_KEEPALIVE, raising=False)  # a number of this system's
    with socket.socket() as listening:
        set_address_reuse(listening)
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR) == 0
        assert listening.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0


@pytest.mark.parametrize("counts_in_timevals", [True, False])
def test_each_step_on_a_socket_has_a_time_limit(
    counts_in_timevals: bool, pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "COUNTS_IN_TIMEVALS", counts_in_timevals)
    limit_each_step(pair[0], 0.05)
    with pytest.raises(OSError, match=r"timed out|unavailable"):
        pair[0].recv(1)
    with pytest.raises(OSError, match=r"timed out|unavailable"):
        pair[0].sendall(b"x" * 10_000_000)


@pytest.mark.parametrize("missing", [[], ["select.poll"]])
@pytest.mark.parametrize("counts_in_timevals", [True, False])
def test_a_hang_up_is_noticed_at_once_and_silence_does_not_count_as_one(
    missing: list[str],
    counts_in_timevals: bool,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "COUNTS_IN_TIMEVALS", counts_in_timevals)
    for name in [*missing, "socket.MSG_DONTWAIT"]:
        monkeypatch.delattr(name)
    ours, theirs = pair
    limit_each_step(ours, 3_600)
    assert not is_closed_by_peer(ours)
    theirs.send(b"x")
    assert not is_closed_by_peer(ours)
    assert ours.recv(9) == b"x"
    theirs.close()
    assert is_closed_by_peer(ours)


def test_a_link_times_out_where_python_enforces_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "COUNTS_IN_TIMEVALS", False)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        BrokerLink("127.0.0.1", silent.getsockname()[1], 0.05) as link,
        pytest.raises(ConnectionBroken),
    ):
        link.request(b"\0\0\0\x01x", 100)


@pytest.mark.parametrize("missing", [[], ["socket.MSG_DONTWAIT"]])
def test_sending_now_does_not_wait_on_a_full_blocking_socket(
    missing: list[str], pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in missing:
        monkeypatch.delattr(name)
    ours, theirs = pair
    ours.settimeout(None)
    data = os.urandom(1 << 16)
    sent = bytearray()

    def fill() -> None:
        while True:
            sent.extend(data[: send_now(ours, memoryview(data))])

    with pytest.raises(BlockingIOError):
        fill()
    assert len(sent) >= PIECE_BYTES
    heard = bytearray()
    while len(heard) < len(sent):
        heard += theirs.recv(1 << 16)
    assert heard == sent
    assert send_now(ours, b"again") == 5


@pytest.mark.parametrize("missing", [[], ["os.sendfile"], ["os.sendfile", "os.pread"]])
def test_a_file_is_sent_from_any_position_to_its_end(
    missing: list[str],
    pair: tuple[socket.socket, socket.socket],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in missing:
        monkeypatch.delattr(name)
    content = os.urandom(300_000)
    (tmp_path / "file").write_bytes(content)
    ours, theirs = pair
    ours.settimeout(0)
    with (tmp_path / "file").open("rb") as file:
        heard = bytearray()
        position = 7
        while sent_bytes := send_file(ours, file.fileno(), position, 200_000):
            position += sent_bytes
            while len(heard) < position - 7:
                heard += theirs.recv(1 << 16)
        assert heard == content[7:]
        with pytest.raises(BlockingIOError):
            list(iter(lambda: send_file(ours, file.fileno(), 0, 200_000), 0))


# --- the loop -------------------------------------------------------------------------------------------------------


def test_a_client_that_is_gone_before_it_is_accepted_does_no_harm(
    broker: RunningBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, which refuses options on a connection that has been reset."""
    with RawClient(broker.port) as client, RawClient(broker.port) as other:
        assert client.ask(encode_request(FetchRequest("a", 0, 0, 10))) == Response(0, b"")
        assert other.ask(encode_request(FetchRequest("a", 0, 0, 10))) == Response(0, b"")
        with monkeypatch.context() as system, socket.create_connection(("127.0.0.1", broker.port)) as reset:

            def refused(*_: object) -> None:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

            system.setattr(socket.socket, "setsockopt", refused)
            with socket.create_connection(("127.0.0.1", broker.port)) as late:
                late.settimeout(20)
                assert late.recv(1) == b""
            reset.close()
        assert client.ask(encode_request(FetchRequest("a", 0, 0, 10))) == Response(0, b"")


def test_fetches_are_served_by_select_and_without_sendfile(
    start_broker: StartBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selectors, "DefaultSelector", selectors.SelectSelector)
    for name in ("os.sendfile", "os.pread", "os.fdatasync"):
        monkeypatch.delattr(name)
    broker = start_broker()
    message_set = encode_message_set([bytes([number]) * 300_000 for number in range(10)])
    with RawClient(broker.port) as client:
        client.say(encode_request(ProduceRequest("a", 0, message_set)))
        assert client.ask(encode_request(FetchRequest("a", 0, 0, 1 << 24))) == Response(0, message_set)
