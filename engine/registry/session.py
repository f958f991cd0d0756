"""A process's session with the registry: requested, renewed by heartbeats, and ended when its lease runs out.

The registry ends a session one timeout after it last *heard* from the client. The client counts from when it *sent*
the last heartbeat that the registry responded to, which is never later. So a client that is cut off ends its session
before the registry gives its partitions to another.

A heartbeat also carries the number of the last watch notification received, so that the registry resends one that the
network lost during the session.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.config import NEVER_US
from engine.registry import operations as ops
from engine.runtime.scheduler import Timer, Timers

NO_SESSION = 0
NO_WATCH = 0


@dataclass(frozen=True, slots=True)
class SessionListener:
    """The callbacks of a session's owner."""

    on_open: Callable[[], None]
    on_lost: Callable[[], None]
    on_closed: Callable[[], None]


class Session:
    """A client's session, at most one at a time; ``send`` sends a message to the registry."""

    def __init__(
        self,
        client: str,
        timers: Timers,
        send: Callable[[object], None],
        heartbeat_interval_us: int,
        timeout_us: int,
        listener: SessionListener,
    ) -> None:
        self.number = NO_SESSION
        self.last_watch = NO_WATCH
        self._client = client
        self._timers = timers
        self._send = send
        self._heartbeat_interval_us = heartbeat_interval_us
        self._timeout_us = timeout_us
        self._listener = listener
        self._lease_ends_us = -NEVER_US
        self._closing = False
        self._open_timer: Timer | None = None
        self._heartbeat_timer: Timer | None = None

    def open(self) -> None:
        """Request a session, and repeat the request after each timeout until one is granted."""
        self._send(ops.OpenSession(self._client, self._timers.now_us))
        self._open_timer = self._timers.after(self._timeout_us, self._open_again)

    def close(self) -> None:
        """Close the session; ``on_closed`` is called on the registry's response, or when the lease has run out."""
        self._closing = True
        if self.number != NO_SESSION:
            self._send(ops.CloseSession(self.number))

    def abandon(self) -> None:
        """Stop sending; the registry keeps the session until it expires."""
        for timer in (self._open_timer, self._heartbeat_timer):
            if timer is not None:
                timer.cancel()

    def check_lease(self) -> None:
        """Treat the session as lost if its lease has run out: the registry may have ended it."""
        if self.number != NO_SESSION and self._timers.now_us >= self._lease_ends_us:
            self._lose()

    def receive(self, message: Any) -> bool:
        """Process a response about the session; return ``False`` for any other message."""
        match message:
            case ops.SessionGranted(session=session, sent_us=sent_us):
                self._accept(session, sent_us)
            case ops.HeartbeatResponse(session=session, sent_us=sent_us):
                if session == self.number:
                    self._lease_ends_us = sent_us + self._timeout_us
            case ops.SessionGone(session=session):
                if session == self.number != NO_SESSION:
                    self._lose()
            case _:
                return False
        return True

    def _accept(self, session: int, sent_us: int) -> None:
        """Take the session, unless there is one already or its lease has run out on the way: then it is left to expire.

        In the second case the next request is sent when the first one times out, not at once: on a link slower than the
        session timeout, requesting at once would repeat without end.
        """
        lease_ends_us = sent_us + self._timeout_us
        if self.number != NO_SESSION or self._timers.now_us >= lease_ends_us:
            return
        self.number = session
        self._lease_ends_us = lease_ends_us
        if self._open_timer is not None:
            self._open_timer.cancel()
        self._send_heartbeat()
        if self._closing:
            self._send(ops.CloseSession(session))
        else:
            self._listener.on_open()

    def _open_again(self) -> None:
        if self._closing:
            self._listener.on_closed()
        else:
            self.open()

    def _send_heartbeat(self) -> None:
        """Send a heartbeat, and schedule the next check no later than the end of the lease."""
        self.check_lease()
        if self.number == NO_SESSION:
            return
        if not self._closing:
            self._send(ops.Heartbeat(self.number, self._timers.now_us, self.last_watch))
        next_us = min(self._timers.now_us + self._heartbeat_interval_us, self._lease_ends_us)
        self._heartbeat_timer = self._timers.at(next_us, self._send_heartbeat)

    def _lose(self) -> None:
        self.number = NO_SESSION
        self.abandon()
        if self._closing:
            self._listener.on_closed()
        else:
            self._listener.on_lost()
