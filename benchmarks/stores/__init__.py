"""Everybody who can store messages and give them back, behind one shape.

None waits for the disk at each batch: all survive a crash of the program and none a power cut in the middle.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from benchmarks.measure import Subject, require
from benchmarks.messages import Batch, bytes_below, empty


class Store(Protocol):
    """A store in a directory of its own."""

    name: str

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        """Open an empty store; what is returned writes all batches and closes it, and is timed."""

    def count(self, directory: Path) -> int:
        """How many messages a closed store holds, by looking."""

    def reader(self, directory: Path, tally: "Tally") -> Callable[[], None]:
        """Open a filled store; what is returned hands every message to a loop that tallies it, and is timed."""


class Tally:
    """How much a reader has read, to be sure that it did."""

    def __init__(self) -> None:
        self.messages = 0
        self.bytes = 0


def append_subject(store: Store, directory: Path, batches: Sequence[Batch]) -> Subject:
    """A store that writes the batches into a fresh directory."""
    messages = sum(map(len, batches))

    def verify() -> None:
        require(store.count(directory) == messages, f"{store.name} holds another number of messages")

    return Subject(store.name, messages, lambda: store.writer(empty(directory), batches), verify)


def read_subject(store: Store, directory: Path, batches: Sequence[Batch]) -> Subject:
    """A store, filled now, that reads everything back."""
    store.writer(empty(directory), batches)()
    messages = sum(map(len, batches))
    payload_bytes = sum(len(payload) for batch in batches for payload in batch)
    tally = Tally()

    def prepare() -> Callable[[], None]:
        tally.messages = tally.bytes = 0
        return store.reader(directory, tally)

    def verify() -> None:
        require((tally.messages, tally.bytes) == (messages, payload_bytes), f"{store.name} gave back something else")

    return Subject(store.name, messages, prepare, verify)


def overhead_bytes(store: Store, directory: Path, batches: Sequence[Batch]) -> float:
    """Bytes on disk a message, beyond its payload."""
    store.writer(empty(directory), batches)()
    payload_bytes = sum(len(payload) for batch in batches for payload in batch)
    return (bytes_below(directory) - payload_bytes) / sum(map(len, batches))
