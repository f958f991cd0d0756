"""The HTTP server: one process, a thread for each request, and a clean shutdown on a signal.

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
    """A request handler that logs faults but no requests, and does not reveal its software."""

    protocol_version = "HTTP/1.1"
    # Send frames at once. Otherwise a frame waits for the acknowledgement of the last one, which may take 40 ms.
    disable_nagle_algorithm = True

    def version_string(self) -> str:
        """Return the ``Server`` header."""
        return "offsetscope"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: a stage sends many requests a minute."""


def address_of(host: str, listening: socket.socket) -> str:
    """Return the address to open in a browser."""
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}/"


def serve(app: Flask, services: Services, host: str, listening: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; then close every viewer's connection (1001) and all rooms.

    ``ready`` is called once requests are accepted.
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
    """Return a server on a listening socket; its threads are daemons and end with the process."""
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
    """Freeze the program's own objects: a full collection, which stops all threads, would mostly scan these."""
    gc.collect()
    gc.freeze()


def _stop_on_signals(server: BaseWSGIServer) -> None:
    def stop(number: int, frame: FrameType | None) -> None:
        # shutdown() waits for serve_forever(), which runs in this thread
        threading.Thread(target=server.shutdown, name="shutdown").start()

    for number in STOP_SIGNALS:
        signal.signal(number, stop)
