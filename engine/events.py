"""Everything that can happen, in the past tense.

The journal holds these and nothing else, and the picture is folded from them alone. An event carries ids,
byte offsets, sizes and virtual times; never a colour, a pixel or a wall-clock time. Field values are JSON
values as they stand (a broker is its number, a partition its topic and number), so that an event is written
without conversion. ``at_us`` is the virtual time of the event; where something sets out on a journey,
``due_us`` is when it arrives.

Names of the wire form: the class name in snake case under ``"event"``, then the fields.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, fields
from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a virtual time; the base of all events."""

    name: ClassVar[str] = "event"
    field_names: ClassVar[tuple[str, ...]] = ()
    wire_form: ClassVar["WireForm"]

    at_us: int

    def as_json(self) -> dict[str, Any]:
        """The wire form as JSON values, keys in the order of declaration."""
        record: dict[str, Any] = {"event": self.name}
        for field_name in self.field_names:
            record[field_name] = getattr(self, field_name)
        return record

    def encode(self) -> bytes:
        """The wire form as one line of JSON in UTF-8."""
        return self.wire_form.encode(self)


class WireForm:
    """How the events of one class are written: the JSON around the values is the same each time, so it is made once.

    Three times as fast as handing a dictionary to the JSON encoder, and the journal writes every event.
    """

    def __init__(self, name: str, event_fields: Sequence[Field[Any]]) -> None:
        places = "".join(f',"{field.name}":%s' for field in event_fields)
        self._template = f'{{"event":"{name}"{places}}}'
        self._values = attrgetter(*(field.name for field in event_fields))
        self._conversions = [
            (index, _quoted if field.type is str else _ENCODER.encode)
            for index, field in enumerate(event_fields)
            if field.type is not int
        ]

    def encode(self, event: Event) -> bytes:
        """One event as a line of JSON."""
        values = list(self._values(event))
        for index, convert in self._conversions:
            values[index] = convert(values[index])
        return (self._template % tuple(values)).encode()


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    """A text as JSON; names of topics, groups and consumers come again and again."""
    return _ENCODER.encode(text)


Emit = Callable[[Event], None]
"""How an actor tells that something happened; the composition root decides where it is written."""


# --- the whole --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checkpoint(Event):
    """The full state at this point of the journal: a late reader starts here.

    ``cause`` is ``start``, ``reset``, ``periodic`` or ``fork``. A periodic one equals what a reader has folded
    already; the others replace it.
    """

    cause: str
    state: dict[str, Any]


@dataclass(frozen=True, slots=True)
class TopicAdded(Event):
    """A topic was created; ``brokers[p]`` holds partition ``p``."""

    topic: str
    brokers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BrokerAdded(Event):
    """A broker joined the cluster and is alive."""

    broker: int


@dataclass(frozen=True, slots=True)
class BrokerStopped(Event):
    """A broker flushed its logs and went, taking its registry nodes with it."""

    broker: int


@dataclass(frozen=True, slots=True)
class BrokerCrashed(Event):
    """A broker died; its unflushed bytes are gone, its registry nodes stand until the session runs out."""

    broker: int
    session_expires_at_us: int


@dataclass(frozen=True, slots=True)
class BrokerStarted(Event):
    """A broker is back and has recovered its logs."""

    broker: int


@dataclass(frozen=True, slots=True)
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


# --- producing --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ProducerChanged(Event):
    """The producer's settings are now these (see ``config.ProducerSettings``)."""

    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class BatchQueued(Event):
    """A message set reached a broker whose disk is slow, and is written at ``due_us``."""

    due_us: int
    batch: int
    topic: str
    partition: int
    broker: int


@dataclass(frozen=True, slots=True)
class BatchLost(Event):
    """A message set reached nobody; the paper's producer is not told (no acknowledgement)."""

    batch: int
    topic: str
    partition: int
    broker: int
    messages: int
    reason: str


@dataclass(frozen=True, slots=True)
class BatchAcknowledged(Event):
    """A broker tells the producer, who asked, that a message set is at ``offset``, or by ``error`` that it is not."""

    due_us: int
    batch: int
    topic: str
    partition: int
    broker: int
    offset: int
    error: str


@dataclass(frozen=True, slots=True)
class AcknowledgementReceived(Event):
    """The producer knows what became of a message set."""

    batch: int
    error: str


