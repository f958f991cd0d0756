"""The warehouse stores rows and offsets together or not at all, whatever is interrupted when."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from engine.errors import MachineFault
from engine.ids import TopicPartition
from engine.pipeline.audit import Bucket, MonitoringEvent
from engine.pipeline.warehouse import Latency, ReportedCounts, Row, Warehouse
from engine.producer.stamps import UNSTAMPED, Stamp

PLACE = TopicPartition("live.clicks", 0)
BUCKET = Bucket("clicks", 0, 1_000)


def row(offset: int, at_us: int = 10, loaded_at_us: int = 100) -> Row:
    return Row("clicks", 0, offset, Stamp(at_us, "s"), b"payload %d" % offset, loaded_at_us)


def counted(count: int, guid: str) -> MonitoringEvent:
    return MonitoringEvent(2_000, BUCKET, "s", "live", guid, count)


def stored(path: Path) -> tuple[list[int], dict[TopicPartition, int]]:
    """Open the file; return the offsets of its rows, and the next offsets that it stores."""
    warehouse = Warehouse.open(path)
    connection = sqlite3.connect(path)
    offsets = [offset for (offset,) in connection.execute("SELECT offset FROM messages ORDER BY rowid")]
    next_offsets = warehouse.next_offsets()
    connection.close()
    warehouse.close()
    return offsets, next_offsets


def test_rows_and_offsets_are_visible_after_the_commit_and_not_before(tmp_path: Path) -> None:
    path = tmp_path / "warehouse"
    warehouse = Warehouse.open(path)
    warehouse.begin([row(0), row(20)], [], {PLACE: 40})
    reader = sqlite3.connect(path)
    assert reader.execute("SELECT COUNT(*) FROM messages").fetchone() == (0,)
    reader.close()
    warehouse.commit()
    warehouse.close()
    assert stored(path) == ([0, 20], {PLACE: 40})


def test_a_warehouse_that_is_closed_in_a_transaction_holds_what_it_held_before(tmp_path: Path) -> None:
    path = tmp_path / "warehouse"
    warehouse = Warehouse.open(path)
    warehouse.begin([row(0)], [], {PLACE: 20})
    warehouse.commit()
    warehouse.begin([row(20)], [counted(1, "g")], {PLACE: 40})
    warehouse.close()
    assert stored(path) == ([0], {PLACE: 20})


class Dying(sqlite3.Connection):
    """A connection whose process ends right before its n-th statement of a load, or right after it."""

    statements_left = -1
    after = False

    def dies_at(self, statement: int, *, after: bool) -> None:
        self.statements_left, self.after = statement, after

    def _step(self, run: Any) -> Any:
        if self.statements_left == 0 and not self.after:
            raise KeyboardInterrupt
        result = run()
        if self.statements_left == 0:
            raise KeyboardInterrupt
        self.statements_left -= 1
        return result

    def execute(self, *arguments: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self._step(lambda: super(Dying, self).execute(*arguments))
        return cursor

    def executemany(self, *arguments: Any) -> sqlite3.Cursor:
        cursor: sqlite3.Cursor = self._step(lambda: super(Dying, self).executemany(*arguments))
        return cursor


def load(warehouse: Warehouse, log: list[Row]) -> None:
    """Load everything from the stored offset on in one transaction, as the loader does."""
    begin = warehouse.next_offsets().get(PLACE, 0)
    fresh = [one for one in log if one.offset >= begin]
    warehouse.begin(fresh, [counted(len(log), "g")], {PLACE: log[-1].offset + 20})
    warehouse.commit()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("statement", range(6))
def test_a_crash_before_or_after_any_statement_of_a_load_neither_loses_nor_doubles_a_row(
    tmp_path: Path, statement: int, after: bool
) -> None:
    path = tmp_path / "warehouse"
    first, whole = [row(0), row(20)], [row(0), row(20), row(40), row(60)]
    warehouse = Warehouse.open(path)
    load(warehouse, first)
    warehouse.close()
    connection = sqlite3.connect(path, isolation_level=None, factory=Dying)
    dying = Warehouse(connection)
    connection.dies_at(statement, after=after)
    with pytest.raises(KeyboardInterrupt):
        load(dying, whole)
    connection.close()
    offsets, next_offsets = stored(path)
    assert (offsets, next_offsets) in [([0, 20], {PLACE: 40}), ([0, 20, 40, 60], {PLACE: 80})]
    warehouse = Warehouse.open(path)
    load(warehouse, whole)
    warehouse.close()
    assert stored(path) == ([0, 20, 40, 60], {PLACE: 80})


KILLED = """
import sys
from pathlib import Path
from engine.ids import TopicPartition
from engine.producer.stamps import Stamp
from engine.pipeline.warehouse import Row, Warehouse

