"""The logs of one broker in virtual time: opened, flushed, aged and closed together, and told of in the journal."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from engine.broker.clean_shutdown import leave_mark, take_mark
from engine.config import NEVER_US, SECOND_US, UNLIMITED_BYTES, Config
from engine.errors import MachineFault, StorageFailed
from engine.events.base import Emit
from engine.events.cluster import LogCut
from engine.events.producing import LogFlushed, SegmentDeleted, SegmentRolled
from engine.ids import BrokerId, TopicPartition
from engine.runtime.scheduler import Scheduler, Timer
from engine.storage.disk import Disk
from engine.storage.log import Log, SegmentFacts
from engine.storage.log_config import LogConfig

FIRST_RETENTION_CHECK_US = 60 * SECOND_US
"""0.7 looks for old segments a minute after it started, then at every interval."""

Moved = Callable[[TopicPartition, int], int]
"""Told that a log now ends, or begins, at an offset; answers how many messages that took."""


class LogManager:
    """The partition logs of a broker; empty until it is told to hold some.

    ``logs`` may be looked at while they are closed, as the logs of a broker that is down are. ``on_disk_failure`` is
    called when the disk refuses a tick's work: the broker must then end (0.7: Log.append halts the process).
    """

    def __init__(
        self,
        broker: BrokerId,
        directory: Path,
        config: Config,
        scheduler: Scheduler,
        emit: Emit,
        disk: Disk,
        on_cut: Moved,
        on_delete: Moved,
        on_disk_failure: Callable[[], None],
    ) -> None:
        self.logs: dict[TopicPartition, Log] = {}
        self._broker = broker
        self._directory = directory
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
        self._scheduler = scheduler
        self._emit = emit
        self._disk = disk
        self._on_cut = on_cut
        self._on_delete = on_delete
        self._on_disk_failure = on_disk_failure
        self._flush_timers: dict[TopicPartition, Timer] = {}
        self._retention_timers: list[Timer] = []

    # --- life ---

    def open(self) -> None:
        """Open every log held so far, recovering them unless they were closed cleanly, and let time work on them."""
        closed_cleanly = bool(self.logs) and take_mark(self._directory, self._disk)
        for partition in list(self.logs):
            self._open_log(partition, closed_cleanly=closed_cleanly)
            self._tell_cut(partition, "recovery", self.logs[partition].recovery.bytes_cut)
        if self._config.retention_us != NEVER_US or self._config.retention_bytes != UNLIMITED_BYTES:
            self._check_retention_after(min(FIRST_RETENTION_CHECK_US, self._config.retention_check_interval_us))

    def create_log(self, partition: TopicPartition) -> None:
        """Take charge of a partition, with an empty log."""
        self._open_log(partition, closed_cleanly=False)

    def close(self) -> None:
        """Flush and close every log, and leave the mark that says so.

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
            self._tell_cut(partition, "crash", log.lose_unflushed())

    def close_files(self) -> None:
        """Close the logs without a word: the whole cluster is being put away, and nobody opens its files again."""
        for log in self.logs.values():
            with suppress(StorageFailed, MachineFault):
                log.close()

    def _open_log(self, partition: TopicPartition, *, closed_cleanly: bool) -> None:
        self.logs[partition] = Log.open(
            self._directory / str(partition),
            limits=self._limits,
            disk=self._disk,
            now_us=lambda: self._scheduler.now_us,
            closed_cleanly=closed_cleanly,
        )

    def _stop_timers(self) -> None:
        for timer in [*self._flush_timers.values(), *self._retention_timers]:
            timer.cancel()
        self._flush_timers.clear()
        self._retention_timers.clear()

    def _tell_cut(self, partition: TopicPartition, cause: str, bytes_cut: int) -> None:
        if not bytes_cut:
            return
        next_offset = self.logs[partition].next_offset
        messages_cut = self._on_cut(partition, next_offset)
        where = partition.topic, partition.partition, self._broker
        self._emit(LogCut(self._scheduler.now_us, *where, cause, next_offset, bytes_cut, messages_cut))

    # --- flushing ---

    def flush(self, partition: TopicPartition) -> None:
        """Show everything to readers, and tell so."""
        flushed_offset = self.logs[partition].flush()
        self._emit(LogFlushed(self._scheduler.now_us, partition.topic, partition.partition, flushed_offset))

    def flush_in_time(self, partition: TopicPartition) -> None:
        """See to it that what was appended does not wait for readers longer than it may."""
        timer = self._flush_timers.get(partition)
        if timer is None or not timer.pending:
            self._check_flush_later(partition)

    def _check_flush_later(self, partition: TopicPartition) -> None:
        delay_us = self._config.flush_check_interval_us
        self._flush_timers[partition] = self._scheduler.after(delay_us, lambda: self._check_flush(partition))

    def _check_flush(self, partition: TopicPartition) -> None:
        log = self.logs[partition]
        try:
            flushed = log.flush_if_due()
        except StorageFailed:
            self._on_disk_failure()
            return
        if flushed:
            now_us = self._scheduler.now_us
            self._emit(LogFlushed(now_us, partition.topic, partition.partition, log.flushed_offset))
        elif log.has_unflushed:
            self._check_flush_later(partition)

    # --- forgetting ---

    def _check_retention_after(self, delay_us: int) -> None:
        self._retention_timers[:] = [self._scheduler.after(delay_us, self._check_retention)]

    def _check_retention(self) -> None:
        """Remove what is over age or size from every log, and look again after the interval."""
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
        now_us = self._scheduler.now_us
        if log.flushed_offset != flushed_before:
            self._emit(LogFlushed(now_us, partition.topic, partition.partition, log.flushed_offset))
        if log.active_base_offset != active_before:
            self._emit(SegmentRolled(now_us, partition.topic, partition.partition, log.active_base_offset))
        for segment in removed:
            self._tell_deleted(partition, segment)

    def _tell_deleted(self, partition: TopicPartition, segment: SegmentFacts) -> None:
        first_offset = segment.base_offset + segment.bytes
        self._on_delete(partition, first_offset)
        where = partition.topic, partition.partition
        self._emit(SegmentDeleted(self._scheduler.now_us, *where, segment.base_offset, first_offset))
