"""Stores that others have made, each used as its manual says for many small records.

Those that are not installed take no part: ``make bench`` installs them, nothing else needs them.
"""

import sqlite3
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.messages import Batch
from benchmarks.stores import Store, Tally

MAP_BYTES = 8 << 30


class Sqlite:
    """A table, one transaction a batch, WAL without an fsync a commit (``synchronous=NORMAL``)."""

    name = "sqlite3 WAL"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        connection = sqlite3.connect(directory / "log.sqlite3", isolation_level=None)
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

    def count(self, directory: Path) -> int:
        connection = sqlite3.connect(directory / "log.sqlite3")
        count: int = connection.execute("SELECT COUNT(*) FROM message").fetchone()[0]
        connection.close()
        return count

    def reader(self, directory: Path, tally: Tally) -> Callable[[], None]:
        """Number and payload of every row in order: where to read on, and the message, as the log gives them."""
        connection = sqlite3.connect(directory / "log.sqlite3")

        def work() -> None:
            messages = payload_bytes = 0
            for _, payload in connection.execute("SELECT number, payload FROM message ORDER BY number"):
                messages += 1
                payload_bytes += len(payload)
            tally.messages, tally.bytes = messages, payload_bytes
            connection.close()

        return work


class SqlitePayloadsOnly(Sqlite):
    """The same, read without the numbers: a reader that will not go on from where it was."""

    name = "sqlite3 WAL, payloads only"

    def reader(self, directory: Path, tally: Tally) -> Callable[[], None]:
        connection = sqlite3.connect(directory / "log.sqlite3")

        def work() -> None:
            messages = payload_bytes = 0
            for (payload,) in connection.execute("SELECT payload FROM message ORDER BY number"):
                messages += 1
                payload_bytes += len(payload)
            tally.messages, tally.bytes = messages, payload_bytes
            connection.close()

        return work


class Lmdb:
    """Numbers as keys, appended in order, one transaction a batch, ``sync=False``."""

    name = "LMDB"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        import lmdb

        environment = lmdb.open(str(directory), map_size=MAP_BYTES, sync=False)

        def work() -> None:
            number = 0
            for batch in batches:
                with environment.begin(write=True) as transaction:
                    put = transaction.put
                    for payload in batch:
                        put(number.to_bytes(8, "big"), payload, append=True)
                        number += 1
            environment.close()

        return work

    def count(self, directory: Path) -> int:
        import lmdb

        environment = lmdb.open(str(directory), map_size=MAP_BYTES, readonly=True)
        entries: int = environment.stat()["entries"]
        environment.close()
        return entries

    def reader(self, directory: Path, tally: Tally) -> Callable[[], None]:
        import lmdb

        environment = lmdb.open(str(directory), map_size=MAP_BYTES, readonly=True)

        def work() -> None:
            messages = payload_bytes = 0
            with environment.begin() as transaction:
                for _, payload in transaction.cursor():
                    messages += 1
                    payload_bytes += len(payload)
            tally.messages, tally.bytes = messages, payload_bytes
            environment.close()

        return work


class RocksDb:
    """RocksDB through rocksdict: numbers as keys, one write batch a batch, its log not synced."""

    name = "RocksDB"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        from rocksdict import WriteBatch

        database = self._open(directory)

        def work() -> None:
            number = 0
            for batch in batches:
                writes = WriteBatch(raw_mode=True)
                for payload in batch:
                    writes.put(number.to_bytes(8, "big"), payload)
                    number += 1
                database.write(writes)
            database.close()

        return work

    def count(self, directory: Path) -> int:
        tally = Tally()
        self.reader(directory, tally)()
        return tally.messages

    def reader(self, directory: Path, tally: Tally) -> Callable[[], None]:
        database = self._open(directory)

        def work() -> None:
            messages = payload_bytes = 0
            for _, payload in database.items():  # noqa: PERF102  # the number is where to read on
                messages += 1
                payload_bytes += len(payload)
            tally.messages, tally.bytes = messages, payload_bytes
            database.close()

        return work

    @staticmethod
    def _open(directory: Path):  # noqa: ANN205  # a type of a package that may be missing
        from rocksdict import Options, Rdict

        return Rdict(str(directory / "rocks"), Options(raw_mode=True))


class PersistQueue:
    """persist-queue's file queue; it takes one message at a time, so batches do not help it."""

    name = "persist-queue"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        queue = self._open(directory)

        def work() -> None:
            for batch in batches:
                for payload in batch:
                    queue.put(payload)

        return work

    def count(self, directory: Path) -> int:
        count: int = self._open(directory).qsize()
        return count

    def reader(self, directory: Path, tally: Tally) -> Callable[[], None]:
        """Take messages out without confirming any, so that the next round finds them again."""
        queue = self._open(directory)

        def work() -> None:
            messages = payload_bytes = 0
            while queue.qsize():
                messages += 1
                payload_bytes += len(queue.get())
            tally.messages, tally.bytes = messages, payload_bytes

        return work

    @staticmethod
    def _open(directory: Path):  # noqa: ANN205  # a type of a package that may be missing
        from persistqueue import Queue

        return Queue(str(directory / "queue"))


class DiskCache:
    """diskcache's deque, on SQLite: one transaction a batch."""

    name = "diskcache"

    def writer(self, directory: Path, batches: Sequence[Batch]) -> Callable[[], None]:
        deque = self._open(directory)

        def work() -> None:
            for batch in batches:
                with deque.transact():
                    deque.extend(batch)
            deque.cache.close()

        return work

    def count(self, directory: Path) -> int:
        deque = self._open(directory)
        count = len(deque)
        deque.cache.close()
        return count

    def reader(self, directory: Path, tally: Tally) -> Callable[[], None]:
        deque = self._open(directory)

        def work() -> None:
            messages = payload_bytes = 0
            for payload in deque:
                messages += 1
                payload_bytes += len(payload)
            tally.messages, tally.bytes = messages, payload_bytes
            deque.cache.close()

        return work

    @staticmethod
    def _open(directory: Path):  # noqa: ANN205  # a type of a package that may be missing
        from diskcache import Deque

        return Deque(directory=str(directory / "deque"))


def installed(stores: Sequence[tuple[str, Store]]) -> list[Store]:
    """The stores whose package is there."""
    return [store for package, store in stores if find_spec(package)]


def fast_peers() -> list[Store]:
    """Those that can take as many messages as the log in reasonable time."""
    return [Sqlite(), *installed([("lmdb", Lmdb()), ("rocksdict", RocksDb())])]


def slow_peers() -> list[Store]:
    """Those that get fewer messages, or a run would take an hour."""
    return installed([("persistqueue", PersistQueue()), ("diskcache", DiskCache())])
