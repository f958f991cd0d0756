"""What producers, brokers and consumers say to each other (0.7: kafka.api)."""

from engine.ids import TopicPartition
from engine.storage.offsets import EARLIEST, LATEST
from engine.values import value

NOBODY = ""
"""Who an acknowledgement goes to if it was not asked for."""


@value
class ProduceRequest:
    """A message set for one partition. The paper's broker answers nothing to it; ours does to ``acknowledge_to``."""

    batch: int
    partition: TopicPartition
    messages: int
    message_set: bytes
    acknowledge_to: str


@value
class ProduceResponse:
    """A message set was appended at ``offset`` (not yet flushed), or ``error`` says why not."""

    request: ProduceRequest
    offset: int
    error: str


@value
class FetchRequest:
    """A pull: up to ``max_bytes`` of a partition from ``offset`` on."""

    fetch: int
    group: str
    consumer: str
    partition: TopicPartition
    offset: int
    max_bytes: int


@value
class FetchResponse:
    """The bytes of a pull, as they stand in the segment file; ``error`` is "" or an error's code.

    The broker does not look inside ``data``: it may end in the middle of a message.
    """

    request: FetchRequest
    data: bytes
    error: str


@value
class MultiFetchRequest:
    """Several fetches of one broker in one message; ``client`` is the address that pulls."""

    pull: int
    client: str
    fetches: tuple[FetchRequest, ...]


@value
class MultiFetchResponse:
    """The answers to a multi-fetch, in the order of its fetches."""

    request: MultiFetchRequest
    answers: tuple[FetchResponse, ...]


OFFSETS_LATEST = LATEST
OFFSETS_EARLIEST = EARLIEST


@value
class OffsetsRequest:
    """Which offsets did a partition have before a virtual time (or ``OFFSETS_LATEST``, ``OFFSETS_EARLIEST``)?

    ``number`` tells the answer to one request from that to another (0.7: one connection carries one at a time).
    """

    number: int
    partition: TopicPartition
    time_us: int
    max_offsets: int


@value
class OffsetsResponse:
    """The answer, newest first; empty if there are none. ``error`` is "" or an error's code.

    The broker of 0.7 said nothing to a partition that cannot be, and closed the connection.
    """

    request: OffsetsRequest
    offsets: tuple[int, ...]
    error: str
