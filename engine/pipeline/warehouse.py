"""The warehouse: a table of messages and the committed offsets up to which it has them, in one SQLite file.

Rows and offsets change in one transaction (paper, section 4: data *and* offsets are stored when a load succeeds). So
after a crash at any moment the file holds both or neither, and a loader that starts from these offsets neither loses a
message nor stores one twice. Their table is called ``committed_offsets``.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.errors import MachineFault
from engine.ids import TopicPartition
from engine.pipeline.audit import Bucket, MonitoringEvent
from engine.producer.stamps import Stamp
from engine.storage.disk import machine_fault

SCHEMA = """
CREATE TABLE IF NOT EXISTS messages (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, offset INTEGER NOT NULL, made_at_us INTEGER NOT NULL,
    server TEXT NOT NULL, payload BLOB NOT NULL, loaded_at_us INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS messages_by_stamp ON messages (topic, made_at_us);
CREATE VIEW IF NOT EXISTS stamped AS
    SELECT topic, made_at_us, loaded_at_us - made_at_us AS taken_us FROM messages WHERE server <> '';
CREATE TABLE IF NOT EXISTS committed_offsets (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL, PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS monitoring_events (
    guid TEXT PRIMARY KEY, topic TEXT NOT NULL, window_start_us INTEGER NOT NULL, window_end_us INTEGER NOT NULL,
    server TEXT NOT NULL, count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS monitoring_events_by_window ON monitoring_events (topic, window_start_us);
"""


@dataclass(frozen=True, slots=True)
class Row:
    """A message in the table: ``topic`` is the one it was produced to, ``partition`` and ``offset`` are its copy's."""

    topic: str
    partition: int
    offset: int
    stamp: Stamp
    payload: bytes
    loaded_at_us: int


@dataclass(frozen=True, slots=True)
class ReportedCounts:
    """The counts of a bucket by the warehouse's monitoring events: of these events, and of messages in all."""

    events: int
    produced: int


@dataclass(frozen=True, slots=True)
class Latency:
    """The time from the stamps of ``messages`` messages to their loading, in microseconds."""

    messages: int
    average_us: int
    percentile_95_us: int


class Warehouse:
    """The warehouse, through one connection.

    Its file is on the machine that runs the simulation: every SQLite error is raised as a ``MachineFault``, since a
    loader crashes only by command. Such an error leaves no transaction open.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Take a connection in autocommit mode (``isolation_level=None``), and create missing tables."""
        self._connection = connection
        try:
            connection.executescript(SCHEMA)
        except sqlite3.Error as error:
            raise self._rolled_back(error) from error

    @classmethod
    def open(cls, path: Path) -> "Warehouse":
        """Open the warehouse in a file. It survives crashes of the process (``synchronous`` is off, as for our disks).

        Several threads may use it, one at a time. Raises :class:`~engine.errors.MachineFault`.
        """
        try:
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA synchronous = OFF")
        except sqlite3.Error as error:
            raise machine_fault(error) from error
        return cls(connection)

    def close(self) -> None:
        """Close the file; an open transaction is rolled back."""
        try:
            self._connection.close()
        except sqlite3.Error as error:
            raise machine_fault(error) from error

    # --- loading ---

    def begin(
        self,
        rows: Iterable[Row],
        monitoring_events: Iterable[MonitoringEvent],
        next_offsets: Mapping[TopicPartition, int],
    ) -> None:
        """Open a transaction with rows and the offsets after them; other connections see them after :meth:`commit`.

        A monitoring event that is there already (the same guid) is not stored again.
        """
        self._run("BEGIN IMMEDIATE")
        self._run_many(
            "INSERT INTO messages VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (row.topic, row.partition, row.offset, row.stamp.at_us, row.stamp.server, row.payload, row.loaded_at_us)
                for row in rows
            ],
        )
        self._run_many(
            "INSERT OR IGNORE INTO monitoring_events VALUES (?, ?, ?, ?, ?, ?)",
            [
                (one.guid, one.bucket.topic, one.bucket.start_us, one.bucket.end_us, one.server, one.count)
                for one in monitoring_events
            ],
        )
        self._run_many(
            "INSERT INTO committed_offsets VALUES (?, ?, ?)"
            " ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset",
            [(partition.topic, partition.partition, offset) for partition, offset in next_offsets.items()],
        )

    def commit(self) -> None:
        """Commit the open transaction."""
        self._run("COMMIT")

    def next_offsets(self) -> dict[TopicPartition, int]:
        """Return the committed offsets, from which to continue reading."""
        found = self._run("SELECT topic, partition, next_offset FROM committed_offsets ORDER BY topic, partition")
        return {TopicPartition(topic, partition): next_offset for topic, partition, next_offset in found}

    # --- queries ---

    def rows(self) -> int:
        """How many messages the table holds."""
        return self._number("SELECT COUNT(*) FROM messages", ())

    def received(self, bucket: Bucket) -> int:
        """How many of a bucket's messages the table holds."""
        statement = "SELECT COUNT(*) FROM stamped WHERE topic = ? AND made_at_us >= ? AND made_at_us < ?"
        return self._number(statement, _place(bucket))

    def reported(self, bucket: Bucket) -> ReportedCounts:
        """Return what producers have reported of a bucket."""
        ((events, produced),) = self._run(
            "SELECT COUNT(*), COALESCE(SUM(count), 0) FROM monitoring_events"
            " WHERE topic = ? AND window_start_us = ? AND window_end_us = ?",
            _place(bucket),
        )
        return ReportedCounts(events, produced)

    def latency(self, bucket: Bucket) -> Latency:
        """The average, and the 95th percentile by nearest rank; all zero if the table holds none of the bucket."""
        messages = self.received(bucket)
        if not messages:
            return Latency(0, 0, 0)
        place = _place(bucket)
        average_us = self._number(
            "SELECT CAST(ROUND(AVG(taken_us)) AS INTEGER) FROM stamped"
            " WHERE topic = ? AND made_at_us >= ? AND made_at_us < ?",
            place,
        )
        rank = -(-95 * messages // 100)
        percentile_95_us = self._number(
            "SELECT taken_us FROM stamped WHERE topic = ? AND made_at_us >= ? AND made_at_us < ?"
            " ORDER BY taken_us LIMIT 1 OFFSET ?",
            (*place, rank - 1),
        )
        return Latency(messages, average_us, percentile_95_us)

    # --- statements ---

    def _number(self, statement: str, values: Sequence[object]) -> int:
        ((number,),) = self._run(statement, values)
        return int(number)

    def _run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        try:
            return list(self._connection.execute(statement, values))
        except sqlite3.Error as error:
            raise self._rolled_back(error) from error

    def _run_many(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        try:
            self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise self._rolled_back(error) from error

    def _rolled_back(self, error: sqlite3.Error) -> MachineFault:
        try:
            if self._connection.in_transaction:
                self._connection.rollback()
        except sqlite3.Error:  # the file is unusable: SQLite rolls back when it is opened again
            pass
        return machine_fault(error)


def _place(bucket: Bucket) -> tuple[str, int, int]:
    return bucket.topic, bucket.start_us, bucket.end_us
