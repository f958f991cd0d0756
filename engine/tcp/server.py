"""The broker's event loop: one thread, non-blocking sockets (0.7: network/SocketServer.scala has several threads)."""

import logging
import selectors
import signal
import socket
from collections.abc import Callable
from types import FrameType
from typing import Final

from engine.broker.request_handler import RequestHandler
from engine.errors import OffsetscopeError
from engine.protocol.requests import ProduceRequest
from engine.tcp.client_log import ClientLog
from engine.tcp.connection import Connection
from engine.tcp.partition_logs import PartitionLogs
from engine.tcp.platform import OUT_OF_HANDLES, STOP_SIGNALS
from engine.tcp.produce_run import ProduceRun
from engine.tcp.settings import ConnectionLimits

RECEIVE_BYTES: Final = 256 * 1024
TURN_S: Final = 0.01

logger = logging.getLogger(__name__)


class BrokerServer:
    """A server for the connections on a listening socket, each served in turn.

    A client that violates the protocol loses its own connection; no other is affected. ``clock`` returns monotonic
    seconds.
    """

    def __init__(
        self,
        listening: socket.socket,
        logs: PartitionLogs,
        handler: RequestHandler,
        client_log: ClientLog,
        limits: ConnectionLimits,
        clock: Callable[[], float],
    ) -> None:
        self._listening = listening
        self._logs = logs
        self._handler = handler
        self._client_log = client_log
        self._limits = limits
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._connections: set[Connection] = set()
        self._backlog: set[Connection] = set()  # those with work left when their turn ended
        self._buffered_bytes = 0
        self._buffer = memoryview(bytearray(RECEIVE_BYTES))
        self._next_sweep_s = clock() + limits.sweep_s
        self._wake_in, self._wake_out = socket.socketpair()
        self._woken_by_signals = False
        self._stopping = False
        for each in (listening, self._wake_in, self._wake_out):
            each.settimeout(0)
        self._selector.register(listening, selectors.EVENT_READ)
        self._selector.register(self._wake_in, selectors.EVENT_READ)

    @property
    def clients(self) -> int:
        """The number of open connections."""
        return len(self._connections)

    def stop(self) -> None:
        """Make :meth:`run` return; may be called from another thread."""
        self._wake_out.send(b"\0")

    def stop_on_signals(self) -> None:
        """Stop at SIGTERM, SIGINT and, on Windows, SIGBREAK; for the main thread alone."""

        def do_nothing(number: int, frame: FrameType | None) -> None:
            """Do nothing: the byte that the system writes for each signal wakes the loop."""

        self._woken_by_signals = True
        signal.set_wakeup_fd(self._wake_out.fileno(), warn_on_full_buffer=False)
        for number in STOP_SIGNALS:
            signal.signal(number, do_nothing)

    def run(self) -> None:
        """Serve until stopped, then close all connections. The logs stay open."""
        try:
            while not self._stopping:
                self._turn()
        finally:
            self._close_all()

    def _turn(self) -> None:
        for key, events in self._selector.select(self._wait_s()):
            if key.fileobj is self._listening:
                self._accept()
            elif key.fileobj is self._wake_in:
                self._stopping = True
            else:
                self._serve(key.data, events)
        for connection in list(self._backlog):
            self._serve(connection, 0)
        now_s = self._clock()
        if self._logs.due_s <= now_s:
            self._logs.do_what_is_due()
        if self._next_sweep_s <= now_s:
            self._next_sweep_s = now_s + self._limits.sweep_s
            self._sweep(now_s)

    def _wait_s(self) -> float:
        """Return how long the loop may wait for events."""
        if self._backlog:
            return 0.0
        return max(0.0, min(self._next_sweep_s, self._logs.due_s) - self._clock())

    # --- connecting and disconnecting ---

    def _accept(self) -> None:
        try:
            connected, address = self._listening.accept()
        except BlockingIOError:
            return
        except OSError as error:
            self._client_log.warning(f"cannot accept a connection: {error}")
            if error.errno in OUT_OF_HANDLES:
                self._make_room()
            return
        if len(self._connections) >= self._limits.connections and not self._make_room():
            self._client_log.warning(f"{address[0]} was refused: {len(self._connections)} clients are connected")
            connected.close()
            return
        connected.settimeout(0)
        try:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError:  # macOS refuses it on a connection that its client has reset already
            connected.close()
            return
        run = ProduceRun(self._logs, self._client_log.warning)
        connection = Connection(connected, f"{address[0]} port {address[1]}", run, self._limits, self._clock())
        self._connections.add(connection)
        self._selector.register(connected, connection.interest, connection)

    def _make_room(self) -> bool:
        """Close the connection that has gone longest without a response, unless all are busy; return whether it did."""
        quietest = min(self._connections, key=lambda each: each.answered_s, default=None)
        if quietest is None or self._clock() - quietest.answered_s < self._limits.settled_s:
            return False
        self._disconnect(quietest, "was disconnected to make room for another client")
        return True

    def _sweep(self, now_s: float) -> None:
        for connection in [each for each in self._connections if each.deadline_s <= now_s]:
            self._disconnect(connection, "was disconnected: silent or slow for too long")

    def _disconnect(self, connection: Connection, reason: str) -> None:
        self._client_log.warning(f"{connection.peer} {reason}")
        self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._connections.discard(connection)
        self._backlog.discard(connection)
        self._buffered_bytes -= connection.counted_bytes
        self._selector.unregister(connection.socket)
        connection.close()

    def _close_all(self) -> None:
        for connection in list(self._connections):
            self._close(connection)
        self._selector.close()
        if self._woken_by_signals:  # its number may be reused for another file, to which no signal may write
            signal.set_wakeup_fd(-1)
        for each in (self._listening, self._wake_in, self._wake_out):
            each.close()

    # --- one client's turn ---

    def _serve(self, connection: Connection, events: int) -> None:
        if connection not in self._connections:
            return  # it was closed earlier in this turn
        try:
            self._exchange(connection, events)
        except (EOFError, OSError):
            self._close(connection)
        except OffsetscopeError as error:
            self._disconnect(connection, f"was disconnected: {error.message}")
        except Exception:
            logger.exception("internal error while serving %s", connection.peer)
            self._close(connection)
        else:
            self._count(connection)

    def _count(self, connection: Connection) -> None:
        """Update the total size of unfinished requests; over the limit, close the connection that holds most of it."""
        self._buffered_bytes += connection.held_bytes - connection.counted_bytes
        connection.counted_bytes = connection.held_bytes
        if self._buffered_bytes > self._limits.buffered_max_bytes:
            largest = max(self._connections, key=lambda each: each.counted_bytes)
            self._disconnect(largest, f"was disconnected: held {largest.counted_bytes} bytes, over the limit for all")

    def _exchange(self, connection: Connection, events: int) -> None:
        """Send, receive and serve requests, within one turn."""
        now_s = self._clock()
        if events & selectors.EVENT_WRITE:
            connection.send(now_s)
        if events & selectors.EVENT_READ and connection not in self._backlog:
            connection.receive(self._buffer, now_s)
        self._answer(connection)
        if connection.interest != connection.wanted:
            connection.interest = connection.wanted
            self._selector.modify(connection.socket, connection.interest, connection)

    def _answer(self, connection: Connection) -> None:
        """Serve requests, step by step, until a response has to wait for the client or the turn is over.

        Consecutive produce requests are appended to the log together, at the latest at the end of the turn.
        """
        end_s = self._clock() + TURN_S
        try:
            while connection.outbox.is_empty and connection.has_step():
                self._take(connection)
                now_s = self._clock()
                connection.done(now_s)
                if now_s > end_s:
                    break
        finally:
            while not (appended_all := connection.run.append_some()) and self._clock() < end_s:
                pass
        if appended_all and not (connection.outbox.is_empty and connection.has_step()):
            self._backlog.discard(connection)
        else:
            self._backlog.add(connection)

    def _take(self, connection: Connection) -> None:
        """Serve the next step, or do what must precede it."""
        step = connection.step
        if isinstance(step, ProduceRequest):
            partition = self._handler.destination(step)
            if connection.run.takes(partition, step.message_set):
                connection.run.add(partition, step.message_set)
                connection.next_step()
                return
        elif connection.run.append_some():
            connection.outbox.put(self._handler.answer(step))
            connection.next_step()
            connection.send(self._clock())
            return
        connection.run.append_some()
