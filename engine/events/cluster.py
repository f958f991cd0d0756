"""Events of the cluster as a whole: checkpoints, topics, brokers, and truncated logs."""

from typing import Any

from engine.events.base import Event, event


@event
class Checkpoint(Event):
    """The full state at this point of the journal: a late reader starts here.

    ``cause`` is ``start``, ``reset``, ``periodic`` or ``fork``. A periodic checkpoint equals the state that a reader
    has folded already; the others replace that state.
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
    """A broker flushed its logs and stopped; its registry nodes are deleted."""

    broker: int


@event
class BrokerCrashed(Event):
    """A broker crashed; its unflushed bytes are lost, its registry nodes stay until its session expires."""

    broker: int
    session_expires_at_us: int


@event
class BrokerStarted(Event):
    """A broker is back and has recovered its logs."""

    broker: int


@event
class LogCut(Event):
    """A log was truncated.

    ``cause`` is ``crash`` (unflushed bytes) or ``recovery`` (everything from the first bad entry on).
    """

    topic: str
    partition: int
    broker: int
    cause: str
    next_offset: int
    bytes_cut: int
    messages_cut: int
