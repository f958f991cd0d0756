"""Everything that can happen, in the past tense.

The journal holds these and nothing else, and the picture is folded from them alone. An event carries ids,
byte offsets, sizes and virtual times; never a colour, a pixel or a wall-clock time. Field values are JSON
values as they stand (a broker is its number, a partition its topic and number), so that an event is written
without conversion. ``at_us`` is the virtual time of the event; where something sets out on a journey,
``due_us`` is when it arrives.

Names of the wire form: the class name in snake case under ``"event"``, then the fields.
"""

import re
from dataclasses import fields

from engine.events.base import Emit, Event
from engine.events.consuming import (
    BookmarkPlaced,
    CommitLanded,
    CommitSent,
    ConsumerAdded,
    ConsumerChanged,
    ConsumerClosed,
    ConsumerClosing,
    ConsumerCrashed,
    ConsumerExpired,
    ConsumerFrozen,
    ConsumerPaused,
    ConsumerRemoved,
    ConsumerResumed,
    FetchAnswered,
    FetchFailed,
    FetchReceived,
    FetchSent,
    GroupAdded,
    MessageRejected,
    MessagesConsumed,
    MessagesTaken,
    OffsetReset,
    OffsetSought,
    PullingStarted,
    PullingStopped,
    ReadingResumed,
)
from engine.events.deployment import (
    AuditCounted,
    AuditorAdded,
    BatchMirrored,
    BrokerPlaced,
    DatacenterAdded,
    LatencyMeasured,
    LoadBegun,
    LoadCommitted,
    LoaderAdded,
    LoaderCrashed,
    LoaderStarted,
    LoadStuck,
    MirrorAdded,
    MirrorChanged,
)
from engine.events.links import (
    LinkChanged,
    MessageDropped,
)
from engine.events.producing import (
    AcknowledgementReceived,
    BatchAcknowledged,
    BatchAppended,
    BatchLost,
    BatchQueued,
    BatchSent,
    ByteFlipped,
    DiskChanged,
    LogFlushed,
    ProducerChanged,
    ProducerQueueChanged,
    SegmentDeleted,
    SegmentRolled,
)
from engine.events.rebalancing import (
    AssignmentComputed,
    ClaimRefused,
    OwnershipReleased,
    RebalanceBackedOff,
    RebalanceFailed,
    RebalanceFinished,
    RebalanceStarted,
    RegistryRead,
)
from engine.events.registry import (
    NodeChanged,
    NodeCreated,
    NodeDeleted,
    SessionClosed,
    SessionExpired,
    SessionOpened,
    WatchDelivered,
    WatchFired,
    WatchSet,
)
from engine.events.simple_consuming import (
    PullAnswered,
    PullFailed,
    PullOffsetReset,
    PullReceived,
    PullSent,
)
from engine.events.whole import (
    BrokerAdded,
    BrokerCrashed,
    BrokerStarted,
    BrokerStopped,
    Checkpoint,
    LogCut,
    TopicAdded,
)
from engine.events.writing import writer_of


def _snake_case(class_name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", class_name).lower()


def _name_all(base: type[Event]) -> dict[str, type[Event]]:
    """Give every event class its wire name, field order and writer once, so that encoding looks nothing up."""
    named: dict[str, type[Event]] = {}
    for event_class in base.__subclasses__():
        event_class.name = _snake_case(event_class.__name__)
        event_class.field_names = tuple(field.name for field in fields(event_class))
        event_class.encode = writer_of(event_class.name, fields(event_class))
        named[event_class.name] = event_class
    return named


EVENT_CLASSES = _name_all(Event)

__all__ = [
    "EVENT_CLASSES",
    "AcknowledgementReceived",
    "AssignmentComputed",
    "AuditCounted",
    "AuditorAdded",
    "BatchAcknowledged",
    "BatchAppended",
    "BatchLost",
    "BatchMirrored",
    "BatchQueued",
    "BatchSent",
    "BookmarkPlaced",
    "BrokerAdded",
    "BrokerCrashed",
    "BrokerPlaced",
    "BrokerStarted",
    "BrokerStopped",
    "ByteFlipped",
    "Checkpoint",
    "ClaimRefused",
    "CommitLanded",
    "CommitSent",
    "ConsumerAdded",
    "ConsumerChanged",
    "ConsumerClosed",
    "ConsumerClosing",
    "ConsumerCrashed",
    "ConsumerExpired",
    "ConsumerFrozen",
    "ConsumerPaused",
    "ConsumerRemoved",
    "ConsumerResumed",
    "DatacenterAdded",
    "DiskChanged",
    "Emit",
    "Event",
    "FetchAnswered",
    "FetchFailed",
    "FetchReceived",
    "FetchSent",
    "GroupAdded",
    "LatencyMeasured",
    "LinkChanged",
    "LoadBegun",
    "LoadCommitted",
    "LoadStuck",
    "LoaderAdded",
    "LoaderCrashed",
    "LoaderStarted",
    "LogCut",
    "LogFlushed",
    "MessageDropped",
    "MessageRejected",
    "MessagesConsumed",
    "MessagesTaken",
    "MirrorAdded",
    "MirrorChanged",
    "NodeChanged",
    "NodeCreated",
    "NodeDeleted",
    "OffsetReset",
    "OffsetSought",
    "OwnershipReleased",
    "ProducerChanged",
    "ProducerQueueChanged",
    "PullAnswered",
    "PullFailed",
    "PullOffsetReset",
    "PullReceived",
    "PullSent",
    "PullingStarted",
    "PullingStopped",
    "ReadingResumed",
    "RebalanceBackedOff",
    "RebalanceFailed",
    "RebalanceFinished",
    "RebalanceStarted",
    "RegistryRead",
    "SegmentDeleted",
    "SegmentRolled",
    "SessionClosed",
    "SessionExpired",
    "SessionOpened",
    "TopicAdded",
    "WatchDelivered",
    "WatchFired",
    "WatchSet",
]
