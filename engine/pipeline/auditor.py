"""The auditor of a tier: counts all messages of the tier by windows, and compares with the producers' counts."""

from collections.abc import Callable

from engine.consumer.simple_consumer import Fetched, SimpleConsumer
from engine.events.pipeline import AuditCounted
from engine.ids import TopicPartition
from engine.pipeline.audit import Ledger
from engine.pipeline.catch_up import CatchUp, Reader
from engine.pipeline.loader import Sources
from engine.producer.in_flight import Layout
from engine.runtime.process import Machine


class Auditor:
    """One auditor process, which never ends: a simple consumer with its offsets and counts in memory."""

    def __init__(
        self,
        tier: str,
        sources: Sources,
        machine: Machine,
        layout: Layout,
    ) -> None:
        self.tier = tier
        self.address = f"auditor:{tier}"
        self.sources = sources
        self._settings = machine.config.deployment
        self._scheduler = machine.scheduler
        self._emit = machine.emit
        self._ledger = Ledger(self._settings.audit_window_us)
        self._reader = Reader(SimpleConsumer(self.address, machine), layout, self._settings.loader_fetch_bytes)
        self._next_offsets = {
            TopicPartition(topic, number): 0 for topic in sources.topics for number in range(len(layout(topic)))
        }
        self._scheduler.after(self._settings.audit_interval_us, self._start_job)

    def _start_job(self) -> None:
        begun_us = self._scheduler.now_us
        CatchUp(self._reader, self._next_offsets, self._count, lambda: self._compare(begun_us))

    def _count(self, results: list[Fetched], next_round: Callable[[], None]) -> None:
        for result in results:
            topic = result.fetch.partition.topic
            self._next_offsets[result.fetch.partition] = result.next_offset
            for message in result.messages:
                if topic == self.sources.monitoring:
                    self._ledger.note_event(message.payload)
                else:
                    self._ledger.note_message(self.sources.produced_as[topic], message.payload)
        next_round()

    def _compare(self, begun_us: int) -> None:
        now_us = self._scheduler.now_us
        for one in self._ledger.take_changes():
            bucket = one.bucket
            place = bucket.topic, bucket.start_us, bucket.end_us
            self._emit(AuditCounted(now_us, self.tier, *place, one.produced, one.received))
        self._scheduler.at(begun_us + self._settings.audit_interval_us, self._start_job)
