"""A client's end of a connection to a broker."""

import socket
from typing import Final, Self

from engine.protocol.faults import MalformedResponse
from engine.protocol.frames import LENGTH_BYTES
from engine.tcp.faults import BrokerUnreachable, ConnectionBroken
from engine.tcp.platform import is_closed_by_peer, limit_each_step

TIMEOUT_S: Final = 30.0  # 0.7: socket.timeout.ms


class BrokerLink:
    """A connection to a broker, opened when it is needed and opened again after it breaks.

    ``timeout_s`` is how long one step may take: connecting, sending, receiving. It is not safe to use from two threads
    at once.
    """

    def __init__(self, host: str, port: int, timeout_s: float) -> None:
        self._host = host
        self._port = port
        self._timeout_s = timeout_s
        self._connected: list[socket.socket] = []  # one, or none

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; what was sent still arrives."""
        while self._connected:
            self._connected.pop().close()

    def send(self, request: bytes) -> None:
        """Pass ``request`` to the operating system, for requests without a response.

        If the broker has closed the connection since the last one, nothing is sent and :class:`ConnectionBroken` is
        raised; the next call reconnects. Raises :class:`BrokerUnreachable` if there is no broker.
        """
        connected = self._socket()
        if is_closed_by_peer(connected):
            self.close()
            raise self._broken("the broker had closed it, so earlier messages may be lost and this one was not sent")
        try:
            connected.sendall(request)
        except OSError as error:
            self.close()
            raise self._broken(f"sending failed: {error}") from error

    def request(self, request: bytes, max_response_bytes: int) -> bytes:
        """Send a request and return its response without the length field.

        If the connection breaks, it is opened again, once, and the request sent again: reading twice does no harm
        (0.7: SimpleConsumer). Raises :class:`ConnectionBroken` if that fails too, :class:`BrokerUnreachable`, and
        :class:`~engine.protocol.faults.MalformedResponse` if the response is larger than it can be.
        """
        try:
            return self._request_once(request, max_response_bytes)
        except ConnectionBroken:
            return self._request_once(request, max_response_bytes)

    def _request_once(self, request: bytes, max_response_bytes: int) -> bytes:
        connected = self._socket()
        try:
            connected.sendall(request)
            size = int.from_bytes(_receive(connected, LENGTH_BYTES), "big", signed=True)
            if 0 < size <= max_response_bytes:
                return bytes(_receive(connected, size))
        except (OSError, EOFError) as error:
            self.close()
            raise self._broken(f"no response: {error}") from error
        self.close()
        raise MalformedResponse(
            f"a response of {size} bytes, where at most {max_response_bytes} were requested",
            "check that a broker of 0.7 is at this address",
            bytes=size,
        )

    def _socket(self) -> socket.socket:
        if not self._connected:
            try:
                connected = socket.create_connection((self._host, self._port), self._timeout_s)
            except (OSError, OverflowError, UnicodeError) as error:  # the last two: an impossible port or host
                raise BrokerUnreachable(
                    f"no broker at {self._host} port {self._port}: {error}",
                    "start it with: offsetscope broker --data-dir DIR --port PORT",
                    host=self._host,
                    port=self._port,
                ) from error
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            limit_each_step(connected, self._timeout_s)
            self._connected.append(connected)
        return self._connected[0]

    def _broken(self, reason: str) -> ConnectionBroken:
        return ConnectionBroken(
            f"the connection to {self._host} port {self._port} broke: {reason}",
            "try again; the broker disconnects clients for damaged messages and for partitions that it does not have",
            host=self._host,
            port=self._port,
        )


def _receive(connected: socket.socket, size_bytes: int) -> bytearray:
    received = bytearray(size_bytes)
    view = memoryview(received)
    while view:
        count = connected.recv_into(view)
        if count == 0:
            raise EOFError("the broker closed the connection")
        view = view[count:]
    return received