@dataclass(frozen=True, slots=True)
class ProducerQueueChanged(Event):
    """How many messages wait in the producer's queue, how many for a place in it, how many were dropped so far."""

    queued: int
    blocked: int
    dropped: int


@dataclass(frozen=True, slots=True)
class SegmentRolled(Event):
    """A log began a new segment file at ``base_offset``."""

    topic: str
    partition: int
    base_offset: int


@dataclass(frozen=True, slots=True)
class SegmentDeleted(Event):
    """The oldest segment of a log, which began at ``base_offset``, was removed: the log begins at ``first_offset``."""

    topic: str
    partition: int
    base_offset: int
    first_offset: int


@dataclass(frozen=True, slots=True)
class LogFlushed(Event):
    """Bytes below ``flushed_offset`` are on disk, and readers see them."""

    topic: str
    partition: int
    flushed_offset: int


@dataclass(frozen=True, slots=True)
class DiskChanged(Event):
    """A broker's disk now takes ``delay_us`` for each message set, and takes none at all while it is ``full``."""

    broker: int
    delay_us: int
    full: bool


@dataclass(frozen=True, slots=True)
class ByteFlipped(Event):
    """A byte of the payload of the entry at ``offset`` was changed on disk behind everybody's back."""

    topic: str
    partition: int
    offset: int
    position: int


# --- consuming --------------------------------------------------------------------------------------------


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


# --- the wire ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LinkChanged(Event):
    """The link between two addresses works differently now; all zero and not cut: it is fine again."""

    one: str
    other: str
    cut: bool
    loss_permille: int
    delay_us: int


@dataclass(frozen=True, slots=True)
class MessageDropped(Event):
    """A message vanished on the wire; ``cause`` is ``cut`` or ``lost``, ``flight`` its name, "" if it was not drawn."""

    source: str
    destination: str
    flight: str
    cause: str


# --- simple consumers --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PullSent(Event):
    """A simple consumer's fetch or multi-fetch left ``client`` for a broker.

    ``fetches`` are partition and offset, one pair for each partition asked for.
    """

    due_us: int
    pull: int
    client: str
    broker: int
    fetches: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PullAnswered(Event):
    """A broker sent back ``bytes`` bytes of its files to a simple consumer."""

    due_us: int
    pull: int
    client: str
    broker: int
    bytes: int


@dataclass(frozen=True, slots=True)
class PullReceived(Event):
    """The bytes of a pull are at the simple consumer: so many whole ``messages``."""

    pull: int
    client: str
    messages: int


@dataclass(frozen=True, slots=True)
class PullFailed(Event):
    """A pull of a simple consumer came to nothing; it tries once more and then tells its caller (0.7).

    ``reason`` is ``broker_down``, ``timeout``, ``not_delivered`` (the wire lost it), ``consumer_gone`` or ``stopped``
    (nobody waits for it any more).
    """

    pull: int
    client: str
    reason: str


@dataclass(frozen=True, slots=True)
class PullOffsetReset(Event):
    """A simple consumer's position was not in the log any more; it goes on from ``offset``, an end of what there is."""

    client: str
    topic: str
    partition: int
    out_of_range_offset: int
    offset: int


# --- the deployment pattern --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DatacenterAdded(Event):
    """Another datacenter has a registry of its own at ``registry``; its nodes are told of below ``chroot``."""

    datacenter: str
    registry: str
    chroot: str


@dataclass(frozen=True, slots=True)
class BrokerPlaced(Event):
    """A broker stands in another datacenter than the live one."""

    broker: int
    datacenter: str


@dataclass(frozen=True, slots=True)
class MirrorAdded(Event):
    """The consumers of ``group`` are mirrors: ``routes`` is a list of pairs, from a topic to its copy."""

    group: str
    routes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class LoaderAdded(Event):
    """A loader moves the messages of ``topics`` into a warehouse table; it does not run yet."""

    loader: str
    topics: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoaderStarted(Event):
    """A loader runs: the warehouse has ``rows`` rows and these bookmarks, pairs of partition and next offset."""

    loader: str
    rows: int
    next_offsets: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class LoadBegun(Event):
    """A transaction on the warehouse is open with ``rows`` new rows and the bookmarks behind them, until ``due_us``."""

    due_us: int
    loader: str
    load: int
    rows: int


