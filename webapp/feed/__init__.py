"""The feed: a viewer pulls the journal over a WebSocket at its own offset, as a consumer fetches a partition."""

import time
from collections.abc import Callable
from math import inf
from typing import Protocol

from engine.errors import OffsetscopeError
from webapp.feed.broadcaster import Broadcaster
from webapp.feed.connection import ConnectionGone
from webapp.feed.pulls import parse_pull
from webapp.feed.source import Source
from webapp.feed.viewer import POLICY_VIOLATION, Outlet, Viewer

FAREWELL_S = 0.5
FIRST_PULL_S = 10.0
FRAMES_AT_ONCE = 200
FRAMES_PER_SECOND = 20


class Duplex(Outlet, Protocol):
    """A connection that receives messages and sends bytes."""

    def receive(self, *, within_s: float) -> str | bytes:
        """Return the next message; raises :class:`ConnectionGone` if there will be none, or none comes in time."""

    def send_all_through(self, say: Callable[[bytes], None]) -> None:
        """Send the connection's own frames (responses to pings and to a close) through ``say`` from now on."""

    def finish(self, *, within_s: float) -> None:
        """Wait for the client's close frame, at most ``within_s``, and end the connection."""


def feed(connection: Duplex, source: Source, broadcaster: Broadcaster) -> None:
    """Serve one viewer until it leaves: turn its frames into pulls, and respond to invalid ones with errors.

    A viewer that does not pull within ``FIRST_PULL_S``, or pulls far too often, is closed.
    """
    allowance = Allowance(at_once=FRAMES_AT_ONCE, per_second=FRAMES_PER_SECOND)
    viewer = Viewer(source, connection)
    connection.send_all_through(viewer.say)
    broadcaster.join(viewer)
    try:
        frame = connection.receive(within_s=FIRST_PULL_S)
        while allowance.take(time.monotonic()):
            take_in(viewer, frame)
            broadcaster.wake(viewer)
            frame = connection.receive(within_s=inf)
        viewer.end(POLICY_VIOLATION, "too many frames")
        connection.finish(within_s=FAREWELL_S)
    except ConnectionGone:
        connection.finish(within_s=FAREWELL_S)
    finally:
        broadcaster.leave(viewer)


class Allowance:
    """A bucket of so many frames ``at_once``, which is filled again at ``per_second``."""

    def __init__(self, *, at_once: int, per_second: float) -> None:
        self._at_once = at_once
        self._per_second = per_second
        self._left = float(at_once)
        self._taken_s = inf

    def take(self, now_s: float) -> bool:
        """Take one frame at ``now_s``, a monotonic time; return whether there was one left."""
        refilled = max(now_s - self._taken_s, 0.0) * self._per_second
        self._left = min(self._left + refilled, self._at_once) - 1
        self._taken_s = now_s
        return self._left >= 0


def take_in(viewer: Viewer, frame: str | bytes) -> None:
    """Take one frame of the client as the viewer's new pull, or respond with its error."""
    try:
        pull = parse_pull(frame)
        moment = viewer.source.moment()
        places = {"checkpoint": moment.checkpoint_offset, "end": moment.end_offset}
        offset = places[pull.place] if isinstance(pull.place, str) else pull.place
        viewer.source.read_journal(offset, 0)  # raises for an offset outside the journal or inside an event
        viewer.pull(offset, pull.max_bytes, takes_digests=pull.digest)
    except OffsetscopeError as error:
        viewer.refuse(error)
