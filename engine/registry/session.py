"""A process's session with the registry: asked for, kept by heartbeats, given up in time.

The registry ends a session one timeout after it last *heard* from the client. The client counts from when it *sent*
the heartbeat that the registry answered last, which is never later. So a client that is cut off gives itself up
before the registry gives its partitions to another.

A heartbeat also says which watch's notice was the last to arrive, so that the registry sends one again that the wire
has lost while the session lived on.
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
    """What its owner wants to hear of a session."""

    on_open: Callable[[], None]
    on_lost: Callable[[], None]
    on_closed: Callable[[], None]


class Session:
    """One client's session, at most one at a time; ``send`` puts a message on the wire to the registry."""

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
        self._asking: Timer | None = None
        self._beating: Timer | None = None

    def open(self) -> None:
        """Ask for a session, again and again until there is one."""
        self._send(ops.OpenSession(self._client, self._timers.now_us))
        self._asking = self._timers.after(self._timeout_us, self._ask_again)

    def close(self) -> None:
        """Give the session back; ``on_closed`` comes with the registry's word, or when the lease has run out."""
        self._closing = True
        if self.number != NO_SESSION:
            self._send(ops.CloseSession(self.number))

    def abandon(self) -> None:
        """Say nothing more; the registry keeps the session until it expires."""
        for timer in (self._asking, self._beating):
            if timer is not None:
                timer.cancel()

    def check_lease(self) -> None:
        """Give the session up if the registry may have done so."""
        if self.number != NO_SESSION and self._timers.now_us >= self._lease_ends_us:
            self._lose()

    def heard(self, message: Any) -> bool:
        """Take an answer about the session; ``False`` if the message is about something else."""
        match message:
            case ops.SessionGranted(session=session, sent_us=sent_us):
                self._take(session, sent_us)
            case ops.HeartbeatHeard(session=session, sent_us=sent_us):
                if session == self.number:
                    self._lease_ends_us = sent_us + self._timeout_us
            case ops.SessionGone(session=session):
                if session == self.number != NO_SESSION:
                    self._lose()
            case _:
                return False
        return True

    def _take(self, session: int, sent_us: int) -> None:
        """An answer to an earlier question, when we have a session already, is left to expire."""
        if self.number != NO_SESSION:
            return
        self.number = session
        self._lease_ends_us = sent_us + self._timeout_us
        if self._asking is not None:
            self._asking.cancel()
        self._beat()
        if self._closing:
            self._send(ops.CloseSession(session))
        else:
            self._listener.on_open()

    def _ask_again(self) -> None:
        if self._closing:
            self._listener.on_closed()
        else:
            self.open()

    def _beat(self) -> None:
        """Renew the session; look at the lease at the latest when it ends."""
        self.check_lease()
        if self.number == NO_SESSION:
            return
        if not self._closing:
            self._send(ops.Heartbeat(self.number, self._timers.now_us, self.last_watch))
        next_us = min(self._timers.now_us + self._heartbeat_interval_us, self._lease_ends_us)
        self._beating = self._timers.at(next_us, self._beat)

    def _lose(self) -> None:
        self.number = NO_SESSION
        self.abandon()
        if self._closing:
            self._listener.on_closed()
        else:
            self._listener.on_lost()
