"""Groups and consumers: their lives, their pulls, their work and their bookmarks."""

from dataclasses import dataclass
from typing import Any

from engine.events.base import Event


@dataclass(frozen=True, slots=True)
class GroupAdded(Event):
    """A consumer group has a name now; it has no members yet."""

    group: str


@dataclass(frozen=True, slots=True)
class ConsumerAdded(Event):
    """A consumer process started in a group, with ``streams`` streams (see ``config.ConsumerSettings``)."""

    group: str
    consumer: str
    streams: int
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConsumerChanged(Event):
    """A consumer's settings are now these."""

    group: str
    consumer: str
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ConsumerPaused(Event):
    """A consumer keeps what it owns but works and pulls no more."""

    group: str
    consumer: str


@dataclass(frozen=True, slots=True)
class ConsumerResumed(Event):
    """A paused consumer works again."""

    group: str
    consumer: str


@dataclass(frozen=True, slots=True)
class ConsumerFrozen(Event):
    """A consumer process stands still (a long pause of its runtime) until ``until_us``, and does not know it."""

    group: str
    consumer: str
    until_us: int


@dataclass(frozen=True, slots=True)
class ConsumerClosing(Event):
    """A consumer was asked to stop: it commits, then closes its session."""

    group: str
    consumer: str


@dataclass(frozen=True, slots=True)
class ConsumerClosed(Event):
    """A consumer left in good order; the registry has dropped its nodes."""

    group: str
    consumer: str


@dataclass(frozen=True, slots=True)
class ConsumerRemoved(Event):
    """A consumer that had ended before (closed, or crashed and expired) is no longer listed."""

    group: str
    consumer: str


@dataclass(frozen=True, slots=True)
class ConsumerCrashed(Event):
    """A consumer process died; the registry will notice when its session runs out."""

    group: str
    consumer: str
    session_expires_at_us: int


@dataclass(frozen=True, slots=True)
class FetchSent(Event):
    """A pull left a consumer: ``max_bytes`` of the partition from ``offset`` on."""

    due_us: int
    fetch: int
    group: str
    consumer: str
    topic: str
    partition: int
    broker: int
    offset: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class FetchAnswered(Event):
    """A broker read ``bytes`` bytes of its file and sent them back; ``error`` is "" or an error's code."""

    due_us: int
    fetch: int
    group: str
    consumer: str
    topic: str
    partition: int
    broker: int
    offset: int
    bytes: int
    error: str


@dataclass(frozen=True, slots=True)
class FetchReceived(Event):
    """The bytes of a pull are at the consumer, whose fetch position is now ``next_offset``.

    ``messages`` is how many whole messages they held; a trailing part of one is dropped and pulled again.
    """

    fetch: int
    group: str
    consumer: str
    topic: str
    partition: int
    offset: int
    next_offset: int
    messages: int
    bytes: int


@dataclass(frozen=True, slots=True)
class FetchFailed(Event):
    """A pull came to nothing.

    ``reason`` is ``broker_down``, ``timeout``, ``consumer_gone``, or ``stopped``: the consumer no longer wanted it,
    for it had released the partition or sought elsewhere.
    """

    fetch: int
    group: str
    consumer: str
    topic: str
    partition: int
    reason: str


@dataclass(frozen=True, slots=True)
class MessagesConsumed(Event):
    """The application behind a consumer is done with [offset, next_offset)."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int
    next_offset: int
    messages: int


@dataclass(frozen=True, slots=True)
class MessagesTaken(Event):
    """The application behind a consumer begins to work on messages whose position has moved already.

    Only where positions move before the work (0.7); a crash in between loses these messages.
    """

    group: str
    consumer: str
    topic: str
    partition: int
    next_offset: int
    messages: int


@dataclass(frozen=True, slots=True)
class MessageRejected(Event):
    """A consumer met bytes it cannot trust and reads this partition no further until someone seeks past them."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int
    error: str


@dataclass(frozen=True, slots=True)
class PullingStarted(Event):
    """A consumer owns the partition, has read the stored offset and pulls from there."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class PullingStopped(Event):
    """A consumer pulls the partition no more; what it had fetched but not processed is dropped."""

    group: str
    consumer: str
    topic: str
    partition: int


@dataclass(frozen=True, slots=True)
class CommitSent(Event):
    """A consumed position is on its way to the registry."""

    due_us: int
    commit: int
    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class CommitLanded(Event):
    """A commit reached the registry (or, with ``reason``, did not count)."""

    commit: int
    reason: str


@dataclass(frozen=True, slots=True)
class OffsetSought(Event):
    """Somebody moved a group's bookmark by hand; ``consumer`` is the owner that jumps ("" when nobody owns)."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class OffsetReset(Event):
    """A consumer's position was out of the log's range and was set anew (autooffset.reset)."""

    group: str
    consumer: str
    topic: str
    partition: int
    out_of_range_offset: int
    offset: int
