"""A WebSocket of simple-websocket, with all its bytes going out through one place.

That library writes from its reader thread (answers to pings and to a close), and the broadcaster from another. Were
both to write to the socket, one could cut into the other's half-sent frame. So the socket it holds is replaced by one
that hands its bytes to the viewer, which sends frame after frame.
"""

import socket
from collections.abc import Callable
from typing import Any

from simple_websocket import ConnectionClosed, Server

from engine.tcp.platform import send_now

LOOK_AROUND_S = 2.0


class ConnectionGone(Exception):
    """The viewer has left, or was told to."""


class Connection:
    """One open WebSocket, as the feed sees it."""

    def __init__(self, websocket: Server) -> None:
        self._websocket = websocket
        self._socket: socket.socket = websocket.sock

    def send_all_through(self, say: Callable[[bytes], None]) -> None:
        """From now on what the library itself has to send goes through ``say``."""
        self._websocket.sock = _OrderlySocket(self._socket, say)

    def receive(self) -> str | bytes:
        """The next message, however long that takes; raises :class:`ConnectionGone` when there will be none."""
        while True:
            try:
                message: str | bytes | None = self._websocket.receive(timeout=LOOK_AROUND_S)
            except ConnectionClosed as gone:
                raise ConnectionGone from gone
            if message is not None:
                return message

    def send_some(self, data: bytes | memoryview) -> int:
        """Hand the socket what it takes without waiting; ``BlockingIOError`` if it is full, ``OSError`` if gone."""
        return send_now(self._socket, data)

    def stop_receiving(self) -> None:
        """Make :meth:`receive` raise at once, in whichever thread it waits."""
        self._websocket.connected = False
        self._websocket.event.set()

    def finish(self, *, within_s: float) -> None:
        """Wait for the other side's close frame, but not for longer than ``within_s``, and end the connection."""
        self._websocket.thread.join(within_s)
        _shut_down(self._socket)


class _OrderlySocket:
    """What simple-websocket takes for its socket."""

    def __init__(self, real: socket.socket, say: Callable[[bytes], None]) -> None:
        self._real = real
        self._say = say

    def recv(self, size: int) -> bytes:
        return self._real.recv(size)

    def send(self, data: bytes) -> int:
        self._say(data)
        return len(data)

    def close(self) -> None:
        """Shut it down; the descriptor is closed by the HTTP server that owns it, when nobody can send any more."""
        _shut_down(self._real)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


def _shut_down(real: socket.socket) -> None:
    try:
        real.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the other side was faster
