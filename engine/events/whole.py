"""The cluster as a whole: checkpoints, topics, brokers, and the ends of logs that go."""

from typing import Any

from engine.events.base import Event
from engine.values import value


@value
class Checkpoint(Event):
    """The full state at this point of the journal: a late reader starts here.

    ``cause`` is ``start``, ``reset``, ``periodic`` or ``fork``. A periodic one equals what a reader has folded
    already; the others replace it.
    """

    cause: str
    state: dict[str, Any]


@value
class TopicAdded(Event):
    """A topic was created; ``brokers[p]`` holds partition ``p``."""

    topic: str
    brokers: tuple[int, ...]


@value
class BrokerAdded(Event):
    """A broker joined the cluster and is alive."""

    broker: int


@value
class BrokerStopped(Event):
    """A broker flushed its logs and went, taking its registry nodes with it."""

    broker: int


@value
class BrokerCrashed(Event):
    """A broker died; its unflushed bytes are gone, its registry nodes stand until the session runs out."""

    broker: int
    session_expires_at_us: int


@value
class BrokerStarted(Event):
    """A broker is back and has recovered its logs."""

    broker: int


@value
class LogCut(Event):
    """The end of a log is gone.

    ``cause`` is ``crash`` (unflushed bytes) or ``recovery`` (everything from the first bad entry on).
    """

    topic: str
    partition: int
    broker: int
    cause: str
    next_offset: int
    bytes_cut: int
    messages_cut: int
