"""Events of fetches by simple consumers, which belong to no group."""

from engine.events.base import Event, event


@event
class MultiFetchSent(Event):
    """A simple consumer's fetch or multi-fetch left ``client`` for a broker.

    ``fetches`` are pairs of partition and offset, one for each requested partition.
    """

    due_us: int
    multi_fetch: int
    client: str
    broker: int
    fetches: tuple[tuple[str, int], ...]


@event
class MultiFetchAnswered(Event):
    """A broker responded to a simple consumer with ``bytes`` bytes of its files."""

    due_us: int
    multi_fetch: int
    client: str
    broker: int
    bytes: int


@event
class MultiFetchReceived(Event):
    """A fetch response with ``messages`` whole messages reached the simple consumer."""

    multi_fetch: int
    client: str
    messages: int


@event
class MultiFetchFailed(Event):
    """A fetch of a simple consumer failed; it tries once more and then raises the error to its caller (0.7).

    ``reason`` is ``broker_down``, ``timeout``, ``not_delivered`` (both ends have ended), ``consumer_gone`` or
    ``stopped`` (no caller waits for it). After a ``timeout`` a late message is still in flight and has its own end.
    """

    multi_fetch: int
    client: str
    reason: str


@event
class MultiFetchOffsetReset(Event):
    """A simple consumer's position was no longer in the log; it continues at ``offset``, the log's beginning or end."""

    client: str
    topic: str
    partition: int
    out_of_range_offset: int
    offset: int
