"""The configuration of a log: rolling, flushing, retention and the limit on message size."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engine.config import NEVER_US, UNLIMITED_BYTES

NEVER_BY_COUNT: Final = sys.maxsize

ClockUs = Callable[[], int]
"""A clock that returns microseconds, virtual or real; it never goes back."""


@dataclass(frozen=True, slots=True)
class LogConfig:
    """The configuration of a log.

    ``flush_messages`` counts the messages inside compressed sets; :data:`NEVER_BY_COUNT` leaves flushing to the
    owner. ``max_message_bytes`` limits an entry's payload. ``flush_interval_us`` is how long a message may wait for
    :meth:`Log.flush_if_due`, ``roll_interval_us`` how long one segment is appended to (0.7.2: log.roll.hours).
    ``retention_us`` and ``retention_bytes`` are what :meth:`Log.delete_old` keeps.
    """

    segment_bytes: int
    flush_messages: int
    max_message_bytes: int
    flush_interval_us: int = NEVER_US
    roll_interval_us: int = NEVER_US
    retention_us: int = NEVER_US
    retention_bytes: int = UNLIMITED_BYTES
