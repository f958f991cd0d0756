"""Virtual times as people and programs of 2011 write them, and back."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

DAY_ONE = datetime(2011, 6, 12, 9, 30, tzinfo=UTC)
DAY_ONE_MILLISECONDS = round(DAY_ONE.timestamp() * 1000)


@lru_cache(maxsize=64)
def wall_text(at_us: int) -> str:
    """A virtual time as people write it: virtual zero is half past nine on the day the paper was presented.

    The latest are remembered, for many messages are made at the same instant.
    """
    return (DAY_ONE + timedelta(microseconds=at_us)).isoformat(timespec="milliseconds")


def virtual_us(wall: datetime) -> int:
    """The virtual time of an instant, in microseconds."""
    return (wall - DAY_ONE) // timedelta(microseconds=1)


def wall_milliseconds(at_us: int) -> int:
    """A virtual time as milliseconds since 1970, as Java programs name their processes by."""
    return DAY_ONE_MILLISECONDS + at_us // 1000


def virtual_us_of_milliseconds(milliseconds: int) -> int:
    """The virtual time of a number of milliseconds since 1970."""
    return (milliseconds - DAY_ONE_MILLISECONDS) * 1000
