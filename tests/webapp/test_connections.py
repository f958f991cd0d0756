"""The limits on connections, with a clock moved by hand."""

import socket
from collections.abc import Iterator

import pytest

from webapp.connections import ConnectionLimits, Connections

LIMITS = ConnectionLimits(in_all=3, per_client=2, head_s=10)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def connections(clock: Clock) -> Connections:
    return Connections(LIMITS, now_s=clock)


@pytest.fixture
def sockets() -> Iterator[list[socket.socket]]:
    pairs = [socket.socketpair() for _ in range(4)]
    yield [ours for ours, _ in pairs]
    for pair in pairs:
        for one in pair:
            one.close()


def is_shut(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False


def test_busy_connections_are_limited_by_client_and_in_total(
    connections: Connections, sockets: list[socket.socket]
) -> None:
    def admit_busy(connection: socket.socket, address: str) -> bool:
        is_admitted = connections.admit(connection, address)
        connections.begin_request(connection)
        return is_admitted

    first, second, third, fourth = sockets
    assert admit_busy(first, "10.0.0.1")
    assert admit_busy(second, "10.0.0.1")
    assert not admit_busy(third, "10.0.0.1")
    assert admit_busy(third, "10.0.0.2")
    assert not admit_busy(fourth, "10.0.0.3")
    connections.leave(first)
    connections.leave(fourth)  # never admitted
    assert admit_busy(fourth, "10.0.0.1")
    assert connections.count() == 3


def test_a_silent_connection_is_closed_for_another_of_its_client(
    connections: Connections, sockets: list[socket.socket]
) -> None:
    busy, silent, new, _ = sockets
    connections.admit(busy, "10.0.0.1")
    connections.begin_request(busy)
    connections.admit(silent, "10.0.0.1")
    assert connections.admit(new, "10.0.0.1")
    assert [is_shut(one) for one in (busy, silent, new)] == [False, True, False]


def test_at_the_limit_of_the_server_a_silent_connection_of_the_client_with_most_is_closed(
    connections: Connections, sockets: list[socket.socket]
) -> None:
    stranger, first, second, new = sockets
    connections.admit(stranger, "10.0.0.1")
    for one in (first, second):
        connections.admit(one, "10.0.0.2")
    assert connections.admit(new, "10.0.0.3")
    assert [is_shut(one) for one in sockets] == [False, True, False, False]
    assert connections.count() == 3


def test_the_addresses_of_an_ipv6_network_are_one_client(
    connections: Connections, sockets: list[socket.socket]
) -> None:
    for number, one in enumerate(sockets[:3]):
        connections.admit(one, f"2001:db8::{number}")
    assert [is_shut(one) for one in sockets[:3]] == [True, False, False]


def test_only_silent_connections_are_closed(
    connections: Connections, sockets: list[socket.socket], clock: Clock
) -> None:
    silent, busy, _, _ = sockets
    connections.admit(silent, "10.0.0.1")
    connections.admit(busy, "10.0.0.2")
    connections.begin_request(busy)
    connections.shut_overdue()
    assert [is_shut(one) for one in (silent, busy)] == [False, False]
    clock.now_s += 10
    connections.shut_overdue()
    assert [is_shut(one) for one in (silent, busy)] == [True, False]
