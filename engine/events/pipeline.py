"""Events of mirrors, loaders and the audit: from the live cluster to the warehouse."""

from engine.events.base import Event, event


@event
class DatacenterAdded(Event):
    """Another datacenter was added, with its own registry at ``registry``; events name its nodes below ``chroot``."""

    datacenter: str
    registry: str
    chroot: str


@event
class BrokerPlaced(Event):
    """A broker is in another datacenter than the live one."""

    broker: int
    datacenter: str


@event
class MirrorAdded(Event):
    """The consumers of ``group`` are mirrors: ``routes`` is a list of pairs, from a topic to its copy.

    They request an ``acknowledgement`` from the brokers they send to (``broker``), or not (``none``).
    """

    group: str
    routes: tuple[tuple[str, str], ...]
    acknowledgement: str


@event
class MirrorChanged(Event):
    """The mirrors of ``group`` now request an ``acknowledgement``, or no longer do."""

    group: str
    acknowledgement: str


@event
class BatchMirrored(Event):
    """A mirror sends [source_offset, source_next_offset) of a partition to the other datacenter as one message set."""

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
    """A loader runs: the warehouse has ``rows`` rows and these offsets, pairs of partition and next offset."""

    loader: str
    rows: int
    next_offsets: tuple[tuple[str, int], ...]


@event
class LoadBegun(Event):
    """A warehouse transaction with ``rows`` new rows and the offsets after them is open until ``due_us``."""

    due_us: int
    loader: str
    load: int
    rows: int


@event
class LoadCommitted(Event):
    """A transaction stored its rows and offsets atomically. ``average_latency_us`` is that of the stamped rows."""

    loader: str
    load: int
    rows: int
    next_offsets: tuple[tuple[str, int], ...]
    average_latency_us: int


@event
class LoadStuck(Event):
    """A loader cannot read a partition at its committed offset; it tries again with every load."""

    loader: str
    topic: str
    partition: int
    error: str


@event
class LoaderCrashed(Event):
    """A loader crashed while it was ``waiting``, ``fetching`` or ``writing``; an open transaction is rolled back."""

    loader: str
    step: str


@event
class AuditorAdded(Event):
    """An auditor reads all messages of ``topics`` in the tier of its name, at its own offsets."""

    tier: str
    topics: tuple[str, ...]


@event
class AuditCounted(Event):
    """A tier counted a window: ``produced`` by the producers' monitoring events, ``received`` by the tier.

    A later count of the same window replaces the earlier one.
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
