"""The live brokers of a datacenter as a client knows them: the registry's list, watched for changes."""

from collections.abc import Callable
from typing import Any

from engine.events.registry import WatchDelivered
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import Conversation, RegistryClient
from engine.registry.server import ADDRESS as REGISTRY
from engine.registry.session import SessionListener
from engine.runtime.process import Process


def nothing_closes() -> None:
    """Do nothing when the session is closed, since the client only watches."""


class LiveBrokers:
    """The set of live brokers, kept by a registry session of ``process``; ``on_change`` is called after each reading.

    The registry lists a crashed broker until its session expires, and so does this set.
    """

    def __init__(self, process: Process, on_change: Callable[[], None], registry: str = REGISTRY) -> None:
        self._process = process
        self._on_change = on_change
        self._brokers: frozenset[int] = frozenset()
        self._client = RegistryClient(process, SessionListener(self._watch, self.open, nothing_closes), registry)

    def __contains__(self, broker: int) -> bool:
        return broker in self._brokers

    def open(self) -> None:
        """Open a session and read the list; called again when the session is lost."""
        self._client.open()

    def close(self) -> None:
        """Close the session, without waiting for the response."""
        self._client.close()

    def abandon(self) -> None:
        """Stop sending; the registry keeps the session until it expires."""
        self._client.abandon()

    def receive(self, message: Any) -> None:
        """Process a message from the registry; after a watch notification, read the list again."""
        if not self._client.receive(message):
            self._process.emit(WatchDelivered(self._process.now_us, message.watch))
            self._watch()

    def _watch(self) -> None:
        self._client.start(self._read())

    def _read(self) -> Conversation:
        (listed,) = yield (ops.WatchChildren(paths.BROKERS),)
        assert isinstance(listed, tuple)
        self._brokers = frozenset(int(name) for name in listed)
        self._on_change()
