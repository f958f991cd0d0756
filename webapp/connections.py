"""The open connections of the server: their limits, and the deadlines of those that send no request.

Each connection has a thread and a descriptor from its first moment on, whether it sends a request or not. So their
number is limited, in all and by client, and one that is silent is closed. A connection serves one request.
"""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from webapp.house.quotas import client_of

NO_DEADLINE_S: Final = float("inf")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """The limits on connections in all and by client, and on the seconds until the head of the request is complete."""

    in_all: int = 3_000
    per_client: int = 2_000  # a class of 300 behind one address: a feed and up to six others each
    head_s: float = 10.0


class Connections:
    """The open connections of a server; every method may be called from any thread. ``now_s`` is a monotonic clock."""

    def __init__(self, limits: ConnectionLimits, *, now_s: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._now_s = now_s
        self._lock = threading.Lock()
        self._clients: dict[socket.socket, str] = {}
        self._deadlines_s: dict[socket.socket, float] = {}
        self._by_client: Counter[str] = Counter()

    def admit(self, connection: socket.socket, address: str) -> bool:
        """Count a connection that was accepted, and begin its deadline.

        At a limit a silent connection makes way: one of the same client, or of the client who has most. Returns false
        if none is silent.
        """
        client = client_of(address)
        with self._lock:
            if self._by_client[client] >= self._limits.per_client and not self._displace_silent(client):
                return False
            if len(self._clients) >= self._limits.in_all:
                (most, _), *_ = self._by_client.most_common(1)
                if not self._displace_silent(most):
                    return False
            self._clients[connection] = client
            self._by_client[client] += 1
            self._deadlines_s[connection] = self._now_s() + self._limits.head_s
        return True

    def begin_request(self, connection: socket.socket) -> None:
        """End the deadline of a connection: the head of its request is complete."""
        self._set_deadline(connection, NO_DEADLINE_S)

    def leave(self, connection: socket.socket) -> None:
        """Stop counting a connection that is closed; one that was not admitted is ignored."""
        with self._lock:
            self._forget(connection)

    def shut_overdue(self) -> None:
        """Shut down the connections whose deadline has passed; their threads then end."""
        now_s = self._now_s()
        with self._lock:
            overdue = [connection for connection, at_s in self._deadlines_s.items() if at_s <= now_s]
        for connection in overdue:
            self._set_deadline(connection, NO_DEADLINE_S)
            _shut(connection)

    def count(self) -> int:
        """Return how many connections are open."""
        with self._lock:
            return len(self._clients)

    def _displace_silent(self, client: str) -> bool:
        """Shut down the oldest silent connection of a client; return false if it has none."""
        for connection, at_s in self._deadlines_s.items():
            if at_s < NO_DEADLINE_S and self._clients[connection] == client:
                self._forget(connection)
                _shut(connection)
                return True
        return False

    def _forget(self, connection: socket.socket) -> None:
        client = self._clients.pop(connection, "")
        self._deadlines_s.pop(connection, None)
        if client:
            self._by_client[client] -= 1
            if not self._by_client[client]:
                del self._by_client[client]

    def _set_deadline(self, connection: socket.socket, at_s: float) -> None:
        with self._lock:
            if connection in self._deadlines_s:
                self._deadlines_s[connection] = at_s


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # its client closed it first
        connection.shutdown(socket.SHUT_RDWR)
