"""The feed: a viewer pulls the journal over a WebSocket at its own offset, as a consumer fetches a partition."""

from collections.abc import Callable
from typing import Protocol

from engine.errors import OffsetscopeError
from webapp.feed.broadcaster import Broadcaster
from webapp.feed.connection import ConnectionGone
from webapp.feed.pulls import parse_pull
from webapp.feed.source import Source
from webapp.feed.viewer import Outlet, Viewer

FAREWELL_S = 0.5


class Duplex(Outlet, Protocol):
    """A connection that receives messages and sends bytes."""

    def receive(self) -> str | bytes:
        """Return the next message; raises :class:`ConnectionGone` when there will be none."""

    def send_all_through(self, say: Callable[[bytes], None]) -> None:
        """Send the connection's own frames (responses to pings and to a close) through ``say`` from now on."""

    def finish(self, *, within_s: float) -> None:
        """Wait for the client's close frame, at most ``within_s``, and end the connection."""


def feed(connection: Duplex, source: Source, broadcaster: Broadcaster) -> None:
    """Serve one viewer until it leaves: turn its frames into pulls, and respond to invalid ones with errors."""
    viewer = Viewer(source, connection)
    connection.send_all_through(viewer.say)
    broadcaster.join(viewer)
    try:
        while True:
            take_in(viewer, connection.receive())
            broadcaster.wake(viewer)
    except ConnectionGone:
        connection.finish(within_s=FAREWELL_S)
    finally:
        broadcaster.leave(viewer)


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
