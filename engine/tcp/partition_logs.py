"""All logs of one broker: opened together, flushed and cleaned by time, closed together."""

import logging
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Final, Self

from engine.broker.clean_shutdown import leave_mark, take_mark
from engine.config import HOUR_US, MILLISECOND_US
from engine.errors import InvalidName, OffsetscopeError, StorageFailed, UnknownPartition
from engine.ids import TopicPartition
from engine.storage.disk import Disk
from engine.storage.log import NOT_ROLLED, Log
from engine.storage.log_config import LogConfig
from engine.tcp.client_log import printable
from engine.tcp.data_folder import SHOWN_CHARACTERS, DataFolder
from engine.tcp.faults import TooManyPartitions
from engine.tcp.settings import MILLISECONDS_A_SECOND, ROLL_HOURS, BrokerSettings
from engine.tcp.wall_clock import WallClock

FIRST_CLEANING_S: Final = 60.0  # 0.7: LogManager
CLEANING_INTERVAL_S: Final = 600.0  # 0.7: log.cleanup.interval.mins

logger = logging.getLogger(__name__)


class PartitionLogs:
    """The logs in a data folder, by topic and partition.

    ``clock`` returns monotonic seconds. Methods raise what :class:`~engine.storage.log.Log` raises.
    """

    def __init__(self, folder: DataFolder, settings: BrokerSettings, disk: Disk, clock: Callable[[], float]) -> None:
        """Make it without logs; :meth:`open` adds them."""
        self._folder = folder
        self._settings = settings
        self._limits = limits_of(settings)
        self._disk = disk
        self._clock = clock
        self._wall_us = WallClock()
        self._logs: dict[TopicPartition, Log] = {}
        # All have the same flush interval, so the first that was put in is the first that is due.
        self._flush_due_s: dict[TopicPartition, float] = {}
        self._clean_due_s = clock() + FIRST_CLEANING_S

    @classmethod
    def open(cls, settings: BrokerSettings, *, disk: Disk, clock: Callable[[], float]) -> Self:
        """Lock the data folder and open every log in it; recover them unless all were closed cleanly.

        Raises :class:`~engine.tcp.faults.DataFolderUnusable`, or what the first log that cannot be opened raises.
        """
        folder = DataFolder.open(settings.data_dir)
        logs = cls(folder, settings, disk, clock)
        try:
            closed_cleanly = take_mark(folder.path, disk)
            for partition in folder.partitions():
                logs._open(partition, folder.log_directory(partition), closed_cleanly=closed_cleanly)
        except BaseException:
            logs._close_without_mark()
            raise
        return logs

    @property
    def due_s(self) -> float:
        """When :meth:`do_what_is_due` has something to do next."""
        return min(self._clean_due_s, next(iter(self._flush_due_s.values()), self._clean_due_s))

    def checked(self, topic: str, partition: int) -> TopicPartition:
        """Return the partition of this topic and number, whether it has a log or not.

        Raises :class:`~engine.errors.InvalidName` for an empty name, or :class:`~engine.errors.UnknownPartition` for a
        number that no topic has here (0.7: LogManager.getLogPool). The first :meth:`append` checks whether a directory
        can have the name.
        """
        if not topic:
            raise InvalidName("the name of the topic is empty", "give a name", name="")
        if not 0 <= partition < self._settings.partitions:
            shown = topic[:SHOWN_CHARACTERS]
            raise UnknownPartition(
                f"there is no partition {partition} of {shown}: every topic has {self._settings.partitions} here",
                f"use a partition from 0 to {self._settings.partitions - 1}",
                partition=f"{shown}-{partition}",
            )
        return _partition_named(topic, partition)

    def holds(self, partition: TopicPartition) -> bool:
        """Return whether the partition has a log already; its first message creates it."""
        return partition in self._logs

    def get(self, partition: TopicPartition) -> Log:
        """Return the log of a partition for which :meth:`holds` is true."""
        return self._logs[partition]

    def room(self, partition: TopicPartition) -> tuple[int, int]:
        """Return how many bytes and messages the log takes before it rolls or flushes; (-1, 0) without a log.

        The number of bytes is negative if the log rolls with the next append.
        """
        if partition not in self._logs:
            return -1, 0
        log = self._logs[partition]
        return log.bytes_before_roll, self._limits.flush_messages - log.unflushed_messages

    def append(self, partition: TopicPartition, message_set: bytes) -> None:
        """Append a set, to a new log if there is none; readers see it at once or within ``flush_ms``.

        Raises :class:`~engine.errors.InvalidName` if no directory here can have the partition's name.
        """
        if partition not in self._logs:
            self._create(partition)
        appended = self._logs[partition].append(message_set)
        if appended.flushed or appended.rolled_base_offset != NOT_ROLLED:
            self._flush_due_s.pop(partition, None)
        if not appended.flushed and partition not in self._flush_due_s:
            self._flush_due_s[partition] = self._clock() + self._settings.flush_ms / MILLISECONDS_A_SECOND

    def do_what_is_due(self) -> None:
        """Flush every log whose oldest unflushed message has waited long enough; at intervals remove old segments.

        If the disk fails for a log, the server's log reports it, and the other logs are not affected.
        """
        now_s = self._clock()
        for partition in [partition for partition, due_s in self._flush_due_s.items() if due_s <= now_s]:
            del self._flush_due_s[partition]
            self._attempt(partition, self._logs[partition].flush)
        if self._clean_due_s <= now_s:
            self._clean_due_s = now_s + CLEANING_INTERVAL_S
            for partition in self._logs:
                self._attempt(partition, partial(self._clean, partition))

    def close(self) -> None:
        """Flush and close all logs, leave the mark of a clean shutdown, and release the folder.

        Raises :class:`~engine.errors.StorageFailed` if the disk failed for one of them; then there is no mark.
        """
        try:
            refusals = self._close_logs()
            if refusals:
                raise refusals[0]
            leave_mark(self._folder.path, self._disk)
        finally:
            self._folder.close()

    def _close_without_mark(self) -> None:
        self._close_logs()
        self._folder.close()

    def _close_logs(self) -> list[StorageFailed]:
        refusals = []
        for log in self._logs.values():
            try:
                log.close()
            except StorageFailed as error:
                refusals.append(error)
        return refusals

    def _attempt(self, partition: TopicPartition, action: Callable[[], object]) -> None:
        try:
            action()
        except StorageFailed as error:
            logger.error("%s", printable(f"{partition}: {error.message}; {error.remedy}"))

    def _clean(self, partition: TopicPartition) -> None:
        for segment in self._logs[partition].delete_old():
            logger.info("%s: removed %s, past its retention", printable(str(partition)), segment.file)

    def _create(self, partition: TopicPartition) -> None:
        if len(self._logs) >= self._settings.partitions_max:
            raise TooManyPartitions(
                f"cannot create {partition}: the broker has its maximum of {self._settings.partitions_max} logs",
                "remove unused topics, or allow the process more open files",
                partition=str(partition),
            )
        self._open(partition, self._folder.new_log_directory(partition), closed_cleanly=False)

    def _open(self, partition: TopicPartition, directory: Path, *, closed_cleanly: bool) -> None:
        try:
            log = Log.open(
                directory,
                limits=self._limits,
                disk=self._disk,
                now_us=self._wall_us,
                closed_cleanly=closed_cleanly,
            )
        except OffsetscopeError as error:
            error.message = printable(f"{partition}: {error.message}")
            raise
        if log.recovery.bytes_cut:
            cut = log.recovery
            logger.warning("%s: truncated by %d bytes: %s", printable(str(partition)), cut.bytes_cut, cut.reason)
        self._logs[partition] = log


@lru_cache(maxsize=1024)
def _partition_named(topic: str, partition: int) -> TopicPartition:
    """Return the same object for the same names, which every request repeats."""
    return TopicPartition(topic, partition)


def limits_of(settings: BrokerSettings) -> LogConfig:
    """Return the configuration of each log."""
    return LogConfig(
        segment_bytes=settings.segment_bytes,
        flush_messages=settings.flush_messages,
        max_message_bytes=settings.max_message_bytes,
        flush_interval_us=settings.flush_ms * MILLISECOND_US,
        roll_interval_us=ROLL_HOURS * HOUR_US,
        retention_us=settings.retention_hours * HOUR_US,
    )
