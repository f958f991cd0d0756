"""Serving the application: one process, a thread for each request, and a goodbye to everybody on a signal.

werkzeug's threaded server carries a thousand viewers, since one broadcaster thread writes for all of them; gunicorn
would cut their sockets without a close frame.
"""

import gc
import logging
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from engine.tcp.platform import STOP_SIGNALS
from webapp.services import Services

POLL_S = 0.05
FAREWELL_S = 0.8

logger = logging.getLogger(__name__)


class QuietHandler(WSGIRequestHandler):
    """A request handler that logs faults, not requests, and does not say what it is made of."""

    protocol_version = "HTTP/1.1"
    # What is said goes out at once. Otherwise a frame waits for the last one's acknowledgement, which may take 40 ms.
    disable_nagle_algorithm = True

    def version_string(self) -> str:
        """The ``Server`` header."""
        return "offsetscope"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: a stage asks many times a minute."""


def address_of(host: str, listening: socket.socket) -> str:
    """What to type into a browser."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}/"


def serve(app: Flask, services: Services, host: str, listening: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; then say goodbye to every viewer (1001) and put the rooms away.

    ``ready`` is called once requests are being taken.
    """
    server = threaded_server(app, host, listening)
    _stop_on_signals(server)
    _leave_out_of_collections_what_stays()
    ready()
    try:
        server.serve_forever(poll_interval=POLL_S)
    finally:
        server.server_close()
        services.stop(within_s=FAREWELL_S)


def threaded_server(app: Flask, host: str, listening: socket.socket) -> BaseWSGIServer:
    """A server on a socket that listens already; its threads end with the process, whatever they wait for."""
    server = make_server(
        host,
        listening.getsockname()[1],
        app,
        threaded=True,
        request_handler=QuietHandler,
        fd=listening.fileno(),
    )
    server.daemon_threads = True  # type: ignore[attr-defined]  # the threaded server has it
    return server


def _leave_out_of_collections_what_stays() -> None:
    """What the program itself is made of is a good part of what a full collection looks at, while everybody waits."""
    gc.collect()
    gc.freeze()


def _stop_on_signals(server: BaseWSGIServer) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever(), which this very thread is in
        threading.Thread(target=server.shutdown, name="shutdown").start()

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
