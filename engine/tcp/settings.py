"""The settings of a broker on a socket; the defaults are those of 0.7.2."""

from dataclasses import dataclass
from pathlib import Path

from engine.config import MILLISECOND_US, PAPER

MILLISECONDS_A_SECOND = 1_000
ROLL_HOURS = 168  # 0.7.2: log.roll.hours


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """The settings of a broker's logs.

    Every topic has ``partitions`` partitions. Readers see messages once ``flush_messages`` have come or ``flush_ms``
    have passed. ``partitions_max`` limits how many logs clients can create.
    """

    data_dir: Path
    partitions: int = 1
    segment_bytes: int = PAPER.segment_bytes
    flush_messages: int = PAPER.flush_messages
    flush_ms: int = PAPER.flush_interval_us // MILLISECOND_US
    retention_hours: int = 168
    max_message_bytes: int = PAPER.max_message_bytes
    partitions_max: int = 10_000


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits on the resources that clients can take from each other.

    A request that has begun, and a response, must end or progress by ``pace_bytes`` in every ``pace_s``. Between
    requests a client may be silent for ``idle_s``. At the limit of ``connections``, a new client replaces the one that
    has gone longest without a response, if that is at least ``settled_s``. Unfinished requests take at most
    ``buffered_max_bytes`` together. Every ``sweep_s`` the loop looks for clients that are too slow.
    """

    connections: int = 1_000
    settled_s: float = 1.0
    idle_s: float = 600.0
    pace_s: float = 10.0
    pace_bytes: int = 128 * 1024
    buffered_max_bytes: int = 256 * 1024 * 1024
    sweep_s: float = 1.0
