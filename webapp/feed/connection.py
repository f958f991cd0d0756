"""A WebSocket of simple-websocket that sends all its bytes through one viewer.

The library writes from its reader thread (responses to pings and to a close), and the broadcaster from another. If both
wrote to the socket, one could write into the other's half-sent frame. So the library's socket is replaced by one that
passes its bytes to the viewer, which sends frame after frame.
"""

import socket
import time
from collections.abc import Callable
from typing import Any

from simple_websocket import ConnectionClosed, Server

from engine.tcp.platform import send_now

LOOK_AROUND_S = 2.0


class ConnectionGone(Exception):
    """The viewer has left, or its connection was closed."""


class Connection:
    """One open WebSocket in the form the feed needs."""

    def __init__(self, websocket: Server) -> None:
        self._websocket = websocket
        self._socket: socket.socket = websocket.sock

    def send_all_through(self, say: Callable[[bytes], None]) -> None:
        """Send the library's own frames through ``say`` from now on."""
        self._websocket.sock = _OrderlySocket(self._socket, say)

    def receive(self, *, within_s: float) -> str | bytes:
        """Wait for the next message; raises :class:`ConnectionGone` if there will be none, or none comes in time."""
        until_s = time.monotonic() + within_s
        while time.monotonic() < until_s:
            try:
                message: str | bytes | None = self._websocket.receive(timeout=min(LOOK_AROUND_S, within_s))
            except ConnectionClosed as gone:
                raise ConnectionGone from gone
            if message is not None:
                return message
        raise ConnectionGone

    def send_some(self, data: bytes | memoryview) -> int:
        """Write what the socket takes without blocking; raises ``BlockingIOError`` if full, ``OSError`` if closed."""
        return send_now(self._socket, data)

    def stop_receiving(self) -> None:
        """Make :meth:`receive` raise at once, in whichever thread it waits."""
        self._websocket.connected = False
        self._websocket.event.set()

    def finish(self, *, within_s: float) -> None:
        """Wait for the client's close frame, at most ``within_s``, and end the connection."""
        self._websocket.thread.join(within_s)
        _shut_down(self._socket)


class _OrderlySocket:
    """A replacement for simple-websocket's socket that sends through ``say``."""

    def __init__(self, real: socket.socket, say: Callable[[bytes], None]) -> None:
        self._real = real
        self._say = say

    def recv(self, size: int) -> bytes:
        return self._real.recv(size)

    def send(self, data: bytes) -> int:
        self._say(data)
        return len(data)

    def close(self) -> None:
        """Shut the socket down; its owner, the HTTP server, closes the descriptor when no thread can send any more."""
        _shut_down(self._real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _shut_down(real: socket.socket) -> None:
    try:
        real.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client closed it first
