"""Groups and consumers: their lives, their pulls, their work and their bookmarks."""

from typing import Any

from engine.events.base import Event, event


@event
class GroupAdded(Event):
    """A consumer group has a name now, and reads ``topics``; it has no members yet."""

    group: str
    topics: tuple[str, ...]


@event
class ConsumerAdded(Event):
    """A consumer process started in a group, with ``streams`` streams (see ``config.ConsumerSettings``)."""

    group: str
    consumer: str
    streams: int
    settings: dict[str, Any]


@event
class ConsumerChanged(Event):
    """A consumer's settings are now these."""

    group: str
    consumer: str
    settings: dict[str, Any]


@event
class ConsumerPaused(Event):
    """A consumer keeps what it owns but works and pulls no more."""

    group: str
    consumer: str


@event
class ConsumerResumed(Event):
    """A paused consumer works again."""

    group: str
    consumer: str


@event
class ConsumerFrozen(Event):
    """A consumer process stands still (a long pause of its runtime) until ``until_us``, and does not know it."""

    group: str
    consumer: str
    until_us: int


@event
class ConsumerClosing(Event):
    """A consumer was asked to stop: it commits, then closes its session."""

    group: str
    consumer: str


@event
class ConsumerClosed(Event):
    """A consumer left in good order; the registry has dropped its nodes."""

    group: str
    consumer: str


@event
class ConsumerRemoved(Event):
    """A consumer that had ended before (closed, or crashed and expired) is no longer listed."""

    group: str
    consumer: str


@event
class ConsumerCrashed(Event):
    """A consumer process died; the registry will notice when its session runs out."""

    group: str
    consumer: str
    session_expires_at_us: int


@event
class ConsumerExpired(Event):
    """A living consumer learned that its session ran out, or may have: it has stopped, and comes back as new."""

    group: str
    consumer: str


@event
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


@event
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


@event
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


@event
class FetchFailed(Event):
    """A pull came to nothing.

    ``reason`` is ``broker_down``, ``timeout``, ``consumer_gone``, or ``stopped``: the consumer no longer wanted it,
    for it had released the partition or sought elsewhere. After a ``timeout`` the fetch is still on its way, and ends
    once more; besides, one end is told of each.
    """

    fetch: int
    group: str
    consumer: str
    topic: str
    partition: int
    reason: str


@event
class MessagesConsumed(Event):
    """The application behind a consumer is done with [offset, next_offset)."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int
    next_offset: int
    messages: int


@event
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


@event
class MessageRejected(Event):
    """A consumer met bytes it cannot trust, or a message larger than its pulls, and reads this partition no further.

    It goes on when someone moves its position, or when its settings allow it: larger pulls, or another
    ``offset_reset`` where its position was not in the log. After ``storage_failed`` it keeps asking, and goes on when
    the broker answers.
    """

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int
    error: str


@event
class ReadingResumed(Event):
    """A consumer that was stuck pulls again: its settings have changed, or its broker can read again."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@event
class PullingStarted(Event):
    """A consumer owns the partition, has read the stored offset and pulls from there."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@event
class PullingStopped(Event):
    """A consumer pulls the partition no more; what it had fetched but not processed is dropped."""

    group: str
    consumer: str
    topic: str
    partition: int


@event
class CommitSent(Event):
    """A consumed position is on its way to the registry."""

    due_us: int
    commit: int
    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@event
class CommitLanded(Event):
    """A commit reached the registry (or, with ``reason``, did not count)."""

    commit: int
    reason: str


@event
class BookmarkPlaced(Event):
    """A group's committed offset stands at ``offset`` now, below which ``messages_before`` messages were ever appended.

    The message at it was appended at ``waiting_since_us``, which is 0 where it stands at the end. Told after a commit,
    and where a log begins or ends elsewhere, so that a reader of the journal knows each lag in messages and in time.
    """

    group: str
    topic: str
    partition: int
    offset: int
    messages_before: int
    waiting_since_us: int


@event
class OffsetSought(Event):
    """Somebody moved a group's bookmark by hand; ``consumer`` is the owner that jumps ("" when nobody owns)."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@event
class OffsetReset(Event):
    """A consumer's position was out of the log's range and was set anew (autooffset.reset)."""

    group: str
    consumer: str
    topic: str
    partition: int
    out_of_range_offset: int
    offset: int
