"""The registry: sessions, nodes and watches."""

from engine.events.base import Event, event


@event
class SessionOpened(Event):
    """The registry gave a client a session."""

    session: int
    client: str


@event
class SessionClosed(Event):
    """A client closed its session; its ephemeral nodes go with it."""

    session: int
    client: str


@event
class SessionExpired(Event):
    """The registry heard nothing for a session timeout; the session's ephemeral nodes go."""

    session: int
    client: str


@event
class NodeCreated(Event):
    """A registry node appeared; ``client`` holds it if it is ephemeral, and is "" if it is persistent."""

    path: str
    value: str
    client: str


@event
class NodeChanged(Event):
    """A registry node has a new value."""

    path: str
    value: str


@event
class NodeDeleted(Event):
    """A registry node vanished: ``cause`` is ``deleted``, ``session_closed`` or ``session_expired``."""

    path: str
    cause: str


@event
class WatchSet(Event):
    """A session wants to hear, once, of the next change in the children of ``path``; it has not asked before."""

    path: str
    session: int
    client: str


@event
class WatchFired(Event):
    """The registry tells a client, once, that what it watched has changed."""

    due_us: int
    watch: int
    path: str
    client: str


@event
class WatchDelivered(Event):
    """A watch's notice reached its client."""

    watch: int
