"""The arithmetic of the benchmarks: a wrong median would be believed."""

from collections.abc import Callable

import pytest

from benchmarks.compare import compare, ratio
from benchmarks.measure import Sample, Spread, Subject, cpu_ratios, interleave, ratios


def sample(seconds: float, *, units: int = 1, cpu_seconds: float = 1.0) -> Sample:
    return Sample(units, seconds, cpu_seconds, calibration_before=0.001, calibration_after=0.001)


def idle(name: str, did: Callable[[], None] = lambda: None) -> Subject:
    """Make a contender that does next to nothing."""
    return Subject(name, 10, prepare=lambda: did, verify=lambda: None)


def test_a_ratio_compares_turns_of_the_same_round() -> None:
    ours = [sample(1.0), sample(2.0), sample(4.0)]
    theirs = [sample(3.0), sample(6.0), sample(12.0)]
    assert ratios(ours, theirs) == Spread(3.0, 3.0, 3.0)


def test_contenders_that_do_different_amounts_are_compared_by_rate() -> None:
    assert ratios([sample(2.0, units=100)], [sample(1.0, units=5)]).median == 10.0


def test_a_ratio_by_processor_time_ignores_the_clock() -> None:
    assert cpu_ratios([sample(99.0, cpu_seconds=2.0)], [sample(1.0, cpu_seconds=3.0)]).median == 1.5


def test_a_spread_is_the_middle_half() -> None:
    assert Spread.of([5.0, 1.0, 2.0, 4.0, 3.0]) == Spread(2.0, 3.0, 4.0)


def test_each_contender_takes_one_turn_a_round_and_a_different_one_begins_each_round() -> None:
    turns: list[str] = []

    def turn(name: str) -> Callable[[], None]:
        return lambda: turns.append(name)

    taken = interleave([idle(name, turn(name)) for name in "abc"], rounds=3)

    assert turns == ["a", "b", "c", "b", "c", "a", "c", "a", "b"]
    assert {name: len(samples) for name, samples in taken.items()} == {"a": 3, "b": 3, "c": 3}


def test_a_comparison_names_its_baseline() -> None:
    found = compare("nothing", "nothings", [idle("first"), idle("second")], rounds=3)
    assert (found["held_against"], found["unit"], list(found["contenders"])) == (
        "first",
        "nothings",
        ["first", "second"],
    )
    assert found["contenders"]["first"]["first_is_times_as_fast"]["median"] == 1.0
    by_clock, _ = ratio(found, "second", "first")
    assert by_clock > 0


def test_a_contender_that_did_not_do_the_work_ends_the_run() -> None:
    def verify() -> None:
        raise SystemExit("benchmark void")

    with pytest.raises(SystemExit, match="void"):
        interleave([Subject("liar", 10, prepare=lambda: lambda: None, verify=verify)], rounds=1)
