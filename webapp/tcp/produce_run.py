"""Putting the produces of a busy client into the log together."""

from collections import deque
from collections.abc import Callable
from typing import Final

from engine.entries import Ending, scan_entries
from engine.errors import InvalidMessage, InvalidMessageSize, MessageTooLarge
from engine.ids import TopicPartition
from webapp.tcp.partition_logs import PartitionLogs

RUN_MAX_BYTES: Final = 512 * 1024

_NOWHERE: Final = TopicPartition("", 0)


class ProduceRun:
    """Message sets of one client for one partition that came right after one another and are not in the log yet.

    Checked and written together they cost a third less than one by one. What becomes of each is the same: if they are
    refused together, nothing was written, and then they go one by one. That can take long, so it is done step by step,
    and in between it is other clients' turn. ``complain`` is told of sets with a message that is too large; those are
    dropped (0.7.2).
    """

    def __init__(self, logs: PartitionLogs, complain: Callable[[str], None]) -> None:
        self._logs = logs
        self._complain = complain
        self._partition = _NOWHERE
        self._sets: deque[bytes] = deque()
        self._bytes = 0
        self._one_by_one = False

    @property
    def held_bytes(self) -> int:
        return self._bytes

    def takes(self, partition: TopicPartition, message_set: bytes) -> bool:
        """Whether the set may go with those that wait; if not, :meth:`settle` comes first."""
        if not self._sets:
            return True
        fits = not self._one_by_one and self._bytes + len(message_set) <= RUN_MAX_BYTES
        return fits and partition == self._partition

    def add(self, partition: TopicPartition, message_set: bytes) -> None:
        """Take a set that the run :meth:`takes`."""
        self._partition = partition
        self._sets.append(message_set)
        self._bytes += len(message_set)

    def settle(self) -> bool:
        """Append all that waits, or the next set of it; whether nothing waits any more.

        Raises for a set that is damaged or that the disk refuses. Sets behind it are forgotten then.
        """
        if not self._sets:
            return True
        try:
            if len(self._sets) > 1 and not self._one_by_one:
                self._append_together()
            else:
                self._append(self._sets.popleft())
        except BaseException:
            self._sets.clear()
            raise
        if not self._sets:
            self._one_by_one = False
            self._bytes = 0
        return not self._sets

    def _append_together(self) -> None:
        try:
            self._logs.append(self._partition, b"".join(self._sets))
        except (InvalidMessage, InvalidMessageSize, MessageTooLarge):
            self._one_by_one = True  # to find out which of them it was
        else:
            self._sets.clear()

    def _append(self, message_set: bytes) -> None:
        try:
            self._append_whole(message_set)
        except MessageTooLarge as error:
            self._complain(f"{self._partition}: {error.message}")

    def _append_whole(self, message_set: bytes) -> None:
        """Append what is whole: a part of a message at the end is dropped (0.7.1: shallowValidBytes)."""
        try:
            self._logs.append(self._partition, message_set)
        except InvalidMessageSize:
            scan = scan_entries(message_set)
            if scan.ending is not Ending.PARTIAL or scan.end == 0:
                raise
            self._logs.append(self._partition, message_set[: scan.end])
