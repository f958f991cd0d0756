"""Events of message sets on their way into the logs, and of the logs' files and disks."""

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
    """A message set was appended at ``offset``; each entry has its size on disk in ``sizes`` and a text ``preview``.

    An entry is one message or one wrapper message; ``messages`` also counts the messages inside wrappers.
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
    """An attempt to send a message set failed or was not acknowledged; the paper's producer does not notice that."""

    batch: int
    topic: str
    partition: int
    broker: int
    messages: int
    reason: str


@event
class BatchAcknowledged(Event):
    """A broker acknowledged a message set to ``client``, which asked for it: its ``offset``, or an ``error``."""

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
    """The acknowledgement of a message set reached ``client``, the producer or a mirror."""

    batch: int
    error: str
    client: str


@event
class ProducerQueueChanged(Event):
    """How many messages are in the producer's queue, how many wait for space in it, how many were dropped so far."""

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
    """A broker's disk now takes ``delay_us`` for each message set, and accepts none while it is ``full``.

    ``fails`` is the operation that fails: ``append``, ``flush`` or ``read``; "" if all of them work.
    """

    broker: int
    delay_us: int
    full: bool
    fails: str


@event
class ByteFlipped(Event):
    """A byte of the payload of the entry at ``offset`` was changed on disk; the broker does not notice it."""

    topic: str
    partition: int
    offset: int
    position: int
