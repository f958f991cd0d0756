"""The command log: the durable record of a room's commands. Seed and command log determine the room.

A write that a crash interrupted leaves a torn end, which no client was promised; it is truncated. Any other bytes that
cannot be read are damage: the files stay as they are, the commands before it are kept, and nothing is appended.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Self
from zlib import crc32

from engine.errors import InvalidMessage, InvalidMessageSize
from engine.message.format import (
    LENGTH_BYTES,
    MAGIC_0,
    MAGIC_0_HEADER,
    MAGIC_0_OVERHEAD_BYTES,
    Entry,
    invalid_size,
    iterate_shallow,
    size_of_first,
)
from engine.storage.disk import Disk, OsDisk
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, ClockUs, LogConfig
from webapp.errors import RoomDamaged

SEGMENT_BYTES = 16 * 1024 * 1024
ENTRY_BYTES_AT_MOST = 8 * 1024 * 1024
CHUNK_BYTES = 1024 * 1024
NOT_IN_A_LOG = -1
NO_DAMAGE_OFFSET = 1 << 63
DAMAGE_REMEDY = "fork the room to continue from what came before; its files are kept as they are"


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
    """An engine ``Log`` of logged commands, each flushed to disk before it is acknowledged.

    A log with ``damages`` is read up to the first of them, and not appended to.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._damages: list[RoomDamaged] = []
        self._readable_offset = NO_DAMAGE_OFFSET

    @classmethod
    def open(cls, directory: Path, *, now_us: ClockUs, disk: Disk | None = None) -> Self:
        """Open or create the log; truncate a torn end, and note damage. ``now_us`` is a wall clock.

        Raises :class:`~engine.errors.LogGap` if a file is missing, :class:`~engine.errors.StorageFailed`.
        """
        limits = LogConfig(
            segment_bytes=SEGMENT_BYTES, flush_messages=NEVER_BY_COUNT, max_message_bytes=ENTRY_BYTES_AT_MOST
        )
        open_log = partial(Log.open, directory, limits=limits, disk=disk or OsDisk(sync=True), now_us=now_us)
        log = open_log(closed_cleanly=True)  # not truncated before it is known whether its end is torn
        opened = cls(log)
        try:
            is_torn = opened._note_what_is_unreadable()
        except BaseException:
            log.close()
            raise
        if is_torn:
            log.close()
            opened = cls(open_log())
        return opened

    @property
    def damages(self) -> Sequence[RoomDamaged]:
        """Why the log is not read to its end; empty for a whole log."""
        return self._damages

    def end_before(self, damage: RoomDamaged) -> None:
        """From now on read the log only up to the ``offset`` that the damage names, and append nothing."""
        self._damages.append(damage)
        self._readable_offset = int(str(damage.fields["offset"]))

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
        assert not self.damages, "a damaged command log stays as it is"
        self._log.append_payloads([command.encode() for command in commands])
        self._log.flush()

    def read(self, offset: int) -> tuple[Sequence[LoggedCommand], int]:
        """Return some commands from ``offset`` on, and the offset of the next; none at the end, or before damage.

        Raises ``StorageFailed`` for a fault of the machine.
        """
        end_offset = min(self._readable_offset, self._log.flushed_offset)
        commands: list[LoggedCommand] = []
        if offset < end_offset:
            for entry_offset, next_offset, payload, _ in _chunk(self._log, offset, end_offset):
                commands.append(replace(LoggedCommand.decode(payload), offset=entry_offset))
                offset = next_offset
        return commands, offset

    def __iter__(self) -> Iterator[LoggedCommand]:
        """Yield the commands before any damage, oldest first; raises ``StorageFailed`` for a fault of the machine."""
        commands, offset = self.read(self._log.first_offset)
        while commands:
            yield from commands
            commands, offset = self.read(offset)

    def close(self) -> None:
        """Close the files."""
        self._log.close()

    def _note_what_is_unreadable(self) -> bool:
        """Read the whole log and note damage; return whether it has a torn end instead."""
        log = self._log
        offset = log.first_offset
        try:
            while offset < log.flushed_offset:
                for entry_offset, next_offset, payload, _ in _chunk(log, offset, log.flushed_offset):
                    offset = entry_offset
                    LoggedCommand.decode(payload)
                    offset = next_offset
        except (InvalidMessage, InvalidMessageSize) as error:
            offset = int(str(error.fields["offset"]))
            rest = log.read(offset, log.flushed_offset - offset)
            if offset + len(rest) == log.flushed_offset and is_torn(rest):
                return True
            self.end_before(_damaged(offset, error.message))
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            self.end_before(_damaged(offset, "the payload is not a command"))
        return False


def _chunk(log: Log, offset: int, end_offset: int) -> Iterator[Entry]:
    """Iterate over some entries from ``offset`` on, at least one.

    Raises :class:`InvalidMessage` or :class:`InvalidMessageSize` at a bad one.
    """
    data = log.read(offset, min(CHUNK_BYTES, end_offset - offset))
    if size_of_first(data) > len(data):
        data = log.read(offset, min(2 * ENTRY_BYTES_AT_MOST, end_offset - offset))
    if len(data) < LENGTH_BYTES:
        raise invalid_size(offset, "the log ends inside its length")
    yield from iterate_shallow(data, offset)


def is_torn(rest: bytes) -> bool:
    """Return whether the unreadable bytes at the end of a log are what an interrupted write leaves.

    That is the beginning of an entry, or blocks of zeros that were never written. It is damage if a whole entry follows
    later, or if the bytes are an entry of which the length, the magic, the CRC or the payload was changed. No command
    holds or ends in a zero byte.
    """
    written = rest.rstrip(b"\0")
    if len(written) <= MAGIC_0_OVERHEAD_BYTES:
        return True
    length, _, crc = MAGIC_0_HEADER.unpack_from(written)
    has_blocks_of_zeros = len(rest) - len(written) > 1  # a single zero may be a changed last byte
    is_changed_entry = 0 < LENGTH_BYTES + length <= len(rest) and not has_blocks_of_zeros
    return not (is_changed_entry or crc32(written[MAGIC_0_OVERHEAD_BYTES:]) == crc or _holds_an_entry(written))


def _holds_an_entry(data: bytes) -> bool:
    """Return whether a whole entry begins after the first byte of ``data``; its length begins with a zero byte."""
    start = data.find(b"\0", 1)
    while 0 < start <= len(data) - MAGIC_0_OVERHEAD_BYTES:
        length, magic, crc = MAGIC_0_HEADER.unpack_from(data, start)
        payload = data[start + MAGIC_0_OVERHEAD_BYTES : start + LENGTH_BYTES + length]
        if magic == MAGIC_0 and payload and start + LENGTH_BYTES + length <= len(data) and crc32(payload) == crc:
            return True
        start = data.find(b"\0", start + 1)
    return False


def _damaged(offset: int, reason: str) -> RoomDamaged:
    return RoomDamaged(
        f"the room's command log cannot be read at offset {offset}: {reason}",
        DAMAGE_REMEDY,
        offset=offset,
    )
