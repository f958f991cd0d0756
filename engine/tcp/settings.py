"""What a broker on a socket can be told; the defaults are those of 0.7.2."""

from dataclasses import dataclass
from pathlib import Path

from engine.config import PAPER

MILLISECOND_US = 1_000
HOUR_US = 3_600 * 1_000_000
MILLISECONDS_A_SECOND = 1_000
ROLL_HOURS = 168  # 0.7.2: log.roll.hours


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """Where a broker keeps its logs and how it treats them.

    Every topic has ``partitions`` partitions. Messages can be read once ``flush_messages`` of them wait or ``flush_ms``
    have passed. ``partitions_max`` bounds how many logs strangers can make.
    """

    data_dir: Path
    partitions: int = 1
    segment_bytes: int = PAPER.segment_bytes
    flush_messages: int = PAPER.flush_messages
    flush_ms: int = PAPER.flush_interval_us // 1_000
    retention_hours: int = 168
    max_message_bytes: int = PAPER.max_message_bytes
    partitions_max: int = 10_000


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """What one client may cost all others.

    A request that has begun, and a response, must end or move on by ``pace_bytes`` in every ``pace_s``. Between
    requests a client may be silent for ``idle_s``. One client too many takes the place of the one that has gone
    longest without being answered, if that is at least ``settled_s``. Unfinished requests take ``buffered_max_bytes``
    together at most. Every ``sweep_s`` the loop looks for those who are too slow.
    """

    connections: int = 1_000
    settled_s: float = 1.0
    idle_s: float = 600.0
    pace_s: float = 10.0
    pace_bytes: int = 128 * 1024
    buffered_max_bytes: int = 256 * 1024 * 1024
    sweep_s: float = 1.0
