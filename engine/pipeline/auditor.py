"""The auditor of a tier: reads all that the tier holds, counts it by windows, compares with what producers tell."""

from collections.abc import Callable

from engine.config import Config
from engine.consumer.simple_consumer import Fetched, SimpleConsumer
from engine.events.base import Emit
from engine.events.pipeline import AuditCounted
from engine.ids import TopicPartition
from engine.pipeline.audit import Ledger
from engine.pipeline.catch_up import CatchUp, Layout, Reader
from engine.pipeline.loader import Sources
from engine.runtime.network import Network
from engine.runtime.scheduler import Scheduler
from engine.runtime.sequence_numbers import SequenceNumbers


class Auditor:
    """One auditing process: a simple consumer with its offsets and counts in memory, for all of its life."""

    def __init__(
        self,
        tier: str,
        sources: Sources,
        config: Config,
        scheduler: Scheduler,
        network: Network,
        emit: Emit,
        numbers: SequenceNumbers,
        layout: Layout,
    ) -> None:
        self.tier = tier
        self.address = f"auditor:{tier}"
        self.sources = sources
        self._settings = config.deployment
        self._scheduler = scheduler
        self._emit = emit
        self._ledger = Ledger(config.deployment.audit_window_us)
        simple = SimpleConsumer(self.address, config, scheduler, network, emit, numbers)
        self._reader = Reader(simple, scheduler, emit, layout, config.deployment.loader_fetch_bytes)
        self._next_offsets = {
            TopicPartition(topic, number): 0 for topic in sources.topics for number in range(len(layout(topic)))
        }
        scheduler.after(config.deployment.audit_interval_us, self._look)

    def _look(self) -> None:
        begun_us = self._scheduler.now_us
        CatchUp(self._reader, self._next_offsets, self._count, lambda: self._compare(begun_us))

    def _count(self, answers: list[Fetched], go_on: Callable[[], None]) -> None:
        for answer in answers:
            topic = answer.fetch.partition.topic
            self._next_offsets[answer.fetch.partition] = answer.next_offset
            for message in answer.messages:
                if topic == self.sources.monitoring:
                    self._ledger.note_event(message.payload)
                else:
                    self._ledger.note_message(self.sources.produced_as[topic], message.payload)
        go_on()

    def _compare(self, begun_us: int) -> None:
        now_us = self._scheduler.now_us
        for one in self._ledger.take_changes():
            bucket = one.bucket
            place = bucket.topic, bucket.start_us, bucket.end_us
            self._emit(AuditCounted(now_us, self.tier, *place, one.produced, one.received))
        self._scheduler.at(begun_us + self._settings.audit_interval_us, self._look)
