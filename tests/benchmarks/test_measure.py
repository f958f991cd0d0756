"""The arithmetic of the benchmarks: a wrong median would be believed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.log import append_subjects, payloads, read_subjects
from benchmarks.measure import Sample, Spread, Subject, interleave, ratios


def sample(seconds: float) -> Sample:
    return Sample(seconds, calibration_before=0.001, calibration_after=0.001)


def test_a_ratio_compares_turns_of_the_same_round() -> None:
    ours = [sample(1.0), sample(2.0), sample(4.0)]
    theirs = [sample(3.0), sample(6.0), sample(12.0)]
    assert ratios(ours, theirs) == Spread(3.0, 3.0, 3.0)


def test_a_spread_is_the_middle_half() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(2.0, 3.0, 4.0)


def test_everybody_takes_one_turn_a_round_and_each_round_begins_with_another() -> None:
    turns: list[str] = []

    def contender(name: str) -> Subject:
        def prepare() -> Callable[[], None]:
            return lambda: turns.append(name)

        return Subject(name, prepare, verify=lambda: None)

    taken = interleave([contender("a"), contender("b"), contender("c")], rounds=3)

    assert turns == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert {name: len(samples) for name, samples in taken.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_contender_that_did_not_do_the_work_gets_no_figure(tmp_path: Path) -> None:
    log = append_subjects(tmp_path, payloads(4), batch_messages=2)[0]
    log.prepare()  # opened, and never written to
    with pytest.raises(SystemExit, match="other bytes"):
        log.verify()


@pytest.mark.parametrize("batch_messages", [1, 3])
def test_all_contenders_store_every_message(tmp_path: Path, batch_messages: int) -> None:
    taken = interleave(append_subjects(tmp_path, payloads(7), batch_messages), rounds=1)
    assert list(taken) == ["log", "raw file", "sqlite3 WAL"]


def test_all_contenders_read_every_message_over_several_fetches(tmp_path: Path) -> None:
    taken = interleave(read_subjects(tmp_path, payloads(3_000)), rounds=1)
    assert list(taken) == ["log", "raw file", "sqlite3 WAL"]
