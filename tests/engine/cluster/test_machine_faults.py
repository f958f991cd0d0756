"""The machine that runs a cluster fails: the cluster ends where it was, and history knows nothing of it."""

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
    """The system refuses a call in any file whose name says that it is a log of the cluster or the journal."""

    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(number, os.strerror(number))

    with pytest.MonkeyPatch.context() as failing:
        failing.setattr(os, name, refuse)
        yield


def lived(stage: Stage) -> None:
    """A group that reads what comes in, in segments that are rolled and sealed."""
    stage.with_topic(2).with_group("A")


def busy(stage: Stage) -> None:
    """Appends, fetches, rolled segments, reads of sealed ones, and a crash."""
    for _ in range(20):
        stage.do("produce", count=5, size=60)
        stage.run_ms(7)
    stage.do("seek", group=GROUP, partition=0, offset="earliest")
    stage.run_ms(100)
    stage.do("crash_broker", broker=1)


@pytest.mark.parametrize("name", CALLS)
def test_a_cluster_that_meets_one_stops_before_that_instant_is_published_and_does_not_go_on(
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
    told = payloads(Journal.open(stage.directory.parent / "journal"))
    assert told == payloads(undisturbed.journal)[: len(told)]
    assert len(told) > 10


def test_a_journal_that_cannot_be_written_stops_the_cluster(make_stage: MakeStage) -> None:
    stage = make_stage()
    lived(stage)
    stage.do("produce", count=1)
    with refusing("write", errno.ENOSPC), pytest.raises(MachineFault, match="No space"):
        stage.cluster.publish()
    with pytest.raises(MachineFault):
        stage.run_ms(1)


def test_a_byte_that_the_machine_does_not_flip_is_not_told_as_flipped(
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


def test_a_folder_that_cannot_be_emptied_is_no_place_for_a_new_cluster(make_stage: MakeStage, tmp_path: Path) -> None:
    stage = make_stage()
    lived(stage)
    stage.cluster.close()
    with refusing("unlink", errno.EROFS), pytest.raises(MachineFault, match="Read-only"):
        Cluster(scenario="test", directory=stage.directory, config=TINY, seed=1, journal=stage.journal, start_us=0)
