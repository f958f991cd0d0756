"""Mirrors, loaders and the audit: from the live cluster to the warehouse."""

from engine.events.base import Event, event


@event
class DatacenterAdded(Event):
    """Another datacenter has a registry of its own at ``registry``; its nodes are told of below ``chroot``."""

    datacenter: str
    registry: str
    chroot: str


@event
class BrokerPlaced(Event):
    """A broker stands in another datacenter than the live one."""

    broker: int
    datacenter: str


@event
class MirrorAdded(Event):
    """The consumers of ``group`` are mirrors: ``routes`` is a list of pairs, from a topic to its copy.

    They ask the brokers that they send to for an ``acknowledgement`` (``broker``), or not (``none``).
    """

    group: str
    routes: tuple[tuple[str, str], ...]
    acknowledgement: str


@event
class MirrorChanged(Event):
    """The mirrors of ``group`` ask for an ``acknowledgement`` from now on, or no more."""

    group: str
    acknowledgement: str


@event
class BatchMirrored(Event):
    """A mirror hands [source_offset, source_next_offset) of a partition over to the other datacenter, as one set."""

    due_us: int
    batch: int
    group: str
    consumer: str
    source_topic: str
    source_partition: int
    source_offset: int
    source_next_offset: int
    topic: str
    partition: int
    broker: int
    messages: int
    bytes: int


@event
class LoaderAdded(Event):
    """A loader moves the messages of ``topics`` into a warehouse table; it does not run yet."""

    loader: str
    topics: tuple[str, ...]


@event
class LoaderStarted(Event):
    """A loader runs: the warehouse has ``rows`` rows and these bookmarks, pairs of partition and next offset."""

    loader: str
    rows: int
    next_offsets: tuple[tuple[str, int], ...]


@event
class LoadBegun(Event):
    """A transaction on the warehouse is open with ``rows`` new rows and the bookmarks behind them, until ``due_us``."""

    due_us: int
    loader: str
    load: int
    rows: int


@event
class LoadCommitted(Event):
    """Rows and bookmarks are in the warehouse, both or neither. ``average_latency_us`` is that of the stamped rows."""

    loader: str
    load: int
    rows: int
    next_offsets: tuple[tuple[str, int], ...]
    average_latency_us: int


@event
class LoadStuck(Event):
    """A loader cannot read a partition on from its bookmark; it tries again with every load."""

    loader: str
    topic: str
    partition: int
    error: str


@event
class LoaderCrashed(Event):
    """A loader died while it was ``waiting``, ``pulling`` or ``writing``; an open transaction is rolled back."""

    loader: str
    step: str


@event
class AuditorAdded(Event):
    """An auditor reads all that the tier of its name holds of ``topics``, with offsets of its own."""

    tier: str
    topics: tuple[str, ...]


@event
class AuditCounted(Event):
    """A tier compares a window: the producers' monitoring events say ``produced``, the tier has ``received``.

    A later count of the same window replaces the earlier.
    """

    tier: str
    topic: str
    window_start_us: int
    window_end_us: int
    produced: int
    received: int


@event
class LatencyMeasured(Event):
    """How long the messages of a window took from their stamps into the warehouse."""

    topic: str
    window_start_us: int
    window_end_us: int
    messages: int
    average_us: int
    percentile_95_us: int
