"""The HTTP server: one process, a thread for each request, and a clean shutdown on a signal.

werkzeug's threaded server carries a thousand viewers, since one broadcaster thread writes for all of them; gunicorn
would cut their sockets without a close frame.
"""

import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Any

from flask import Flask
from werkzeug.serving import BaseWSGIServer, ThreadedWSGIServer, WSGIRequestHandler

from engine.tcp.platform import STOP_SIGNALS, send_now
from webapp.connections import Connections
from webapp.house.services import Services

POLL_S = 0.05
FAREWELL_S = 0.8
OVERDUE_EVERY_S = 0.5
BODY_TIMEOUT_S = 20.0
"""For each part of a request's body, and of the response to it."""
RESPONSE_TIMEOUT_S = 300.0
"""For each part of another response: a slow line takes minutes for megabytes."""
TOO_MANY = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 26\r\nRetry-After: 10\r\n"
    b"Connection: close\r\n\r\ntoo many open connections\n"
)

logger = logging.getLogger(__name__)


class QuietHandler(WSGIRequestHandler):
    """A request handler that logs faults but no requests, and does not reveal its software."""

    protocol_version = "HTTP/1.1"
    # Send frames at once. Otherwise a frame waits for the acknowledgement of the last one, which may take 40 ms.
    disable_nagle_algorithm = True

    server: "BoundedServer"

    def parse_request(self) -> bool:
        """Parse the head; from then on the deadline for silent connections does not apply."""
        parsed = super().parse_request()
        self.server.connections.begin_request(self.connection)
        has_body = "Content-Length" in self.headers or "Transfer-Encoding" in self.headers if parsed else False
        self.connection.settimeout(BODY_TIMEOUT_S if has_body else RESPONSE_TIMEOUT_S)
        return parsed

    def version_string(self) -> str:
        """Return the ``Server`` header."""
        return "offsetscope"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log nothing: a stage sends many requests a minute."""


class BoundedServer(ThreadedWSGIServer):
    """A server with a thread for each connection, which refuses connections over the limits and closes silent ones."""

    def __init__(self, app: Flask, host: str, listening: socket.socket, connections: Connections) -> None:
        super().__init__(host, listening.getsockname()[1], app, QuietHandler, fd=listening.fileno())
        self.connections = connections
        self._overdue_look_s = time.monotonic()

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Return whether to serve a new connection; answer 503 if not, as far as the socket takes it at once."""
        is_admitted = self.connections.admit(request, client_address[0])
        if not is_admitted:
            with suppress(OSError):
                send_now(request, TOO_MANY)
        return is_admitted

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self.connections.leave(request)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """Close the connections that were silent for too long; called about every :data:`POLL_S`."""
        super().service_actions()
        now_s = time.monotonic()
        if now_s - self._overdue_look_s >= OVERDUE_EVERY_S:
            self._overdue_look_s = now_s
            self.connections.shut_overdue()


def address_of(host: str, listening: socket.socket) -> str:
    """Return the address to open in a browser on this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # "all" is no address
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{listening.getsockname()[1]}/"


def serve(
    app: Flask,
    services: Services,
    host: str,
    listening: socket.socket,
    connections: Connections,
    *,
    ready: Callable[[], None],
) -> None:
    """Start the services and serve until SIGTERM or SIGINT; then close every viewer's connection (1001) and all rooms.

    ``ready`` is called once requests are accepted.
    """
    server = BoundedServer(app, host, listening, connections)
    _stop_on_signals(server)
    _leave_out_of_collections_what_stays()
    services.start()
    ready()
    try:
        server.serve_forever(poll_interval=POLL_S)
    finally:
        server.server_close()
        services.stop(within_s=FAREWELL_S)


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
