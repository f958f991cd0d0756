"""Pulls of simple consumers, which belong to no group."""

from engine.events.base import Event, event


@event
class PullSent(Event):
    """A simple consumer's fetch or multi-fetch left ``client`` for a broker.

    ``fetches`` are partition and offset, one pair for each partition asked for.
    """

    due_us: int
    pull: int
    client: str
    broker: int
    fetches: tuple[tuple[str, int], ...]


@event
class PullAnswered(Event):
    """A broker sent back ``bytes`` bytes of its files to a simple consumer."""

    due_us: int
    pull: int
    client: str
    broker: int
    bytes: int


@event
class PullReceived(Event):
    """The bytes of a pull are at the simple consumer: so many whole ``messages``."""

    pull: int
    client: str
    messages: int


@event
class PullFailed(Event):
    """A pull of a simple consumer came to nothing; it tries once more and then tells its caller (0.7).

    ``reason`` is ``broker_down``, ``timeout``, ``not_delivered`` (both ends have gone), ``consumer_gone`` or
    ``stopped`` (nobody waits for it any more). After a ``timeout`` what is late still has an end of its own.
    """

    pull: int
    client: str
    reason: str


@event
class PullOffsetReset(Event):
    """A simple consumer's position was not in the log any more; it goes on from ``offset``, an end of what there is."""

    client: str
    topic: str
    partition: int
    out_of_range_offset: int
    offset: int
