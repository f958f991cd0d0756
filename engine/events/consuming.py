"""Events of consumer groups: consumers starting and stopping, fetches, processing and committed offsets."""

from typing import Any

from engine.events.base import Event, event


@event
class GroupAdded(Event):
    """A consumer group was created to read ``topics``; it has no members yet."""

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
    """A consumer keeps its partitions but neither processes nor fetches."""

    group: str
    consumer: str


@event
class ConsumerResumed(Event):
    """A paused consumer processes and fetches again."""

    group: str
    consumer: str


@event
class ConsumerFrozen(Event):
    """A consumer process is suspended (a long pause of its runtime) until ``until_us``, without noticing it."""

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
    """A consumer shut down cleanly; the registry has deleted its nodes."""

    group: str
    consumer: str


@event
class ConsumerRemoved(Event):
    """A consumer that had ended before (closed, or crashed and expired) is no longer listed."""

    group: str
    consumer: str


@event
class ConsumerCrashed(Event):
    """A consumer process crashed; the registry notices when its session expires."""

    group: str
    consumer: str
    session_expires_at_us: int


@event
class ConsumerExpired(Event):
    """A running consumer's session expired, or may have: it has stopped fetching, and rejoins with a new session."""

    group: str
    consumer: str


@event
class FetchSent(Event):
    """A consumer sent a fetch request for ``max_bytes`` of the partition from ``offset`` on."""

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
    """A broker responded to a fetch with ``bytes`` bytes of its file; ``error`` is "" or an error's code."""

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
    """A fetch response reached the consumer, whose fetch position is now ``next_offset``.

    ``messages`` is the number of whole messages in it; a partial message at the end is dropped and fetched again.
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
    """A fetch failed.

    ``reason`` is ``broker_down``, ``timeout``, ``consumer_gone``, or ``stopped``: the consumer had released the
    partition or sought elsewhere. After a ``timeout`` the fetch is still in flight, and a second event reports how it
    ends; otherwise each fetch has exactly one end.
    """

    fetch: int
    group: str
    consumer: str
    topic: str
    partition: int
    reason: str


@event
class MessagesConsumed(Event):
    """The application of a consumer has processed [offset, next_offset)."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int
    next_offset: int
    messages: int


@event
class MessagesTaken(Event):
    """The application of a consumer begins to process messages after the position has moved past them.

    Only where positions move before processing (0.7); a crash in between loses these messages.
    """

    group: str
    consumer: str
    topic: str
    partition: int
    next_offset: int
    messages: int


@event
class MessageRejected(Event):
    """A consumer read invalid bytes, or a message larger than its fetch size, and stops reading this partition.

    It continues after a seek, or when its settings allow it: a larger fetch size, or another ``offset_reset`` where
    its position was not in the log. After ``unknown_server_fault`` it keeps fetching, and continues when the broker
    can read.
    """

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int
    error: str


@event
class ReadingResumed(Event):
    """A consumer that was stuck fetches again: its settings have changed, or its broker can read again."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@event
class FetchingStarted(Event):
    """A consumer owns the partition, has read the committed offset and fetches from there."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@event
class FetchingStopped(Event):
    """A consumer no longer fetches the partition; what it had fetched but not processed is dropped."""

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
    """A commit reached the registry; with a ``reason`` it had no effect."""

    commit: int
    reason: str


@event
class CommittedOffsetPlaced(Event):
    """A group's committed offset is now ``offset``; ``messages_before`` messages were ever appended before it.

    The message there was appended at ``waiting_since_us``, which is 0 at the log's end. Emitted after a commit, and
    when a log's beginning or end moves otherwise, so that a journal reader knows each lag in messages and in time.
    """

    group: str
    topic: str
    partition: int
    offset: int
    messages_before: int
    waiting_since_us: int


@event
class OffsetSought(Event):
    """A command moved a group's committed offset; ``consumer`` is the owner that jumps there, "" if there is none."""

    group: str
    consumer: str
    topic: str
    partition: int
    offset: int


@event
class OffsetReset(Event):
    """A consumer's position was out of the log's range and was reset (autooffset.reset)."""

    group: str
    consumer: str
    topic: str
    partition: int
    out_of_range_offset: int
    offset: int
