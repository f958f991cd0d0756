"""How the application is put on a socket."""

import gc
import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from threading import Thread

import pytest
from flask import Flask, request

from engine.tcp.platform import listen
from tests.webapp.support import PATIENCE_S
from webapp import create_app
from webapp.server import serve, threaded_server
from webapp.settings import Settings
from webapp.views.context import EXTENSION


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    bound = listen("127.0.0.1", 0)
    yield bound
    bound.detach()


@pytest.fixture
def signals() -> Iterator[None]:
    """What SIGTERM and SIGINT did before."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_nothing_that_is_sent_waits_for_an_acknowledgement_of_what_was_sent_before(listening: socket.socket) -> None:
    app = Flask(__name__)

    @app.get("/")
    def sends_at_once() -> str:
        connected: socket.socket = request.environ["werkzeug.socket"]
        return str(connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0)

    server = threaded_server(app, "127.0.0.1", listening)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
        assert answer.read() == b"True"
    server.shutdown()
    thread.join()
    server.server_close()


def test_full_collections_leave_out_what_the_server_is_made_of(
    settings: Settings, listening: socket.socket, signals: None
) -> None:
    app = create_app(settings)
    assert gc.get_freeze_count() == 0
    left_out: list[int] = []

    def ready() -> None:
        left_out.append(gc.get_freeze_count())
        os.kill(os.getpid(), signal.SIGTERM)

    try:
        serve(app, app.extensions[EXTENSION], "127.0.0.1", listening, ready=ready)
    finally:
        gc.unfreeze()
    assert left_out[0] > 10_000
