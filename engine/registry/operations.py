"""What clients ask of the registry, and what they hear back."""

from engine.errors import OffsetscopeError
from engine.values import value


@value
class Create:
    """Add a node; an ephemeral one dies with the session that asks."""

    path: str
    value: str
    ephemeral: bool


@value
class Get:
    """Read a node's value."""

    path: str


@value
class Put:
    """Set a persistent node's value, creating it where it misses; ``commit`` numbers a consumer's commit (0: none)."""

    path: str
    value: str
    commit: int


@value
class DeleteOwn:
    """Remove a node if it still holds ``value``: nobody removes another's claim (0.7's KAFKA-262)."""

    path: str
    value: str


@value
class WatchChildren:
    """List a node's children and be told, once, when that list changes."""

    path: str


Operation = Create | Get | Put | DeleteOwn | WatchChildren
Outcome = str | tuple[str, ...] | OffsetscopeError


@value
class OpenSession:
    """A client introduces itself; ``sent_us`` comes back with the answer, as with a heartbeat."""

    client: str
    sent_us: int


@value
class SessionGranted:
    """The number of the session that the registry opened."""

    session: int
    sent_us: int


@value
class Heartbeat:
    """A client lives, or did at ``sent_us``, and of the notices sent to it has heard up to ``last_watch``."""

    session: int
    sent_us: int
    last_watch: int


@value
class HeartbeatHeard:
    """The registry has heard the heartbeat sent at ``sent_us``: the session lasts at least a timeout from then."""

    session: int
    sent_us: int


@value
class CloseSession:
    """A client goes; its ephemeral nodes go with it."""

    session: int


@value
class SessionGone:
    """The registry no longer has the session: it was closed as asked, or it expired."""

    session: int
    expired: bool


@value
class Request:
    """Operations in one message, done in order."""

    session: int
    request: int
    operations: tuple[Operation, ...]


@value
class Response:
    """The outcomes of a request's operations, in order."""

    session: int
    request: int
    outcomes: tuple[Outcome, ...]


@value
class WatchNotice:
    """The children of ``path`` have changed since the client listed them."""

    watch: int
    path: str
