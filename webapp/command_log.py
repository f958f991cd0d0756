"""The command log: the durable record of a room's commands. Seed and command log determine the room."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from engine.errors import OffsetscopeError
from engine.message.message_set import Message, iterate_deep
from engine.storage.disk import Disk, OsDisk
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, ClockUs, LogConfig
from webapp.errors import RoomDamaged

SEGMENT_BYTES = 16 * 1024 * 1024
ENTRY_BYTES_AT_MOST = 8 * 1024 * 1024
NOT_IN_A_LOG = -1


@dataclass(frozen=True, slots=True)
class LoggedCommand:
    """A command as it was sent, and the virtual time at which it was applied.

    ``offset`` is the offset in the command log, for a command that was read from it.
    """

    at_us: int
    fields: Mapping[str, Any]
    offset: int = field(default=NOT_IN_A_LOG, compare=False)

    def encode(self) -> bytes:
        """Encode as one line of JSON, ``{"at_us", "command": {...}}``."""
        record = {"at_us": self.at_us, "command": dict(self.fields)}
        return json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()

    @classmethod
    def decode(cls, payload: bytes) -> Self:
        """Decode what :meth:`encode` returns; raises ValueError or KeyError for any other ``payload``."""
        record = json.loads(payload)
        if not isinstance(record, dict) or not isinstance(record["command"], dict):
            raise ValueError("not a logged command")
        return cls(int(record["at_us"]), record["command"])


class CommandLog:
    """An engine ``Log`` of logged commands, each flushed to disk before it is acknowledged."""

    def __init__(self, log: Log, directory: Path) -> None:
        self._log = log
        self._directory = directory

    @classmethod
    def open(cls, directory: Path, *, now_us: ClockUs, disk: Disk | None = None) -> Self:
        """Open or create the log; a torn, unacknowledged end is truncated. ``now_us`` is a wall clock."""
        limits = LogConfig(
            segment_bytes=SEGMENT_BYTES, flush_messages=NEVER_BY_COUNT, max_message_bytes=ENTRY_BYTES_AT_MOST
        )
        return cls(Log.open(directory, limits=limits, disk=disk or OsDisk(sync=True), now_us=now_us), directory)

    @property
    def bytes_cut(self) -> int:
        """How many bytes recovery truncated when the log was opened."""
        return self._log.recovery.bytes_cut

    @property
    def size_bytes(self) -> int:
        """The size of the commands on disk, in bytes."""
        return self._log.next_offset

    def may_hold_more_than(self, size_bytes: int) -> bool:
        """Return whether an append or a flush that failed may have left more than ``size_bytes`` in the files."""
        try:
            return sum(one.path.stat().st_size for one in self._log.files()) > size_bytes
        except OSError:
            return True

    def append(self, commands: Sequence[LoggedCommand]) -> None:
        """Write the commands and return when they survive a power cut; raises ``StorageFailed`` on a disk fault."""
        self._log.append_payloads([command.encode() for command in commands])
        self._log.flush()

    def __iter__(self) -> Iterator[LoggedCommand]:
        """Yield all commands, oldest first; raises ``RoomDamaged`` for other bytes, ``StorageFailed`` for a fault."""
        offset = self._log.first_offset
        while offset < self._log.flushed_offset:
            for position, next_offset, payload in self._entries(offset):
                yield self._decoded(position, payload)
                offset = next_offset

    def close(self) -> None:
        """Close the files."""
        self._log.close()

    def _entries(self, offset: int) -> list[Message]:
        """Return the messages of one read, at least one."""
        data = self._log.read(offset, 2 * ENTRY_BYTES_AT_MOST)
        try:
            entries = list(iterate_deep(data, offset))
        except OffsetscopeError as error:
            raise self._damaged(offset, error.message) from error
        if not entries:
            raise self._damaged(offset, "the bytes end inside a message")
        return entries

    def _decoded(self, offset: int, payload: bytes) -> LoggedCommand:
        try:
            return replace(LoggedCommand.decode(payload), offset=offset)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise self._damaged(offset, "the payload is not a command") from error

    def _damaged(self, offset: int, reason: str) -> RoomDamaged:
        return RoomDamaged(
            f"the room's command log cannot be read at offset {offset}: {reason}",
            "make a new room; the files of this one are kept as they are",
            offset=offset,
        )
