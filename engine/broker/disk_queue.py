"""A queue of message sets that wait for a slow disk."""

from collections.abc import Callable

from engine.events.base import Event
from engine.events.producing import BatchQueued
from engine.protocol.envelope import RequestEnvelope
from engine.runtime.process import Process
from engine.runtime.scheduler import Timer


class DiskQueue:
    """The queue in front of one broker's disk; without a delay, sets are written at once and no event is emitted."""

    def __init__(self, broker: int, process: Process, write: Callable[[RequestEnvelope], None]) -> None:
        self.delay_us = 0
        self.waiting: dict[str, Event] = {}
        self._broker = broker
        self._process = process
        self._write = write
        self._free_us = process.now_us
        self._requests: dict[str, tuple[RequestEnvelope, Timer]] = {}

    @property
    def size_bytes(self) -> int:
        """The bytes of the requests in the queue."""
        return sum(len(envelope.frame) for envelope, _ in self._requests.values())

    def put(self, envelope: RequestEnvelope) -> None:
        """Write a message set: at once, or when the disk has finished the earlier sets and this one."""
        if not self.delay_us and not self._requests:
            self._write(envelope)
            return
        batch, partition = envelope.batch.batch, envelope.partition
        now_us = self._process.now_us
        self._free_us = max(self._free_us, now_us) + self.delay_us
        name = f"disk:{batch}"
        queued = BatchQueued(now_us, self._free_us, batch, partition.topic, partition.partition, self._broker)
        self._process.emit(queued)
        self.waiting[name] = queued
        self._requests[name] = (envelope, self._process.time.at(self._free_us, lambda: self._finish(name)))

    def drop(self) -> list[RequestEnvelope]:
        """Empty the queue; return the requests that were in it."""
        dropped = [envelope for envelope, _ in self._requests.values()]
        for _, timer in self._requests.values():
            timer.cancel()
        self._requests.clear()
        self.waiting.clear()
        return dropped

    def _finish(self, name: str) -> None:
        envelope, _ = self._requests.pop(name)
        del self.waiting[name]
        self._write(envelope)
