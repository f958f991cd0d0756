"""Logs over a disk that can fail, with limits by name."""

from pathlib import Path

from engine.storage.log import Log
from engine.storage.log_config import LogConfig
from tests.support.disks import FaultyDisk, HandClock

MAGIC_1_42 = bytes.fromhex("000000080100" + "3224b088" + "3432")


def open_log(
    directory: Path,
    disk: FaultyDisk,
    *,
    segment_bytes: int = 1 << 30,
    flush_messages: int = 1,
    max_message_bytes: int = 1_000_000,
) -> Log:
    return Log.open(
        directory, limits=LogConfig(segment_bytes, flush_messages, max_message_bytes), disk=disk, now_us=HandClock()
    )


def bases(log: Log) -> list[int]:
    return [segment.base_offset for segment in log.segments]
