"""The machine that runs a cluster fails: the cluster stops, and the journal has nothing of the failed instant."""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engine.cluster.cluster import Cluster
from engine.config import TINY
from engine.errors import MachineFault
from engine.journal.journal import Journal
from tests.engine.conftest import MakeStage
from tests.support.clusters import GROUP, Stage, payloads

CALLS = {"write": errno.ENOSPC, "pread": errno.EIO, "open": errno.EMFILE, "ftruncate": errno.EROFS}


@contextmanager
def refusing(name: str, number: int) -> Iterator[None]:
    """Let the system refuse a call on any file."""

    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.MonkeyPatch.context() as failing:
        failing.setattr(os, name, refuse)
        yield


def lived(stage: Stage) -> None:
    """Add a topic and a group that reads it."""
    stage.with_topic(2).with_group("A")


def busy(stage: Stage) -> None:
    """Cause appends, fetches, rolled segments, reads of sealed ones, and a crash."""
    for _ in range(20):
        stage.do("produce", count=5, size=60)
        stage.run_ms(7)
    stage.do("seek", group=GROUP, partition=0, offset="earliest")
    stage.run_ms(100)
    stage.do("crash_broker", broker=1)


@pytest.mark.parametrize("name", CALLS)
def test_a_cluster_stops_at_a_machine_fault_before_that_instant_is_published(
    make_stage: MakeStage, tmp_path: Path, name: str
) -> None:
    undisturbed = make_stage(seed=1)
    lived(undisturbed)
    busy(undisturbed)
    undisturbed.cluster.publish()
    stage = make_stage(seed=1)
    lived(stage)
    stage.cluster.publish()
    with refusing(name, CALLS[name]), pytest.raises(MachineFault):
        busy(stage)
    for change in (lambda: stage.run_ms(1), lambda: stage.do("produce", count=1), stage.cluster.publish):
        with pytest.raises(MachineFault):
            change()
    published = payloads(Journal.open(stage.directory.parent / "journal"))
    assert published == payloads(undisturbed.journal)[: len(published)]
    assert len(published) > 10


def test_a_journal_that_cannot_be_written_stops_the_cluster(make_stage: MakeStage) -> None:
    stage = make_stage()
    lived(stage)
    stage.do("produce", count=1)
    with refusing("write", errno.ENOSPC), pytest.raises(MachineFault, match="No space"):
        stage.cluster.publish()
    with pytest.raises(MachineFault):
        stage.run_ms(1)


def test_a_byte_that_could_not_be_flipped_is_not_reported_as_flipped(
    make_stage: MakeStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = make_stage()
    lived(stage)

    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    partition = stage.cluster.state.partition("clicks", 0)
    with monkeypatch.context() as failing:
        failing.setattr(Path, "open", refuse)
        with pytest.raises(MachineFault, match="Read-only"):
            stage.cluster.flip_byte(partition, 0, 9)
    assert stage.events("byte_flipped") == []


def test_a_folder_that_cannot_be_emptied_is_refused_for_a_new_cluster(make_stage: MakeStage, tmp_path: Path) -> None:
    stage = make_stage()
    lived(stage)
    stage.cluster.close()
    with refusing("unlink", errno.EROFS), pytest.raises(MachineFault, match="Read-only"):
        Cluster(scenario="test", directory=stage.directory, config=TINY, seed=1, journal=stage.journal, start_us=0)
