"""A viewer: one reader of a room's journal, with an offset and a credit of its own."""

import threading
from collections import deque
from typing import Protocol

from engine.errors import OffsetscopeError
from webapp.errors import RoomSuspended
from webapp.feed.frames import Frame, close_frame, error_frame
from webapp.feed.source import Source
from webapp.room.pace import ClockFacts

ANSWERS_AT_MOST = 64
GOING_AWAY = 1001
POLICY_VIOLATION = 1008
TRY_AGAIN_LATER = 1013


class Outlet(Protocol):
    """The destination of a viewer's bytes: a non-blocking socket."""

    def send_some(self, data: bytes | memoryview) -> int:
        """Send what fits now and return its size; raises ``BlockingIOError`` if nothing fits, ``OSError`` if closed."""

    def stop_receiving(self) -> None:
        """Stop receiving from the client: a thread that waits for its next message is released with an error."""


class Viewer:
    """One reader of a feed: its outlet, its offset in the journal, and the rest of its credit.

    Bytes that the outlet did not take yet are the *tail*. A frame is always finished before the next begins, whichever
    thread sends. A slow viewer just lags: while there is a tail, nothing new is read for it.
    All methods may be called from any thread.
    """

    def __init__(self, source: Source, outlet: Outlet) -> None:
        self.source = source
        self.lock = threading.RLock()
        self.offset = 0
        self.credit_bytes = 0
        self.is_credit_whole = False
        self.takes_digests = False
        self.has_summary = False
        self.owes_frame = False
        self.knows_credit_is_short = False
        self.last_clock: tuple[float, bool, bool, bool] = (0.0, False, False, False)
        self.last_frame_at_s = 0.0
        self._outlet = outlet
        self._tail: deque[memoryview] = deque()
        self._is_closing = False

    def pull(self, offset: int, max_bytes: int, *, takes_digests: bool = False) -> None:
        """Move to ``offset`` with a new credit; this replaces the pull before."""
        with self.lock:
            self.has_summary &= offset == self.offset
            self.offset = offset
            self.takes_digests = takes_digests
            self.credit_bytes = max_bytes
            self.is_credit_whole = True
            self.owes_frame = True
            self.knows_credit_is_short = False

    def drop_pull(self) -> None:
        """Send nothing more until the next pull."""
        with self.lock:
            self.credit_bytes = 0
            self.owes_frame = False

    def take(self, frame: Frame, clock: ClockFacts, at_s: float) -> None:
        """Send a frame of the journal, move to its end and reduce the credit."""
        with self.lock:
            assert frame.offset == self.offset
            assert 0 <= frame.cost_bytes <= self.credit_bytes, "a viewer gets no more than its credit"
            self.offset = frame.next_offset
            self.credit_bytes -= frame.cost_bytes
            if frame.cost_bytes:
                self.has_summary = frame.is_summary
                self.is_credit_whole = False
                self.knows_credit_is_short = False
            self.owes_frame = False
            self.last_clock = clock.look
            self.last_frame_at_s = at_s
            self._send(frame.data)

    def say(self, data: bytes) -> None:
        """Send a response after everything that was sent before.

        Nothing is sent to a viewer that is being closed; one that does not read its responses is closed.
        """
        with self.lock:
            if len(self._tail) > ANSWERS_AT_MOST:
                self.end(POLICY_VIOLATION, "answers are not being read")
            self._send(data)

    def refuse(self, error: OffsetscopeError) -> None:
        """Send an error. A suspended room is restored as another object, so its viewer must reconnect."""
        self.say(error_frame(error))
        if isinstance(error, RoomSuspended):
            self.end(TRY_AGAIN_LATER, error.code)

    def end(self, code: int, reason: str) -> None:
        """Send a close frame as the last one."""
        with self.lock:
            self._send(close_frame(code, reason))
            self._is_closing = True
            self.credit_bytes = 0
            self._outlet.stop_receiving()

    def flush(self) -> bool:
        """Send as much of the tail as fits now; return whether all of it was sent."""
        with self.lock:
            while self._tail:
                try:
                    sent = self._outlet.send_some(self._tail[0])
                except BlockingIOError:
                    return False
                except OSError:
                    self._drop_all()
                    return True
                if sent < len(self._tail[0]):
                    self._tail[0] = self._tail[0][sent:]
                else:
                    self._tail.popleft()
            return True

    @property
    def is_closing(self) -> bool:
        """Whether its last frame was sent, or its connection is closed."""
        return self._is_closing

    def _send(self, data: bytes) -> None:
        if not self._is_closing:
            self._tail.append(memoryview(data))
            self.flush()

    def _drop_all(self) -> None:
        self._tail.clear()
        self._is_closing = True
        self.credit_bytes = 0
        self._outlet.stop_receiving()