@dataclass(frozen=True, slots=True)
class LoadCommitted(Event):
    """Rows and bookmarks are in the warehouse, both or neither. ``average_latency_us`` is that of the stamped rows."""

    loader: str
    load: int
    rows: int
    next_offsets: tuple[tuple[str, int], ...]
    average_latency_us: int


@dataclass(frozen=True, slots=True)
class LoadStuck(Event):
    """A loader cannot read a partition on from its bookmark; it tries again with every load."""

    loader: str
    topic: str
    partition: int
    error: str


@dataclass(frozen=True, slots=True)
class LoaderCrashed(Event):
    """A loader died while it was ``waiting``, ``pulling`` or ``writing``; an open transaction is rolled back."""

    loader: str
    step: str


@dataclass(frozen=True, slots=True)
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


@dataclass(frozen=True, slots=True)
class LatencyMeasured(Event):
    """How long the messages of a window took from their stamps into the warehouse."""

    topic: str
    window_start_us: int
    window_end_us: int
    messages: int
    average_us: int
    percentile_95_us: int


# --- registry ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SessionOpened(Event):
    """The registry gave a client a session."""

    session: int
    client: str


@dataclass(frozen=True, slots=True)
class SessionClosed(Event):
    """A client closed its session; its ephemeral nodes go with it."""

    session: int
    client: str


@dataclass(frozen=True, slots=True)
class SessionExpired(Event):
    """The registry heard nothing for a session timeout; the session's ephemeral nodes go."""

    session: int
    client: str


@dataclass(frozen=True, slots=True)
class NodeCreated(Event):
    """A registry node appeared; ``client`` holds it if it is ephemeral, and is "" if it is persistent."""

    path: str
    value: str
    client: str


@dataclass(frozen=True, slots=True)
class NodeChanged(Event):
    """A registry node has a new value."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class NodeDeleted(Event):
    """A registry node vanished: ``cause`` is ``deleted``, ``session_closed`` or ``session_expired``."""

    path: str
    cause: str


@dataclass(frozen=True, slots=True)
class WatchFired(Event):
    """The registry tells a client, once, that what it watched has changed."""

    due_us: int
    watch: int
    path: str
    client: str


@dataclass(frozen=True, slots=True)
class WatchDelivered(Event):
    """A watch's notice reached its client."""

    watch: int


# --- rebalancing ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RebalanceStarted(Event):
    """A consumer begins Algorithm 1; ``cause`` says why, ``attempt`` counts from 1."""

    group: str
    consumer: str
    cause: str
    attempt: int


@dataclass(frozen=True, slots=True)
class OwnershipReleased(Event):
    """A consumer has dropped its entries from the ownership registry (none on its first time)."""

    group: str
    consumer: str
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RegistryRead(Event):
    """A consumer has read who is there: the group's members and the topic's partitions, both sorted."""

    group: str
    consumer: str
    members: tuple[str, ...]
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AssignmentComputed(Event):
    """A consumer knows its share; empty when there are more consumers than partitions."""

    group: str
    consumer: str
    partitions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClaimRefused(Event):
    """Somebody else still owns the partition; this attempt's other claims are undone."""

    group: str
    consumer: str
    topic: str
    partition: int
    held_by: str


@dataclass(frozen=True, slots=True)
class RebalanceBackedOff(Event):
    """An attempt failed; the next begins at ``until_us``."""

    group: str
    consumer: str
    attempt: int
    until_us: int


@dataclass(frozen=True, slots=True)
class RebalanceFinished(Event):
    """A consumer owns its share and pulls."""

    group: str
    consumer: str
    partitions: tuple[str, ...]
    attempts: int


@dataclass(frozen=True, slots=True)
class RebalanceFailed(Event):
    """A consumer gave up after its last try and owns nothing until the registry changes again."""

    group: str
    consumer: str
    attempts: int


def _snake_case(class_name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()


def _name_all(base: type[Event]) -> dict[str, type[Event]]:
    """Give every event class its wire name and field order once, so that encoding looks nothing up."""
    named: dict[str, type[Event]] = {}
    for event_class in base.__subclasses__():
        event_class.name = _snake_case(event_class.__name__)
        event_class.field_names = tuple(field.name for field in fields(event_class))
        event_class.wire_form = WireForm(event_class.name, fields(event_class))
        named[event_class.name] = event_class
    return named


EVENT_CLASSES = _name_all(Event)
