"""The log manager of one broker: it opens, flushes, cleans up and closes the logs, and reports it to the journal."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from engine.broker.clean_shutdown import leave_mark, take_mark
from engine.config import NEVER_US, SECOND_US, UNLIMITED_BYTES
from engine.errors import MachineFault, StorageFailed, UnknownPartition
from engine.events.cluster import LogCut
from engine.events.producing import LogFlushed, SegmentDeleted, SegmentRolled
from engine.ids import BrokerId, TopicPartition
from engine.runtime.process import Process
from engine.runtime.scheduler import Timer
from engine.storage.disk import Disk
from engine.storage.log import Appended, Log, SegmentFacts
from engine.storage.log_config import LogConfig

FIRST_RETENTION_CHECK_US = 60 * SECOND_US
"""0.7 first checks for old segments a minute after its start, then at every interval."""

Moved = Callable[[TopicPartition, int], int]
"""Called when a log's end, or its start, has moved to an offset; returns how many messages that removed."""


@dataclass(frozen=True, slots=True)
class LogListener:
    """The callbacks of an observer of a broker's logs; it counts messages, which no broker does."""

    on_append: Callable[[TopicPartition, Appended, tuple[str, ...]], None]
    on_cut: Moved
    on_delete: Moved


class LogManager:
    """The partition logs of a broker; none until :meth:`create_log` adds one.

    ``logs`` can be read while they are closed, as those of a stopped broker are. ``on_disk_failure`` is called when a
    timed flush or retention check fails: the broker must then halt (0.7: Log.append halts the process).
    """

    def __init__(
        self,
        broker: BrokerId,
        directory: Path,
        process: Process,
        disk: Disk,
        listener: LogListener,
        on_disk_failure: Callable[[], None],
    ) -> None:
        config = process.machine.config
        self.logs: dict[TopicPartition, Log] = {}
        self._broker = broker
        self._directory = directory
        self._process = process
        self._config = config
        self._limits = LogConfig(
            config.segment_bytes,
            config.flush_messages,
            config.max_message_bytes,
            config.flush_interval_us,
            config.roll_interval_us,
            config.retention_us,
            config.retention_bytes,
        )
        self._disk = disk
        self._listener = listener
        self._on_disk_failure = on_disk_failure
        self._flush_timers: dict[TopicPartition, Timer] = {}
        self._retention_timers: list[Timer] = []

    # --- finding a log ---

    def checked(self, topic: str, partition: int) -> TopicPartition:
        """Return the partition with this topic and number.

        A topic without any log here may still get one (0.7.1). Raises :class:`~engine.errors.UnknownPartition` if the
        topic has logs here, but no such partition.
        """
        named = TopicPartition(topic, partition)
        if named not in self.logs and (partition < 0 or any(held.topic == topic for held in self.logs)):
            raise self._unknown(named)
        return named

    def holds(self, partition: TopicPartition) -> bool:
        """Whether the partition has a log here."""
        return partition in self.logs

    def get(self, partition: TopicPartition) -> Log:
        """The log of a partition; :class:`~engine.errors.UnknownPartition` if there is none."""
        if partition not in self.logs:
            raise self._unknown(partition)
        return self.logs[partition]

    def _unknown(self, partition: TopicPartition) -> UnknownPartition:
        return UnknownPartition(
            f"broker {self._broker} does not hold {partition}",
            "ask for one of: " + ", ".join(str(held) for held in sorted(self.logs)),
            partition=str(partition),
        )

    # --- opening and closing ---

    def open(self) -> None:
        """Open every log held so far, recovering it unless it was closed cleanly, and start the retention checks."""
        closed_cleanly = bool(self.logs) and take_mark(self._directory, self._disk)
        for partition in list(self.logs):
            self._open_log(partition, closed_cleanly=closed_cleanly)
            self._report_cut(partition, "recovery", self.logs[partition].recovery.bytes_cut)
        if self._config.retention_us != NEVER_US or self._config.retention_bytes != UNLIMITED_BYTES:
            self._check_retention_after(min(FIRST_RETENTION_CHECK_US, self._config.retention_check_interval_us))

    def create_log(self, partition: TopicPartition) -> None:
        """Create an empty log for a partition."""
        self._open_log(partition, closed_cleanly=False)

    def close(self) -> None:
        """Flush and close every log, and leave the clean-shutdown mark.

        Raises :class:`~engine.errors.StorageFailed` if the disk cannot flush; every log is still open then.
        """
        self._stop_timers()
        for partition in self.logs:
            self.flush(partition)
        for log in self.logs.values():
            log.close()
        if self.logs:
            leave_mark(self._directory, self._disk)

    def crash(self) -> None:
        """Lose what was not flushed."""
        self._stop_timers()
        for partition, log in self.logs.items():
            self._report_cut(partition, "crash", log.lose_unflushed())

    def close_files(self) -> None:
        """Close the logs and report nothing: the whole cluster is being closed, and its files are not opened again."""
        for log in self.logs.values():
            with suppress(StorageFailed, MachineFault):
                log.close()

    def _open_log(self, partition: TopicPartition, *, closed_cleanly: bool) -> None:
        self.logs[partition] = Log.open(
            self._directory / str(partition),
            limits=self._limits,
            disk=self._disk,
            now_us=lambda: self._process.now_us,
            closed_cleanly=closed_cleanly,
        )

    def _stop_timers(self) -> None:
        for timer in [*self._flush_timers.values(), *self._retention_timers]:
            timer.cancel()
        self._flush_timers.clear()
        self._retention_timers.clear()

    def _report_cut(self, partition: TopicPartition, cause: str, bytes_cut: int) -> None:
        if not bytes_cut:
            return
        next_offset = self.logs[partition].next_offset
        messages_cut = self._listener.on_cut(partition, next_offset)
        where = partition.topic, partition.partition, self._broker
        self._process.emit(LogCut(self._process.now_us, *where, cause, next_offset, bytes_cut, messages_cut))

    # --- flushing ---

    def flush(self, partition: TopicPartition) -> None:
        """Flush a log, which makes all of it readable, and report that."""
        flushed_offset = self.logs[partition].flush()
        self._process.emit(LogFlushed(self._process.now_us, partition.topic, partition.partition, flushed_offset))

    def flush_in_time(self, partition: TopicPartition) -> None:
        """Schedule a flush check, unless one is pending, so that appended messages become readable in time."""
        timer = self._flush_timers.get(partition)
        if timer is None or not timer.pending:
            self._check_flush_later(partition)

    def _check_flush_later(self, partition: TopicPartition) -> None:
        delay_us = self._config.flush_check_interval_us
        self._flush_timers[partition] = self._process.time.after(delay_us, lambda: self._check_flush(partition))

    def _check_flush(self, partition: TopicPartition) -> None:
        log = self.logs[partition]
        try:
            flushed = log.flush_if_due()
        except StorageFailed:
            self._on_disk_failure()
            return
        if flushed:
            now_us = self._process.now_us
            self._process.emit(LogFlushed(now_us, partition.topic, partition.partition, log.flushed_offset))
        elif log.has_unflushed:
            self._check_flush_later(partition)

    # --- retention ---

    def _check_retention_after(self, delay_us: int) -> None:
        self._retention_timers[:] = [self._process.time.after(delay_us, self._check_retention)]

    def _check_retention(self) -> None:
        """Delete the segments over the age or size limit from every log, and check again after the interval."""
        try:
            for partition in self.logs:
                self._delete_old(partition)
        except StorageFailed:
            self._on_disk_failure()
            return
        self._check_retention_after(self._config.retention_check_interval_us)

    def _delete_old(self, partition: TopicPartition) -> None:
        log = self.logs[partition]
        active_before, flushed_before = log.active_base_offset, log.flushed_offset
        removed = log.delete_old()
        now_us = self._process.now_us
        if log.flushed_offset != flushed_before:
            self._process.emit(LogFlushed(now_us, partition.topic, partition.partition, log.flushed_offset))
        if log.active_base_offset != active_before:
            self._process.emit(SegmentRolled(now_us, partition.topic, partition.partition, log.active_base_offset))
        for segment in removed:
            self._report_deleted(partition, segment)

    def _report_deleted(self, partition: TopicPartition, segment: SegmentFacts) -> None:
        first_offset = segment.base_offset + segment.bytes
        self._listener.on_delete(partition, first_offset)
        where = partition.topic, partition.partition
        self._process.emit(SegmentDeleted(self._process.now_us, *where, segment.base_offset, first_offset))
