"""The loader: load jobs that move batches of messages into the warehouse (paper, section 4).

A job begins at regular intervals and reads to where the logs end at that moment. Each of its rounds is one transaction
of the warehouse, with the rows and the committed offsets after them. The loader stores no offset anywhere else: it
starts from the warehouse's offsets, so a round that a crash interrupts is repeated, and its rows are stored once.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from engine.consumer.simple_consumer import Fetched, SimpleConsumer
from engine.errors import InvalidMonitoringEvent
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
from engine.pipeline.catch_up import CatchUp, Reader
from engine.pipeline.warehouse import Row, Warehouse
from engine.producer.in_flight import Layout
from engine.producer.stamps import UNSTAMPED, find_stamp
from engine.runtime.process import Machine
from engine.runtime.scheduler import Timer

TIER = "warehouse"
COMPARISONS_KEPT = 512


@dataclass(frozen=True, slots=True)
class Sources:
    """What a loader reads: topics by the name they were produced under, and the topic of the monitoring events."""

    produced_as: Mapping[str, str]
    monitoring: str

    @property
    def topics(self) -> tuple[str, ...]:
        """All topics that it reads."""
        return (*self.produced_as, self.monitoring)


@dataclass(slots=True)
class _Batch:
    """The results of one round, ready for the warehouse."""

    rows: list[Row]
    monitoring_events: list[MonitoringEvent]
    next_offsets: dict[TopicPartition, int]
    buckets: dict[Bucket, None]


class Loader:
    """One loader process, which may crash and start again.

    ``state`` is ``stopped``, ``waiting`` (for responses or its next job), ``writing`` or ``crashed``. ``writing`` has
    the open transaction, by the name of its flight, while there is one.
    """

    def __init__(
        self,
        name: str,
        sources: Sources,
        machine: Machine,
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
        self._machine = machine
        self._settings = machine.config.deployment
        self._scheduler = machine.scheduler
        self._emit = machine.emit
        self._layout = layout
        self._open_warehouse = open_warehouse
        self._stuck: dict[TopicPartition, tuple[str, int]] = {}
        self._stuck_before: dict[TopicPartition, tuple[str, int]] = {}
        self._reported: dict[Bucket, tuple[int, int]] = {}
        self._job_runs = False
        self._next_job_us = 0
        self._warehouse: Warehouse
        self._simple: SimpleConsumer
        self._reader: Reader
        self._timer: Timer

    # --- start and stop ---

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.state in ("waiting", "writing")

    def start(self) -> None:
        """Open the warehouse and start from its committed offsets, or from 0 where it has none."""
        assert not self.alive
        self._warehouse = self._open_warehouse()
        committed = self._warehouse.next_offsets()
        partitions = [
            TopicPartition(topic, number) for topic in self.sources.topics for number in range(len(self._layout(topic)))
        ]
        self.rows = self._warehouse.rows()
        self.next_offsets = {partition: committed.get(partition, 0) for partition in partitions}
        self.state = "waiting"
        self._stuck.clear()
        self._stuck_before.clear()
        self._simple = SimpleConsumer(self.address, self._machine)
        self._reader = Reader(self._simple, self._layout, self._settings.loader_fetch_bytes)
        self._emit(LoaderStarted(self._scheduler.now_us, self.name, self.rows, _pairs(self.next_offsets)))
        self._timer = self._scheduler.after(0, self._begin_job)

    def crash(self) -> None:
        """Crash: an open transaction is rolled back, and what was fetched is dropped."""
        step = "fetching" if self._job_runs and self.state == "waiting" else self.state
        self.close()
        self.state = "crashed"
        self._emit(LoaderCrashed(self._scheduler.now_us, self.name, step))

    def close(self) -> None:
        """Release all resources without an event; do nothing if the loader is not running."""
        if self.alive:
            self._timer.cancel()
            self._simple.close()
            self._warehouse.close()
            self._job_runs = False
            self.writing.clear()
            self.state = "stopped"

    # --- jobs ---

    def _begin_job(self) -> None:
        self._job_runs = True
        self._stuck_before, self._stuck = self._stuck, {}
        self._next_job_us = self._scheduler.now_us + self._settings.loader_interval_us
        CatchUp(self._reader, self.next_offsets, self._write, self._end_job)

    def _end_job(self) -> None:
        self._job_runs = False
        self._timer = self._scheduler.at(self._next_job_us, self._begin_job)

    def _write(self, results: list[Fetched], next_round: Callable[[], None]) -> None:
        """Open a transaction with the results of a round."""
        for result in results:
            self._note_stuck(result)
        commit_us = self._scheduler.now_us + self._settings.loader_write_us
        batch = self._batch(results, commit_us)
        if not batch.next_offsets:
            next_round()
            return
        self._warehouse.begin(batch.rows, batch.monitoring_events, batch.next_offsets)
        load = self._machine.numbers.next("load")
        self.state = "writing"
        begun = LoadBegun(self._scheduler.now_us, commit_us, self.name, load, len(batch.rows))
        self.writing[f"load:{load}"] = begun
        self._emit(begun)
        self._timer = self._scheduler.at(commit_us, lambda: self._commit(load, batch, next_round))

    def _commit(self, load: int, batch: _Batch, next_round: Callable[[], None]) -> None:
        self._warehouse.commit()
        self._report_committed(load, batch)
        for bucket in sorted(batch.buckets):
            self._compare(bucket)
        next_round()

    def _report_committed(self, load: int, batch: _Batch) -> None:
        self.state = "waiting"
        self.writing.clear()
        self.rows += len(batch.rows)
        self.next_offsets.update(batch.next_offsets)
        now_us = self._scheduler.now_us
        taken = [row.loaded_at_us - row.stamp.at_us for row in batch.rows if row.stamp != UNSTAMPED]
        average_us = round(sum(taken) / len(taken)) if taken else 0
        landed = _pairs(batch.next_offsets)
        self._emit(LoadCommitted(now_us, self.name, load, len(batch.rows), landed, average_us))

    def _batch(self, results: Sequence[Fetched], loaded_at_us: int) -> _Batch:
        batch = _Batch([], [], {}, {})
        for result in results:
            partition = result.fetch.partition
            if result.next_offset != result.fetch.offset:
                batch.next_offsets[partition] = result.next_offset
            for message in result.messages:
                if partition.topic == self.sources.monitoring:
                    self._add_event(batch, message.payload)
                else:
                    topic = self.sources.produced_as[partition.topic]
                    stamp = find_stamp(message.payload)
                    row = Row(topic, partition.partition, message.offset, stamp, message.payload, loaded_at_us)
                    batch.rows.append(row)
                    if stamp != UNSTAMPED:
                        batch.buckets[bucket_of(topic, stamp.at_us, self._settings.audit_window_us)] = None
        return batch

    def _add_event(self, batch: _Batch, payload: bytes) -> None:
        """Add a monitoring event; skip any other payload on that topic."""
        try:
            event = MonitoringEvent.decode(payload)
        except InvalidMonitoringEvent:
            return
        batch.monitoring_events.append(event)
        batch.buckets[event.bucket] = None

    def _note_stuck(self, result: Fetched) -> None:
        """Report why a partition is stuck, unless this job or the last one has found the same error at the same offset.

        A job that does not find it again has read past it, or has nothing to read there any more. One response may
        read past such an offset and stop at another, so that one error follows another.
        """
        if not result.error:
            return
        partition = result.fetch.partition
        place = result.error, result.next_offset
        is_known = place in (self._stuck.get(partition), self._stuck_before.get(partition))
        self._stuck[partition] = place
        if not is_known:
            now_us = self._scheduler.now_us
            stuck = LoadStuck(now_us, self.name, partition.topic, partition.partition, result.error)
            self._emit(stuck)

    # --- audit ---

    def _compare(self, bucket: Bucket) -> None:
        """Report a bucket's counts from the table itself, if producers have reported theirs and something changed."""
        reported = self._warehouse.reported(bucket)
        numbers = reported.produced, self._warehouse.received(bucket)
        if not reported.events or self._reported.get(bucket) == numbers:
            return
        self._reported[bucket] = numbers
        if len(self._reported) > COMPARISONS_KEPT:
            del self._reported[min(self._reported, key=lambda one: one.end_us)]
        now_us, place = self._scheduler.now_us, (bucket.topic, bucket.start_us, bucket.end_us)
        self._emit(AuditCounted(now_us, TIER, *place, *numbers))
        latency = self._warehouse.latency(bucket)
        if latency.messages:
            taken = latency.messages, latency.average_us, latency.percentile_95_us
            self._emit(LatencyMeasured(now_us, *place, *taken))


def _pairs(next_offsets: Mapping[TopicPartition, int]) -> tuple[tuple[str, int], ...]:
    return tuple((str(partition), offset) for partition, offset in next_offsets.items())
