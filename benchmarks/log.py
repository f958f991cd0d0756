"""The engine's log beside a raw file and SQLite: the same messages, in the same batches, in fresh files each time."""

import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.measure import Subject
from engine.message import encode_message_set, iterate_deep
from engine.storage.disk import OsDisk
from engine.storage.limits import NEVER_BY_COUNT, LogLimits
from engine.storage.log import Log

PAYLOAD_BYTES = 200
FETCH_BYTES = 300 * 1024  # what a 0.7 consumer asks for
LIMITS = LogLimits(segment_bytes=1 << 30, flush_messages=NEVER_BY_COUNT, max_message_bytes=1_000_000)

Batch = list[bytes]


def payloads(count: int) -> list[bytes]:
    """``count`` messages of 200 bytes, all different, the same ones in every run."""
    source = random.Random(2011)
    return [source.randbytes(PAYLOAD_BYTES) for _ in range(count)]


def batches_of(messages: Sequence[bytes], size: int) -> list[Batch]:
    return [list(messages[start : start + size]) for start in range(0, len(messages), size)]


def append_subjects(folder: Path, messages: Sequence[bytes], batch_messages: int) -> list[Subject]:
    """Everyone who can append ``messages`` in batches: the log, a raw file, SQLite in WAL mode."""
    batches = batches_of(messages, batch_messages)
    encoded = [encode_message_set(batch) for batch in batches]
    return [
        append_to_log(folder / "log", batches, b"".join(encoded)),
        write_to_file(folder / "raw", encoded),
        insert_into_sqlite(folder / "sqlite", batches),
    ]


def read_subjects(folder: Path, messages: Sequence[bytes]) -> list[Subject]:
    """Everyone who can read ``messages`` back one by one: the log with its decoding, a raw file, SQLite."""
    directories = [folder / name for name in ("log-to-read", "raw-to-read", "sqlite-to-read")]
    batches = batches_of(messages, 500)
    encoded = [encode_message_set(batch) for batch in batches]
    for subject in (
        append_to_log(directories[0], batches, b"".join(encoded)),
        write_to_file(directories[1], encoded),
        insert_into_sqlite(directories[2], batches),
    ):
        subject.prepare()()
        subject.verify()
    total_bytes = sum(map(len, messages))
    return [
        read_from_log(directories[0], len(messages), total_bytes),
        read_from_file(directories[1], sum(map(len, encoded))),
        select_from_sqlite(directories[2], len(messages), total_bytes),
    ]


def empty(directory: Path) -> Path:
    """The directory, with nothing in it."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    return directory


# --- append -----------------------------------------------------------------------------------------------


def append_to_log(directory: Path, batches: Sequence[Batch], expected: bytes) -> Subject:
    """Encode each batch, append it as one message set, flush at the end: what a producer and a broker do."""

    def prepare() -> Callable[[], None]:
        log = Log.open(empty(directory), limits=LIMITS, disk=OsDisk(sync=False))

        def work() -> None:
            for batch in batches:
                log.append(encode_message_set(batch))
            log.close()

        return work

    def verify() -> None:
        require((directory / f"{0:020d}.kafka").read_bytes() == expected, "the log holds other bytes")

    return Subject("log", prepare, verify)


def write_to_file(directory: Path, encoded: Sequence[bytes]) -> Subject:
    """The floor: bytes that are ready, written in the same chunks, nothing checked and nothing remembered."""
    file = directory / "raw"

    def prepare() -> Callable[[], None]:
        empty(directory)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

        def work() -> None:
            for chunk in encoded:
                os.write(handle, chunk)
            os.close(handle)

        return work

    def verify() -> None:
        require(file.stat().st_size == sum(map(len, encoded)), "the raw file is short")

    return Subject("raw file", prepare, verify)


def insert_into_sqlite(directory: Path, batches: Sequence[Batch]) -> Subject:
    """SQLite as a log: one table, one transaction a batch, WAL, no fsync a commit (``synchronous=NORMAL``)."""
    file = directory / "log.sqlite3"

    def prepare() -> Callable[[], None]:
        empty(directory)
        connection = sqlite3.connect(file, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("CREATE TABLE message (number INTEGER PRIMARY KEY, payload BLOB NOT NULL)")
        rows = [[(payload,) for payload in batch] for batch in batches]

        def work() -> None:
            for batch in rows:
                connection.execute("BEGIN")
                connection.executemany("INSERT INTO message (payload) VALUES (?)", batch)
                connection.execute("COMMIT")
            connection.close()

        return work

    def verify() -> None:
        connection = sqlite3.connect(file)
        count = connection.execute("SELECT COUNT(*) FROM message").fetchone()[0]
        connection.close()
        require(count == sum(map(len, batches)), "SQLite holds another number of messages")

    return Subject("sqlite3 WAL", prepare, verify)


# --- read -------------------------------------------------------------------------------------------------


class Tally:
    """How much a reader has read, to be sure that it did."""

    def __init__(self) -> None:
        self.messages = 0
        self.bytes = 0


def read_from_log(directory: Path, messages: int, payload_bytes: int) -> Subject:
    """Fetch 300 KiB at a time and take every message out, CRC checked: what a consumer does."""
    tally = Tally()

    def prepare() -> Callable[[], None]:
        tally.messages = tally.bytes = 0
        log = Log.open(directory, limits=LIMITS, disk=OsDisk(sync=False))

        def work() -> None:
            offset = 0
            while offset < log.flushed_offset:
                for message in iterate_deep(log.read(offset, FETCH_BYTES), offset):
                    tally.messages += 1
                    tally.bytes += len(message.payload)
                    offset = message.next_offset
            log.close()

        return work

    def verify() -> None:
        require((tally.messages, tally.bytes) == (messages, payload_bytes), "the log gave back something else")

    return Subject("log", prepare, verify)


def read_from_file(directory: Path, total_bytes: int) -> Subject:
    """The floor: the same bytes in the same chunks, looked at by nobody."""
    tally = Tally()

    def prepare() -> Callable[[], None]:
        tally.bytes = 0
        handle = os.open(directory / "raw", os.O_RDONLY)

        def work() -> None:
            while chunk := os.pread(handle, FETCH_BYTES, tally.bytes):
                tally.bytes += len(chunk)
            os.close(handle)

        return work

    def verify() -> None:
        require(tally.bytes == total_bytes, "the raw file gave back something else")

    return Subject("raw file", prepare, verify)


def select_from_sqlite(directory: Path, messages: int, payload_bytes: int) -> Subject:
    """All payloads in order, a row at a time."""
    tally = Tally()

    def prepare() -> Callable[[], None]:
        tally.messages = tally.bytes = 0
        connection = sqlite3.connect(directory / "log.sqlite3")

        def work() -> None:
            for (payload,) in connection.execute("SELECT payload FROM message ORDER BY number"):
                tally.messages += 1
                tally.bytes += len(payload)
            connection.close()

        return work

    def verify() -> None:
        require((tally.messages, tally.bytes) == (messages, payload_bytes), "SQLite gave back something else")

    return Subject("sqlite3 WAL", prepare, verify)


def require(holds: bool, otherwise: str) -> None:  # noqa: FBT001  # an assertion that -O cannot switch off
    """Stop the whole run: a contender that did not do the work must not get a figure."""
    if not holds:
        raise SystemExit(f"benchmark void: {otherwise}")
