"""The cluster as a whole: checkpoints, topics, brokers, and the ends of logs that go."""

from typing import Any

from engine.events.base import Event, event


@event
class Checkpoint(Event):
    """The full state at this point of the journal: a late reader starts here.

    ``cause`` is ``start``, ``reset``, ``periodic`` or ``fork``. A periodic one equals what a reader has folded
    already; the others replace it.
    """

    cause: str
    state: dict[str, Any]


@event
class TopicAdded(Event):
    """A topic was created; ``brokers[p]`` holds partition ``p``."""

    topic: str
    brokers: tuple[int, ...]


@event
class BrokerAdded(Event):
    """A broker joined the cluster and is alive."""

    broker: int


@event
class BrokerStopped(Event):
    """A broker flushed its logs and went, taking its registry nodes with it."""

    broker: int


@event
class BrokerCrashed(Event):
    """A broker died; its unflushed bytes are gone, its registry nodes stand until the session runs out."""

    broker: int
    session_expires_at_us: int


@event
class BrokerStarted(Event):
    """A broker is back and has recovered its logs."""

    broker: int


@event
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
