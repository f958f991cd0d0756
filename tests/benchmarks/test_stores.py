"""Every contender stores every message and returns it, or gets no figure."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.contests import append_contest, overheads, read_contest, sharing_contest
from benchmarks.goals import goals
from benchmarks.measure import interleave
from benchmarks.messages import batches_of, payloads
from benchmarks.plot import plot
from benchmarks.stores import Store, append_subject, overhead_bytes, read_subject
from benchmarks.stores.engine import ChecksummedFile, EngineLog, RawFile, UntrustedLog
from benchmarks.stores.peers import Sqlite, SqlitePayloadsOnly, fast_peers, slow_peers

OURS: list[Store] = [EngineLog(), UntrustedLog(), RawFile(), ChecksummedFile(), SqlitePayloadsOnly()]
STORES: list[Store] = [*OURS, *fast_peers(), *slow_peers()]


@pytest.mark.parametrize("store", STORES, ids=lambda store: store.name)
@pytest.mark.parametrize("batch_messages", [1, 3])
def test_a_store_appends_and_returns_every_message(store: Store, batch_messages: int, tmp_path: Path) -> None:
    batches = batches_of(payloads(50), batch_messages)
    interleave([append_subject(store, tmp_path / "written", batches)], rounds=2)
    interleave([read_subject(store, tmp_path / "read", batches)], rounds=2)


def test_the_log_reads_over_several_fetches(tmp_path: Path) -> None:
    interleave([read_subject(EngineLog(), tmp_path / "log", batches_of(payloads(3_000), 500))], rounds=1)


def test_a_store_that_loses_a_message_gets_no_figure(tmp_path: Path) -> None:
    class Forgetful(Sqlite):
        def writer(self, directory: Path, batches: list[list[bytes]]) -> Callable[[], None]:  # type: ignore[override]
            return super().writer(directory, batches[1:])

    with pytest.raises(SystemExit, match="another number"):
        interleave([append_subject(Forgetful(), tmp_path / "store", batches_of(payloads(4), 2))], rounds=1)


def test_the_log_adds_nine_bytes_to_a_message(tmp_path: Path) -> None:
    assert overhead_bytes(EngineLog(), tmp_path / "log", batches_of(payloads(100), 50)) == 9.0


def test_a_whole_run_is_compared_with_the_goals_and_plotted(tmp_path: Path) -> None:
    comparisons = [
        append_contest(tmp_path, 200, 1, rounds=1),
        append_contest(tmp_path, 200, 50, rounds=1),
        read_contest(tmp_path, 1000, rounds=1),
        sharing_contest(tmp_path, 3000, rounds=1),
    ]
    found = goals({each["title"]: each for each in comparisons}, overheads(tmp_path, 200))
    assert {"bytes of overhead a message, exactly", "16 viewers of a journal, times one"} <= {
        goal["text"] for goal in found
    }
    assert next(goal for goal in found if goal["text"].startswith("bytes"))["met"]
    machine = {"python": "CPython", "build": "any", "processor": "a <fast> one", "file_system": "ext4"}
    report = {"machine": machine, "measured_at": "2011-06-12", "comparisons": comparisons, "goals": found}
    picture = plot(report)
    assert picture.count('<rect class="ours"') + picture.count('<rect class="bar"') == sum(
        len(each["contenders"]) for each in comparisons
    )
    assert "a &lt;fast&gt; one" in picture
