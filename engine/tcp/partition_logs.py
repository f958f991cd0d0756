"""All logs of one broker: opened together, flushed and cleaned by time, closed together."""

import logging
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Final, Self

from engine.broker.clean_shutdown import leave_mark, take_mark
from engine.errors import InvalidName, OffsetscopeError, StorageFailed, UnknownPartition
from engine.ids import TopicPartition
from engine.storage.disk import Disk
from engine.storage.log import NOT_ROLLED, Log
from engine.storage.log_config import LogConfig
from engine.tcp.complaints import printable
from engine.tcp.data_folder import SHOWN_CHARACTERS, DataFolder
from engine.tcp.faults import TooManyPartitions
from engine.tcp.settings import HOUR_US, MILLISECOND_US, MILLISECONDS_A_SECOND, ROLL_HOURS, BrokerSettings
from engine.tcp.wall_clock import WallClock

FIRST_CLEANING_S: Final = 60.0  # 0.7: LogManager
CLEANING_INTERVAL_S: Final = 600.0  # 0.7: log.cleanup.interval.mins

logger = logging.getLogger(__name__)


class PartitionLogs:
    """The logs in a data folder, by topic and partition.

    ``clock`` gives seconds that only grow. Methods raise what :class:`~engine.storage.log.Log` raises.
    """

    def __init__(self, folder: DataFolder, settings: BrokerSettings, disk: Disk, clock: Callable[[], float]) -> None:
        """For :meth:`open`: no logs yet."""
        self._folder = folder
        self._settings = settings
        self._limits = limits_of(settings)
        self._disk = disk
        self._clock = clock
        self._wall_us = WallClock()
        self._logs: dict[TopicPartition, Log] = {}
        # All wait equally long, so the first that was put in is the first that is due.
        self._flush_due_s: dict[TopicPartition, float] = {}
        self._clean_due_s = clock() + FIRST_CLEANING_S

    @classmethod
    def open(cls, settings: BrokerSettings, *, disk: Disk, clock: Callable[[], float]) -> Self:
        """Lock the data folder and open every log in it; they are recovered unless all were closed in good order.

        Raises :class:`~engine.tcp.faults.DataFolderUnusable`, or what the first log that cannot be opened raises.
        """
        folder = DataFolder.open(settings.data_dir)
        logs = cls(folder, settings, disk, clock)
        try:
            closed_cleanly = take_mark(folder.path, disk)
            for partition in folder.partitions():
                logs._open(partition, folder.log_directory(partition), closed_cleanly=closed_cleanly)
        except BaseException:
            logs._let_go()
            raise
        return logs

    @property
    def due_s(self) -> float:
        """When :meth:`do_what_is_due` has something to do next."""
        return min(self._clean_due_s, next(iter(self._flush_due_s.values()), self._clean_due_s))

    def checked(self, topic: str, partition: int) -> TopicPartition:
        """The partition of these names, there or not.

        Raises :class:`~engine.errors.InvalidName` for an empty name, or :class:`~engine.errors.UnknownPartition` for a
        number that no topic has here (0.7: LogManager.getLogPool). Whether a directory can have the name is found out
        by the first :meth:`append`.
        """
        if not topic:
            raise InvalidName("a topic without a name", "name it", name="")
        if not 0 <= partition < self._settings.partitions:
            shown = topic[:SHOWN_CHARACTERS]
            raise UnknownPartition(
                f"there is no partition {partition} of {shown}: every topic has {self._settings.partitions} here",
                f"use a partition from 0 to {self._settings.partitions - 1}",
                partition=f"{shown}-{partition}",
            )
        return _partition_named(topic, partition)

    def holds(self, partition: TopicPartition) -> bool:
        """Whether the partition has a log already; its first message makes it one."""
        return partition in self._logs

    def get(self, partition: TopicPartition) -> Log:
        """The log of a partition that :meth:`holds`."""
        return self._logs[partition]

    def room(self, partition: TopicPartition) -> tuple[int, int]:
        """How many bytes and messages its log takes before it rolls or flushes; nothing if there is no log yet.

        A log that rolls with the next append has room for less than nothing.
        """
        if partition not in self._logs:
            return -1, 0
        log = self._logs[partition]
        return log.bytes_before_roll, self._limits.flush_messages - log.unflushed_messages

    def append(self, partition: TopicPartition, message_set: bytes) -> None:
        """Append a set, to a new log if there is none; readers see it now or before ``flush_ms`` have passed.

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
        """Flush every log whose oldest unseen message has waited long enough; now and then remove old segments.

        A log whose disk refuses is told of in the log of the server, and the others go on.
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
        """Flush and close all logs, and leave the mark that says so; then let the folder go.

        Raises :class:`~engine.errors.StorageFailed` if a disk refused one of them, and then there is no mark.
        """
        try:
            refusals = self._close_logs()
            if refusals:
                raise refusals[0]
            leave_mark(self._folder.path, self._disk)
        finally:
            self._folder.close()

    def _let_go(self) -> None:
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
            logger.info("%s: removed %s, which was old", printable(str(partition)), segment.file)

    def _create(self, partition: TopicPartition) -> None:
        if len(self._logs) >= self._settings.partitions_max:
            raise TooManyPartitions(
                f"{partition} would be one log more than the {self._settings.partitions_max} that fit here",
                "remove topics that nobody needs, or allow the process more open files",
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
            logger.warning("%s: cut %d bytes: %s", printable(str(partition)), cut.bytes_cut, cut.reason)
        self._logs[partition] = log


@lru_cache(maxsize=1024)
def _partition_named(topic: str, partition: int) -> TopicPartition:
    """The same value for the same names, which every request bears."""
    return TopicPartition(topic, partition)


def limits_of(settings: BrokerSettings) -> LogConfig:
    """What each log is told."""
    return LogConfig(
        segment_bytes=settings.segment_bytes,
        flush_messages=settings.flush_messages,
        max_message_bytes=settings.max_message_bytes,
        flush_interval_us=settings.flush_ms * MILLISECOND_US,
        roll_interval_us=ROLL_HOURS * HOUR_US,
        retention_us=settings.retention_hours * HOUR_US,
    )
