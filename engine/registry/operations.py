"""The operations, requests and responses between clients and the registry."""

from engine.errors import OffsetscopeError
from engine.values import value


@value
class Create:
    """An operation that adds a node; an ephemeral node is deleted when the session that created it ends."""

    path: str
    value: str
    ephemeral: bool


@value
class Get:
    """An operation that reads a node's value."""

    path: str


@value
class Put:
    """An operation that sets a persistent node, or creates it; ``commit`` numbers a consumer's commit (0: none)."""

    path: str
    value: str
    commit: int


@value
class DeleteOwn:
    """An operation that removes a node if it still holds ``value``, not another's claim (0.7's KAFKA-262)."""

    path: str
    value: str


@value
class WatchChildren:
    """An operation that lists a node's children and sets a one-time watch on that list."""

    path: str


Operation = Create | Get | Put | DeleteOwn | WatchChildren
Outcome = str | tuple[str, ...] | OffsetscopeError


@value
class OpenSession:
    """A request for a session; the response returns ``sent_us``, as for a heartbeat."""

    client: str
    sent_us: int


@value
class SessionGranted:
    """The response to :class:`OpenSession`, with the number of the new session."""

    session: int
    sent_us: int


@value
class Heartbeat:
    """A sign that a client was running at ``sent_us``, and had received watch notifications up to ``last_watch``."""

    session: int
    sent_us: int
    last_watch: int


@value
class HeartbeatResponse:
    """The response to the heartbeat sent at ``sent_us``: the session lasts at least one timeout from then."""

    session: int
    sent_us: int


@value
class CloseSession:
    """A request to end a session; its ephemeral nodes are deleted with it."""

    session: int


@value
class SessionGone:
    """A notice that the registry no longer has the session: it was closed on request, or it expired."""

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
    """A watch notification: the children of ``path`` have changed since the client listed them.

    A ``repeated`` one has no flight of its own, so only the client that receives it reports it.
    """

    watch: int
    path: str
    repeated: bool = False
