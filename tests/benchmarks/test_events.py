"""The contests of whole clusters: every contender emits all events, and the goal is computed from them."""

from pathlib import Path

import pytest

from benchmarks.events.contest import (
    NO_CLUSTER,
    NO_JOURNAL,
    NO_VIEWERS,
    WHOLE,
    event_contest,
    event_goals,
)
from benchmarks.events.workloads import SINGLE_MESSAGES, WORKLOADS, Workload
from engine.cluster.cluster import Cluster
from engine.journal.journal import Journal


def test_the_contest_measures_the_whole_cluster_and_the_cluster_without_parts(tmp_path: Path) -> None:
    contest = event_contest(tmp_path, SINGLE_MESSAGES, 1, 0.05)
    assert list(contest["contenders"]) == [WHOLE, NO_VIEWERS, NO_JOURNAL, NO_CLUSTER]
    assert {figures["units"] for figures in contest["contenders"].values()} == {contest["contenders"][WHOLE]["units"]}
    (goal,) = event_goals({contest["title"]: contest})
    assert goal.wanted == 60_000
    assert goal.found == pytest.approx(contest["contenders"][WHOLE]["rate"]["median"], abs=1)


def test_a_run_that_emits_other_events_gets_no_figure(tmp_path: Path) -> None:
    begun = []

    def begin(folder: Path, journal: Journal) -> Cluster:
        cluster = SINGLE_MESSAGES.begin(folder, journal)
        begun.append(cluster)
        cluster.run_until(cluster.now_us + 100_000 * len(begun))
        return cluster

    with pytest.raises(SystemExit, match="lacks events"):
        event_contest(tmp_path, Workload("another each time", begin, 0.33), 1, 1.0)


@pytest.mark.slow
@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_every_workload_does_what_its_name_says(workload: Workload, tmp_path: Path) -> None:
    journal = Journal.open(tmp_path / "journal")
    cluster = workload.begin(tmp_path, journal)
    begin_offset = cluster.publish()
    cluster.run_until(cluster.now_us + 1_200_000)
    cluster.publish()
    text = b"".join(journal.read(begin_offset, 1 << 28).payloads)
    assert b'"event":"fetch_sent"' in text
    assert (b'"event":"batch_sent"' in text) == ("nothing to read" not in workload.name)
    if "many commits" in workload.name:
        assert text.count(b'"event":"fetch_answered"') > 2 * text.count(b'"event":"batch_appended"')
        assert b'"event":"commit_landed"' in text
    assert cluster.check() == []
    cluster.close()
    journal.close()
