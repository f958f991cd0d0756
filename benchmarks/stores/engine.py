"""The engine's log, and the floor under it: the same bytes written and read raw."""

import os
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.messages import Batch
from benchmarks.stores import Tally
from engine.message.message_set import encode_message_set, iterate_deep
from engine.storage.disk import OsDisk
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig

FETCH_BYTES = 300 * 1024  # what a 0.7 consumer asks for
LIMITS = LogConfig(segment_bytes=1 << 30, flush_messages=NEVER_BY_COUNT, max_message_bytes=1_000_000)


def wall_us() -> int:
    """The wall clock, as a broker reads it."""
    return time.time_ns() // 1_000


def open_log(directory: Path) -> Log:
    """A log with the limits of 0.7, flushed when it is closed."""
    return Log.open(directory, limits=LIMITS, disk=OsDisk(sync=False), closed_cleanly=True, now_us=wall_us)


class EngineLog:
    """The log: payloads are encoded, checksummed and written, one write a batch."""

    name = "log"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        log = open_log(directory)

        def work() -> None:
            for batch in batches:
                log.append_payloads(batch)
            log.close()

        return work

    def count(self, directory: Path) -> int:
        tally = Tally()
        self.reader(directory, tally)()
        return tally.messages

    def reader(self, directory: Path, tally: Tally) -> Callable[[], None]:
        """Fetch 300 KiB at a time and take every message out, CRC checked: what a consumer does."""
        log = open_log(directory)

        def work() -> None:
            messages = payload_bytes = offset = 0
            while offset < log.flushed_offset:
                for _, offset, payload in iterate_deep(log.read(offset, FETCH_BYTES), offset):  # noqa: B007, B020
                    messages += 1
                    payload_bytes += len(payload)
            tally.messages, tally.bytes = messages, payload_bytes
            log.close()

        return work


class UntrustedLog(EngineLog):
    """The log as a broker uses it: message sets that somebody else encoded, every entry checked before it is written.

    Its figure holds the encoding too, which a producer elsewhere would do.
    """

    name = "log, sets checked"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        log = open_log(directory)

        def work() -> None:
            for batch in batches:
                log.append(encode_message_set(batch))
            log.close()

        return work


class RawFile:
    """The floor: bytes that are ready, in the same chunks, nothing checked and nothing remembered."""

    name = "raw file"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        encoded = [encode_message_set(batch) for batch in batches]
        handle = os.open(directory / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

        def work() -> None:
            write = os.write
            for chunk in encoded:
                write(handle, chunk)
            os.close(handle)

        return work

    def count(self, directory: Path) -> int:
        return (directory / "raw").stat().st_size // 209

    def reader(self, directory: Path, tally: Tally) -> Callable[[], None]:
        """Return the bytes in chunks of 300 KiB, undecoded."""
        handle = os.open(directory / "raw", os.O_RDONLY)

        def work() -> None:
            position = 0
            while chunk := os.pread(handle, FETCH_BYTES, position):
                position += len(chunk)
            os.close(handle)
            tally.messages, tally.bytes = position // 209, position // 209 * 200

        return work


class ChecksummedFile(RawFile):
    """The raw file with the checksum of every message taken before its batch is written: nothing else of a log.

    What a log in this language cannot go below, as long as every message has a CRC-32 of its own.
    """

    name = "raw file, checksums"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        encoded = [encode_message_set(batch) for batch in batches]
        handle = os.open(directory / "raw", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

        def work() -> None:
            write, crc32 = os.write, zlib.crc32
            for batch, chunk in zip(batches, encoded, strict=True):
                list(map(crc32, batch))
                write(handle, chunk)
            os.close(handle)

        return work
