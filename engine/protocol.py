"""What producers, brokers and consumers say to each other (0.7: kafka.api)."""

from dataclasses import dataclass

from engine.ids import TopicPartition
from engine.storage.offsets import EARLIEST, LATEST


@dataclass(frozen=True, slots=True)
class ProduceRequest:
    """A message set for one partition. The paper's broker answers nothing to it; ours does if it shall acknowledge."""

    batch: int
    partition: TopicPartition
    messages: int
    message_set: bytes
    acknowledge: bool


@dataclass(frozen=True, slots=True)
class ProduceResponse:
    """A message set was appended at ``offset`` (not yet flushed), or ``error`` says why not."""

    batch: int
    offset: int
    error: str


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """A pull: up to ``max_bytes`` of a partition from ``offset`` on."""

    fetch: int
    group: str
    consumer: str
    partition: TopicPartition
    offset: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class FetchResponse:
    """The bytes of a pull, as they stand in the segment file; ``error`` is "" or an error's code.

    The broker does not look inside ``data``: it may end in the middle of a message.
    """

    request: FetchRequest
    data: bytes
    error: str


@dataclass(frozen=True, slots=True)
class MultiFetchRequest:
    """Several fetches of one broker in one message; ``client`` is the address that pulls."""

    pull: int
    client: str
    fetches: tuple[FetchRequest, ...]


@dataclass(frozen=True, slots=True)
class MultiFetchResponse:
    """The answers to a multi-fetch, in the order of its fetches."""

    request: MultiFetchRequest
    answers: tuple[FetchResponse, ...]


OFFSETS_LATEST = LATEST
OFFSETS_EARLIEST = EARLIEST


@dataclass(frozen=True, slots=True)
class OffsetsRequest:
    """Which offsets did a partition have before a virtual time (or ``OFFSETS_LATEST``, ``OFFSETS_EARLIEST``)?"""

    partition: TopicPartition
    time_us: int
    max_offsets: int


@dataclass(frozen=True, slots=True)
class OffsetsResponse:
    """The answer, newest first; empty if there are none."""

    request: OffsetsRequest
    offsets: tuple[int, ...]
