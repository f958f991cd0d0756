"""The loader: load jobs that move batches of messages into the warehouse (paper, section 4).

A job begins every so often and runs to where the logs end at that moment. Each of its rounds is one transaction of the
warehouse with the rows and the bookmarks behind them. The loader keeps no offset anywhere else: it begins at the
warehouse's bookmarks, so what a crash interrupts is done again, once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.config import Config
from engine.consumer.simple_consumer import Fetched, SimpleConsumer
from engine.errors import InvalidMonitoringEvent
from engine.events.base import Emit
from engine.events.pipeline import (
    AuditCounted,
    LatencyMeasured,
    LoadBegun,
    LoadCommitted,
    LoaderCrashed,
    LoaderStarted,
    LoadStuck,
)
from engine.ids import TopicPartition
from engine.pipeline.audit import Bucket, MonitoringEvent, bucket_of
from engine.pipeline.catch_up import CatchUp, Layout, Reader
from engine.pipeline.warehouse import Row, Warehouse
from engine.producer.stamps import UNSTAMPED, find_stamp
from engine.runtime.network import Network
from engine.runtime.scheduler import Scheduler, Timer
from engine.runtime.sequence_numbers import SequenceNumbers

TIER = "warehouse"
COMPARISONS_KEPT = 512


@dataclass(frozen=True, slots=True)
class Sources:
    """What a loader reads: topics by the name they were produced under, and the topic of the monitoring events."""

    produced_as: Mapping[str, str]
    monitoring: str

    @property
    def topics(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.produced_as, self.monitoring)


@dataclass(slots=True)
class _Batch:
    """What a round brought, ready for the table."""

    rows: list[Row]
    monitoring_events: list[MonitoringEvent]
    next_offsets: dict[TopicPartition, int]
    buckets: dict[Bucket, None]


class Loader:
    """One loader process, which may crash and start again.

    ``state`` is ``stopped``, ``waiting`` (for answers or for its next job), ``writing`` or ``crashed``. ``writing`` has
    the open transaction, by the name of its flight, while there is one.
    """

    def __init__(
        self,
        name: str,
        sources: Sources,
        config: Config,
        scheduler: Scheduler,
        network: Network,
        emit: Emit,
        numbers: SequenceNumbers,
        layout: Layout,
        open_warehouse: Callable[[], Warehouse],
    ) -> None:
        self.name = name
        self.address = f"loader:{name}"
        self.sources = sources
        self.state = "stopped"
        self.rows = 0
        self.writing: dict[str, LoadBegun] = {}
        self.next_offsets: dict[TopicPartition, int] = {}
        self._config = config
        self._scheduler = scheduler
        self._network = network
        self._emit = emit
        self._numbers = numbers
        self._layout = layout
        self._open_warehouse = open_warehouse
        self._stuck: dict[TopicPartition, tuple[str, int]] = {}
        self._stuck_before: dict[TopicPartition, tuple[str, int]] = {}
        self._told: dict[Bucket, tuple[int, int]] = {}
        self._job_runs = False
        self._next_job_us = 0
        self._warehouse: Warehouse
        self._simple: SimpleConsumer
        self._reader: Reader
        self._timer: Timer

    # --- life ---

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.state in ("waiting", "writing")

    def start(self) -> None:
        """Open the warehouse, begin at its bookmarks, at offset 0 where it has none."""
        assert not self.alive
        self._warehouse = self._open_warehouse()
        bookmarks = self._warehouse.next_offsets()
        partitions = [
            TopicPartition(topic, number) for topic in self.sources.topics for number in range(len(self._layout(topic)))
        ]
        self.rows = self._warehouse.rows()
        self.next_offsets = {partition: bookmarks.get(partition, 0) for partition in partitions}
        self.state = "waiting"
        self._stuck.clear()
        self._stuck_before.clear()
        self._simple = SimpleConsumer(
            self.address, self._config, self._scheduler, self._network, self._emit, self._numbers
        )
        max_bytes = self._config.deployment.loader_fetch_bytes
        self._reader = Reader(self._simple, self._scheduler, self._emit, self._layout, max_bytes)
        self._emit(LoaderStarted(self._scheduler.now_us, self.name, self.rows, _pairs(self.next_offsets)))
        self._timer = self._scheduler.after(0, self._begin_job)

    def crash(self) -> None:
        """End without warning: an open transaction is rolled back, what was pulled is gone."""
        step = "pulling" if self._job_runs and self.state == "waiting" else self.state
        self.close()
        self.state = "crashed"
        self._emit(LoaderCrashed(self._scheduler.now_us, self.name, step))

    def close(self) -> None:
        """Let go of everything without a word; does nothing if it does not run."""
        if self.alive:
            self._timer.cancel()
            self._simple.vanish()
            self._warehouse.close()
            self._job_runs = False
            self.writing.clear()
            self.state = "stopped"

    # --- jobs ---

    def _begin_job(self) -> None:
        self._job_runs = True
        self._stuck_before, self._stuck = self._stuck, {}
        self._next_job_us = self._scheduler.now_us + self._config.deployment.loader_interval_us
        CatchUp(self._reader, self.next_offsets, self._write, self._end_job)

    def _end_job(self) -> None:
        self._job_runs = False
        self._timer = self._scheduler.at(self._next_job_us, self._begin_job)

    def _write(self, answers: list[Fetched], go_on: Callable[[], None]) -> None:
        """Open a transaction with what a round brought."""
        for answer in answers:
            self._note_stuck(answer)
        commit_us = self._scheduler.now_us + self._config.deployment.loader_write_us
        batch = self._batch(answers, commit_us)
        if not batch.next_offsets:
            go_on()
            return
        self._warehouse.begin(batch.rows, batch.monitoring_events, batch.next_offsets)
        load = self._numbers.next("load")
        self.state = "writing"
        begun = LoadBegun(self._scheduler.now_us, commit_us, self.name, load, len(batch.rows))
        self.writing[f"load:{load}"] = begun
        self._emit(begun)
        self._timer = self._scheduler.at(commit_us, lambda: self._commit(load, batch, go_on))

    def _commit(self, load: int, batch: _Batch, go_on: Callable[[], None]) -> None:
        self._warehouse.commit()
        self._tell_committed(load, batch)
        for bucket in sorted(batch.buckets):
            self._compare(bucket)
        go_on()

    def _tell_committed(self, load: int, batch: _Batch) -> None:
        self.state = "waiting"
        self.writing.clear()
        self.rows += len(batch.rows)
        self.next_offsets.update(batch.next_offsets)
        now_us = self._scheduler.now_us
        taken = [row.loaded_at_us - row.stamp.at_us for row in batch.rows if row.stamp != UNSTAMPED]
        average_us = round(sum(taken) / len(taken)) if taken else 0
        landed = _pairs(batch.next_offsets)
        self._emit(LoadCommitted(now_us, self.name, load, len(batch.rows), landed, average_us))

    def _batch(self, answers: Sequence[Fetched], loaded_at_us: int) -> _Batch:
        batch = _Batch([], [], {}, {})
        for answer in answers:
            partition = answer.fetch.partition
            if answer.next_offset != answer.fetch.offset:
                batch.next_offsets[partition] = answer.next_offset
            for message in answer.messages:
                if partition.topic == self.sources.monitoring:
                    self._add_event(batch, message.payload)
                else:
                    topic = self.sources.produced_as[partition.topic]
                    stamp = find_stamp(message.payload)
                    row = Row(topic, partition.partition, message.offset, stamp, message.payload, loaded_at_us)
                    batch.rows.append(row)
                    if stamp != UNSTAMPED:
                        batch.buckets[bucket_of(topic, stamp.at_us, self._config.deployment.audit_window_us)] = None
        return batch

    def _add_event(self, batch: _Batch, payload: bytes) -> None:
        """Anything else than a monitoring event on that topic is passed over."""
        try:
            event = MonitoringEvent.decode(payload)
        except InvalidMonitoringEvent:
            return
        batch.monitoring_events.append(event)
        batch.buckets[event.bucket] = None

    def _note_stuck(self, answer: Fetched) -> None:
        """Say that a partition cannot be read on, and why, unless this job or the one before has found the same there.

        A job that does not find it again has gone on, or has nothing to read there any more. One answer may go on from
        such a place and end at the next, so that an error follows an error.
        """
        if not answer.error:
            return
        partition = answer.fetch.partition
        place = answer.error, answer.next_offset
        is_known = place in (self._stuck.get(partition), self._stuck_before.get(partition))
        self._stuck[partition] = place
        if not is_known:
            now_us = self._scheduler.now_us
            stuck = LoadStuck(now_us, self.name, partition.topic, partition.partition, answer.error)
            self._emit(stuck)

    # --- audit ---

    def _compare(self, bucket: Bucket) -> None:
        """Tell a bucket's numbers from the table itself, if producers have told theirs and something changed."""
        told = self._warehouse.told(bucket)
        numbers = told.produced, self._warehouse.received(bucket)
        if not told.events or self._told.get(bucket) == numbers:
            return
        self._told[bucket] = numbers
        if len(self._told) > COMPARISONS_KEPT:
            del self._told[min(self._told, key=lambda one: one.end_us)]
        now_us, place = self._scheduler.now_us, (bucket.topic, bucket.start_us, bucket.end_us)
        self._emit(AuditCounted(now_us, TIER, *place, *numbers))
        latency = self._warehouse.latency(bucket)
        if latency.messages:
            taken = latency.messages, latency.average_us, latency.percentile_95_us
            self._emit(LatencyMeasured(now_us, *place, *taken))


def _pairs(next_offsets: Mapping[TopicPartition, int]) -> tuple[tuple[str, int], ...]:
    return tuple((str(partition), offset) for partition, offset in next_offsets.items())
