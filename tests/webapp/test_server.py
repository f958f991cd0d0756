"""How the application is served on a socket."""

import gc
import os
import signal
import socket
import urllib.request
from collections.abc import Callable, Iterator
from threading import Semaphore, Thread

import pytest
from flask import Flask, request

from engine.tcp.platform import listen
from tests.webapp.support import TIMEOUT_S
from webapp.app import create_app
from webapp.connections import ConnectionLimits, Connections
from webapp.http.request.context import EXTENSION
from webapp.server import BoundedServer, address_of, serve
from webapp.settings import Settings


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    bound = listen("127.0.0.1", 0)
    yield bound
    bound.detach()


@pytest.fixture
def signals() -> Iterator[None]:
    """Restore the handlers of SIGTERM and SIGINT after the test."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_connections_send_without_nagle_delay(listening: socket.socket) -> None:
    app = Flask(__name__)

    @app.get("/")
    def sends_at_once() -> str:
        connected: socket.socket = request.environ["werkzeug.socket"]
        return str(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)

    server = BoundedServer(app, "127.0.0.1", listening, Connections(ConnectionLimits()))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    with urllib.request.urlopen(address, timeout=TIMEOUT_S) as answer:
        assert answer.read() == b"True"
    server.shutdown()
    thread.join()
    server.server_close()


def test_objects_made_before_serving_are_frozen_for_the_garbage_collector(
    settings: Settings, listening: socket.socket, signals: None
) -> None:
    app = create_app(settings)
    assert gc.get_freeze_count() == 0
    left_out: list[int] = []

    def ready() -> None:
        left_out.append(gc.get_freeze_count())
        os.kill(os.getpid(), signal.SIGTERM)

    try:
        connections = Connections(ConnectionLimits())
        serve(app, app.extensions[EXTENSION], "127.0.0.1", listening, connections, ready=ready)
    finally:
        gc.unfreeze()
    assert left_out[0] > 10_000


# --- connections ----------------------------------------------------------------------------------------------------

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


class Served:
    """A small application on a server with limits."""

    def __init__(self, listening: socket.socket, limits: ConnectionLimits) -> None:
        app = Flask(__name__)
        app.add_url_rule("/", "length", self._length, methods=["GET", "POST"])
        self.began = Semaphore(0)
        self.connections = Connections(limits)
        self._port = listening.getsockname()[1]
        self._server = BoundedServer(app, "127.0.0.1", listening, self.connections)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()

    def _length(self) -> str:
        self.began.release()
        return str(len(request.get_data()))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self._port), timeout=TIMEOUT_S)

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def serve_with(listening: socket.socket) -> Iterator[Callable[..., Served]]:
    served: list[Served] = []

    def build(**limits: float) -> Served:
        served.append(Served(listening, ConnectionLimits(**limits)))  # type: ignore[arg-type]
        return served[-1]

    yield build
    for one in served:
        one.close()


def read_to_end(connection: socket.socket) -> bytes:
    read = b""
    try:
        while data := connection.recv(4096):
            read += data
    except ConnectionResetError:
        pass
    connection.close()
    return read


def test_a_connection_over_the_limit_is_refused_and_those_before_it_are_served(
    serve_with: Callable[..., Served],
) -> None:
    served = serve_with(in_all=2)
    busy = [served.connect() for _ in range(2)]
    for one in busy:
        one.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
        assert served.began.acquire(timeout=TIMEOUT_S)
    assert read_to_end(served.connect()).startswith(b"HTTP/1.1 503")
    for one in busy:
        one.sendall(b"ab")
        assert read_to_end(one).startswith(b"HTTP/1.1 200")
    again = served.connect()
    again.sendall(GET)
    assert read_to_end(again).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_connection_without_a_complete_request_head_is_closed(serve_with: Callable[..., Served], sent: bytes) -> None:
    silent = serve_with(head_s=0.05).connect()
    silent.sendall(sent)
    assert read_to_end(silent) == b""


def test_a_connection_whose_body_does_not_arrive_is_closed(
    serve_with: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.server.BODY_TIMEOUT_S", 0.05)
    slow = serve_with().connect()
    slow.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n1234")
    assert b" 200 " not in read_to_end(slow)


@pytest.mark.parametrize(
    ("host", "shown"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("::1", "[::1]"), ("::", "[::1]")]
)
def test_the_printed_address_can_be_opened(listening: socket.socket, host: str, shown: str) -> None:
    assert address_of(host, listening) == f"http://{shown}:{listening.getsockname()[1]}/"
