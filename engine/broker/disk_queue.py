"""Message sets that wait for a slow disk, one after the other."""

from collections.abc import Callable

from engine.events.base import Emit, Event
from engine.events.producing import BatchQueued
from engine.protocol.messages import ProduceRequest
from engine.runtime.scheduler import Scheduler, Timer


class DiskQueue:
    """The queue before one broker's disk; with no delay there is no queue and no event."""

    def __init__(self, broker: int, scheduler: Scheduler, emit: Emit, write: Callable[[ProduceRequest], None]) -> None:
        self.delay_us = 0
        self.waiting: dict[str, Event] = {}
        self._broker = broker
        self._scheduler = scheduler
        self._emit = emit
        self._write = write
        self._free_us = scheduler.now_us
        self._requests: dict[str, tuple[ProduceRequest, Timer]] = {}

    def put(self, request: ProduceRequest) -> None:
        """Write a message set, at once or when the disk has done what came before and this one."""
        if not self.delay_us and not self._requests:
            self._write(request)
            return
        self._free_us = max(self._free_us, self._scheduler.now_us) + self.delay_us
        name = f"disk:{request.batch}"
        partition = request.partition
        queued = BatchQueued(
            self._scheduler.now_us, self._free_us, request.batch, partition.topic, partition.partition, self._broker
        )
        self._emit(queued)
        self.waiting[name] = queued
        self._requests[name] = (request, self._scheduler.at(self._free_us, lambda: self._finish(name)))

    def drop(self) -> list[ProduceRequest]:
        """Forget what waits; returns it."""
        dropped = [request for request, _ in self._requests.values()]
        for _, timer in self._requests.values():
            timer.cancel()
        self._requests.clear()
        self.waiting.clear()
        return dropped

    def _finish(self, name: str) -> None:
        request, _ = self._requests.pop(name)
        del self.waiting[name]
        self._write(request)
