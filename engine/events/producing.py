"""Message sets on their way into the logs, and what becomes of the logs' bytes."""

from typing import Any

from engine.events.base import Event, event


@event
class ProducerChanged(Event):
    """The producer's settings are now these (see ``config.ProducerSettings``)."""

    settings: dict[str, Any]


@event
class BatchSent(Event):
    """A message set left the producer for the broker that holds the partition.

    ``bytes`` is its size on the wire and on disk, ``key`` the key that chose the partition ("" when none did),
    ``next_append_partition`` where the next set without a key will go.
    """

    due_us: int
    batch: int
    topic: str
    partition: int
    broker: int
    key: str
    messages: int
    bytes: int
    compression: str
    next_append_partition: int


@event
class BatchAppended(Event):
    """A message set landed at ``offset``: entry by entry its ``sizes`` on disk and a ``preview`` of its text.

    An entry is one message, or one compressed set of several: ``messages`` counts all.
    """

    batch: int
    topic: str
    partition: int
    broker: int
    offset: int
    next_offset: int
    messages: int
    sizes: tuple[int, ...]
    previews: tuple[str, ...]


@event
class BatchQueued(Event):
    """A message set reached a broker whose disk is slow, and is written at ``due_us``."""

    due_us: int
    batch: int
    topic: str
    partition: int
    broker: int


@event
class BatchLost(Event):
    """An attempt at sending a message set reached nobody, or was not acknowledged; the paper's producer is not told."""

    batch: int
    topic: str
    partition: int
    broker: int
    messages: int
    reason: str


@event
class BatchAcknowledged(Event):
    """A broker tells ``client``, who asked, that a message set is at ``offset``, or by ``error`` that it is not."""

    due_us: int
    batch: int
    topic: str
    partition: int
    broker: int
    offset: int
    error: str
    client: str


@event
class AcknowledgementReceived(Event):
    """``client``, the producer or a mirror, knows what became of a message set."""

    batch: int
    error: str
    client: str


@event
class ProducerQueueChanged(Event):
    """How many messages wait in the producer's queue, how many for a place in it, how many were dropped so far."""

    queued: int
    blocked: int
    dropped: int


@event
class SegmentRolled(Event):
    """A log began a new segment file at ``base_offset``."""

    topic: str
    partition: int
    base_offset: int


@event
class SegmentDeleted(Event):
    """The oldest segment of a log, which began at ``base_offset``, was removed: the log begins at ``first_offset``."""

    topic: str
    partition: int
    base_offset: int
    first_offset: int


@event
class LogFlushed(Event):
    """Bytes below ``flushed_offset`` are on disk, and readers see them."""

    topic: str
    partition: int
    flushed_offset: int


@event
class DiskChanged(Event):
    """A broker's disk now takes ``delay_us`` for each message set, and takes none at all while it is ``full``.

    ``fails`` is the operation that fails: ``append``, ``flush`` or ``read``; "" if all of them work.
    """

    broker: int
    delay_us: int
    full: bool
    fails: str


@event
class ByteFlipped(Event):
    """A byte of the payload of the entry at ``offset`` was changed on disk behind everybody's back."""

    topic: str
    partition: int
    offset: int
    position: int
