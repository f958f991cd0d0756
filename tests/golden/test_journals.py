"""The engine writes today what it wrote when the golden journals were recorded."""

import pytest

from tests.golden.walks import HERE, WALKS, file_of


@pytest.mark.parametrize("name", WALKS)
def test_the_engine_writes_the_same_journal(name: str) -> None:
    assert WALKS[name].journal().splitlines() == file_of(name).read_text().splitlines(), (
        "if that is meant, run: python -m tests.golden"
    )


def test_every_golden_file_belongs_to_a_walk() -> None:
    wanted = {file_of(name) for name in WALKS}
    wanted |= {HERE / name / f"{at_ms:05d}.svg" for name, walk in WALKS.items() for at_ms in walk.drawn_at_ms}
    assert {*HERE.glob("*.jsonl"), *HERE.glob("*/*.svg")} == wanted


def test_together_the_walks_cover_most_events() -> None:
    written = {line.split('"', 4)[3] for name in WALKS for line in file_of(name).read_text().splitlines()}
    assert written >= {
        "batch_sent", "batch_appended", "log_flushed", "segment_rolled", "segment_deleted", "log_cut", "fetch_sent",
        "fetch_received", "messages_consumed", "commit_landed", "consumer_crashed", "session_expired", "watch_fired",
        "rebalance_started", "ownership_released", "assignment_computed", "rebalance_finished", "broker_crashed",
        "offset_sought",
    }  # fmt: skip
