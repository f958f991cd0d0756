"""The feed: a viewer pulls the journal over a WebSocket with a bookmark of its own, as a consumer pulls a partition."""

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
    """A connection that messages come in on and bytes go out on."""

    def receive(self) -> str | bytes:
        """The next message; :class:`ConnectionGone` when there will be none."""

    def send_all_through(self, say: Callable[[bytes], None]) -> None:
        """From now on the connection's own answers (to pings, to a close) go out through ``say``."""

    def finish(self, *, within_s: float) -> None:
        """Wait a little for the other side's goodbye, and end the connection."""


def feed(connection: Duplex, source: Source, broadcaster: Broadcaster) -> None:
    """Serve one viewer until it leaves: turn its frames into pulls, and bad ones into answers."""
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
    """Let one frame from the other side change the viewer's pull, or answer what is wrong with it."""
    try:
        pull = parse_pull(frame)
        moment = viewer.source.moment()
        places = {"checkpoint": moment.checkpoint_offset, "end": moment.end_offset}
        offset = places[pull.place] if isinstance(pull.place, str) else pull.place
        viewer.source.read_journal(offset, 0)  # an offset outside the journal, or inside an event, is refused here
        viewer.pull(offset, pull.max_bytes, takes_digests=pull.digest)
    except OffsetscopeError as error:
        viewer.refuse(error)
