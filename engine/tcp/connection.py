"""One client's connection, as the event loop uses it."""

import selectors
import socket
from collections import deque

from engine.protocol.frames import REQUEST_MAX_BYTES, FrameBuffer
from engine.protocol.requests import Step, decode_request, steps_of
from engine.tcp.outbox import Outbox
from engine.tcp.produce_run import ProduceRun
from engine.tcp.settings import ConnectionLimits


class Connection:
    """A client's socket, its unfinished requests, its unsent responses, and its deadline.

    While there is something to send, nothing is received, as in 0.7: responses to a client that does not read cannot
    pile up here.
    """

    def __init__(
        self, connected: socket.socket, peer: str, run: ProduceRun, limits: ConnectionLimits, now_s: float
    ) -> None:
        self.socket = connected
        self.peer = peer
        self.run = run
        self._frames = FrameBuffer(REQUEST_MAX_BYTES)
        self._steps: deque[Step] = deque()
        self._steps_bytes = 0
        self.outbox = Outbox()
        self.interest = selectors.EVENT_READ
        self.counted_bytes = 0  # held_bytes as last added to the server's total
        self.answered_s = now_s  # when a request was last finished, or the connection was made
        self._limits = limits
        self._began_s = now_s
        self._moved_bytes = 0

    @property
    def wanted(self) -> int:
        """The event to wait for."""
        return selectors.EVENT_READ if self.outbox.is_empty else selectors.EVENT_WRITE

    @property
    def held_bytes(self) -> int:
        """Bytes of requests that are incomplete or unfinished."""
        return self._frames.buffered_bytes + self._steps_bytes + self.run.held_bytes

    def has_step(self) -> bool:
        """Return whether there is a :attr:`step`: a complete request that is not finished.

        Raises :class:`FrameSizeRefused` and :class:`~engine.protocol.faults.MalformedRequest` for bytes
        that are not a request.
        """
        while not self._steps:
            self._steps_bytes = 0
            frame = self._frames.take()
            if not frame:
                return False
            self._steps.extend(steps_of(decode_request(frame)))
            self._steps_bytes = len(frame)
        return True

    @property
    def step(self) -> Step:
        """The next thing to serve: a request, or a part of one that is served in parts."""
        return self._steps[0]

    def next_step(self) -> None:
        """Drop the current step, which is served or queued elsewhere."""
        self._steps.popleft()

    @property
    def deadline_s(self) -> float:
        """When the client counts as too slow, or as silent for too long."""
        at_rest = self.outbox.is_empty and self.held_bytes == 0
        return self._began_s + (self._limits.idle_s if at_rest else self._limits.pace_s)

    def receive(self, buffer: memoryview, now_s: float) -> int:
        """Receive up to the size of ``buffer``; return how many bytes. Raises ``EOFError`` if the client is gone."""
        try:
            received_bytes = self.socket.recv_into(buffer)
        except BlockingIOError:
            return 0
        if received_bytes == 0:
            raise EOFError
        if self._frames.buffered_bytes == 0:
            self._begin(now_s)
        self._frames.feed(buffer[:received_bytes])
        self._note_moved(received_bytes, now_s)
        return received_bytes

    def send(self, now_s: float) -> None:
        """Send as much as the socket accepts."""
        self._note_moved(self.outbox.send(self.socket), now_s)
        if self.outbox.is_empty:
            self.done(now_s)

    def done(self, now_s: float) -> None:
        """Record that a request has its response, or needs none."""
        self.answered_s = now_s
        self._begin(now_s)

    def close(self) -> None:
        """Close the socket and the file."""
        self.outbox.close()
        self.socket.close()

    def _note_moved(self, moved_bytes: int, now_s: float) -> None:
        self._moved_bytes += moved_bytes
        if self._moved_bytes >= self._limits.pace_bytes:
            self._begin(now_s)

    def _begin(self, now_s: float) -> None:
        self._began_s = now_s
        self._moved_bytes = 0