place = TopicPartition("live.clicks", 0)
warehouse = Warehouse.open(Path(sys.argv[1]))
print("open", flush=True)
while True:
    begin = warehouse.next_offsets().get(place, 0)
    rows = [Row("clicks", 0, offset, Stamp(0, "s"), b"x" * 2000, 0) for offset in range(begin, begin + 200)]
    warehouse.begin(rows, [], {place: begin + 200})
    warehouse.commit()
    print(begin + 200, flush=True)
"""


def test_a_loader_that_is_killed_repeatedly_stores_every_offset_once(tmp_path: Path) -> None:
    path = tmp_path / "warehouse"
    for life in range(8):
        command = [sys.executable, "-c", KILLED, str(path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
        assert process.stdout
        lines: Iterable[bytes] = iter(process.stdout.readline, b"")
        for number, _ in enumerate(lines):
            if number == life + 1:
                process.kill()
                break
        process.wait(10)
        process.stdout.close()
        offsets, next_offsets = stored(path)
        assert offsets == list(range(next_offsets[PLACE]))
        assert len(offsets) >= 200 * (life + 1)


def test_a_locked_warehouse_is_a_machine_fault_and_leaves_no_transaction_open(tmp_path: Path) -> None:
    path = tmp_path / "warehouse"
    warehouse = Warehouse.open(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(MachineFault, match="locked"):
        _without_busy_timeout(path).begin([row(0)], [], {PLACE: 20})
    other.execute("ROLLBACK")
    other.close()
    warehouse.begin([row(0)], [], {PLACE: 20})
    warehouse.commit()
    warehouse.close()
    assert stored(path) == ([0], {PLACE: 20})


def _without_busy_timeout(path: Path) -> Warehouse:
    return Warehouse(sqlite3.connect(path, isolation_level=None, timeout=0))


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "warehouse"
    path.write_bytes(b"no database at all, but long enough to look like one" * 40)
    with pytest.raises(MachineFault, match="not a database"):
        Warehouse.open(path)


def test_a_monitoring_event_that_comes_twice_counts_once(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "warehouse")
    assert warehouse.reported(BUCKET) == ReportedCounts(0, 0)
    warehouse.begin([], [counted(3, "one"), counted(4, "two"), counted(3, "one")], {PLACE: 1})
    warehouse.commit()
    warehouse.begin([], [counted(3, "one")], {PLACE: 2})
    warehouse.commit()
    assert warehouse.reported(BUCKET) == ReportedCounts(2, 7)
    assert warehouse.reported(Bucket("clicks", 1_000, 2_000)) == ReportedCounts(0, 0)
    warehouse.close()


def test_a_bucket_counts_the_stamped_messages_of_its_window_and_topic_only(tmp_path: Path) -> None:
    warehouse = Warehouse.open(tmp_path / "warehouse")
    unstamped = Row("clicks", 0, 60, UNSTAMPED, b"", 100)
    elsewhere = Row("other", 0, 80, Stamp(10, "s"), b"", 100)
    warehouse.begin([row(0, 0), row(20, 999), row(40, 1_000), unstamped, elsewhere], [], {PLACE: 100})
    warehouse.commit()
    assert warehouse.received(BUCKET) == 2
    assert warehouse.rows() == 5
    warehouse.close()


@pytest.mark.parametrize(
    ("taken", "average_us", "percentile_95_us"),
    [([5], 5, 5), ([1, 2, 3, 4], 2, 4), (list(range(1, 101)), 50, 95), ([7] * 19 + [900], 52, 7)],
)
def test_latency_is_the_average_and_the_nearest_rank_percentile(
    tmp_path: Path, taken: list[int], average_us: int, percentile_95_us: int
) -> None:
    warehouse = Warehouse.open(tmp_path / "warehouse")
    warehouse.begin([row(number, 0, one) for number, one in enumerate(taken)], [], {PLACE: 1})
    warehouse.commit()
    latency = warehouse.latency(BUCKET)
    assert latency.messages == len(taken)
    assert abs(latency.average_us - average_us) <= 1
    assert latency.percentile_95_us == percentile_95_us
    assert warehouse.latency(Bucket("clicks", 5_000, 6_000)) == Latency(0, 0, 0)
    warehouse.close()
