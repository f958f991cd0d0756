"""Conversions between virtual time and the calendar time of 2011."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

VIRTUAL_EPOCH = datetime(2011, 6, 12, 9, 30, tzinfo=UTC)
VIRTUAL_EPOCH_MILLISECONDS = round(VIRTUAL_EPOCH.timestamp() * 1000)


@lru_cache(maxsize=64)
def wall_text(at_us: int) -> str:
    """Return a virtual time in ISO format: virtual zero is 09:30 UTC on the day the paper was presented.

    The latest results are cached, since many messages are made at the same instant.
    """
    return (VIRTUAL_EPOCH + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds")


def virtual_us(wall: datetime) -> int:
    """The virtual time of an instant, in microseconds."""
    return (wall - VIRTUAL_EPOCH) // timedelta(microseconds=1)


def wall_milliseconds(at_us: int) -> int:
    """A virtual time as milliseconds since 1970, as Java programs use in the names of their processes."""
    return VIRTUAL_EPOCH_MILLISECONDS + at_us // 1000


def virtual_us_of_milliseconds(milliseconds: int) -> int:
    """The virtual time of a number of milliseconds since 1970."""
    return (milliseconds - VIRTUAL_EPOCH_MILLISECONDS) * 1000
