"""What clients ask of the registry, and what they hear back."""

from dataclasses import dataclass

from engine.errors import OffsetscopeError


@dataclass(frozen=True, slots=True)
class Create:
    """Add a node; an ephemeral one dies with the session that asks."""

    path: str
    value: str
    ephemeral: bool


@dataclass(frozen=True, slots=True)
class Get:
    """Read a node's value."""

    path: str


@dataclass(frozen=True, slots=True)
class Put:
    """Set a persistent node's value, creating it where it misses; ``commit`` numbers a consumer's commit (0: none)."""

    path: str
    value: str
    commit: int


@dataclass(frozen=True, slots=True)
class DeleteOwn:
    """Remove a node if it still holds ``value``: nobody removes another's claim (0.7's KAFKA-262)."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class WatchChildren:
    """List a node's children and be told, once, when that list changes."""

    path: str


Operation = Create | Get | Put | DeleteOwn | WatchChildren
Outcome = str | tuple[str, ...] | OffsetscopeError


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A client introduces itself; ``sent_us`` comes back with the answer, as with a heartbeat."""

    client: str
    sent_us: int


@dataclass(frozen=True, slots=True)
class SessionGranted:
    """The number of the session that the registry opened."""

    session: int
    sent_us: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A client lives, or did at ``sent_us``, and of the notices sent to it has heard up to ``last_watch``."""

    session: int
    sent_us: int
    last_watch: int


@dataclass(frozen=True, slots=True)
class HeartbeatHeard:
    """The registry has heard the heartbeat sent at ``sent_us``: the session lasts at least a timeout from then."""

    session: int
    sent_us: int


@dataclass(frozen=True, slots=True)
class CloseSession:
    """A client goes; its ephemeral nodes go with it."""

    session: int


@dataclass(frozen=True, slots=True)
class SessionGone:
    """The registry no longer has the session: it was closed as asked, or it expired."""

    session: int
    expired: bool


@dataclass(frozen=True, slots=True)
class Request:
    """Operations in one message, done in order."""

    session: int
    request: int
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Response:
    """The outcomes of a request's operations, in order."""

    session: int
    request: int
    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True, slots=True)
class WatchNotice:
    """The children of ``path`` have changed since the client listed them."""

    watch: int
    path: str
