"""Events of the registry: sessions, nodes and watches."""

from engine.events.base import Event, event


@event
class SessionOpened(Event):
    """The registry opened a session for a client."""

    session: int
    client: str


@event
class SessionClosed(Event):
    """A client closed its session; its ephemeral nodes are deleted."""

    session: int
    client: str


@event
class SessionExpired(Event):
    """No heartbeat arrived for a session timeout; the session's ephemeral nodes are deleted."""

    session: int
    client: str


@event
class NodeCreated(Event):
    """A registry node was created; ``client`` owns it if it is ephemeral, and is "" if it is persistent."""

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
    """A registry node was deleted: ``cause`` is ``deleted``, ``session_closed`` or ``session_expired``."""

    path: str
    cause: str


@event
class WatchSet(Event):
    """A session set a watch, which fires once, on the children of ``path``; it had none there."""

    path: str
    session: int
    client: str


@event
class WatchFired(Event):
    """The registry sent a watch notification to a client, once: what it watched has changed."""

    due_us: int
    watch: int
    path: str
    client: str


@event
class WatchDelivered(Event):
    """A watch notification reached its client."""

    watch: int
