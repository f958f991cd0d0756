"""The pace of a room: virtual time as a function of wall time."""

import pytest

from engine.config import NEVER_US
from webapp.room.pace import LONGEST_SLICE_US, SPEED_AT_LEAST, SPEED_AT_MOST, Pace, is_speed


def test_at_speed_1_virtual_time_passes_as_fast_as_wall_time() -> None:
    assert Pace(1_000, wall_us=0).target_us(40_000) == 41_000


@pytest.mark.parametrize(("speed", "passed_us"), [(0.1, 4_000), (1.0, 40_000), (2.5, 100_000), (16.0, 640_000)])
def test_the_speed_is_virtual_time_divided_by_wall_time(speed: float, passed_us: int) -> None:
    assert Pace(0, wall_us=0).at_speed(speed).target_us(40_000) == passed_us


def test_a_virtual_time_is_due_at_the_wall_time_at_which_it_is_reached() -> None:
    pace = Pace(1_000, wall_us=500).at_speed(3.0)
    wall_us = pace.wall_us_at(1_100)
    assert pace.target_us(wall_us - 1) < 1_100 <= pace.target_us(wall_us)
    assert pace.wall_us_at(0) == 500
    assert pace.pause().wall_us_at(1_100) == NEVER_US


def test_no_virtual_time_passes_while_paused() -> None:
    assert Pace(7, wall_us=0).pause().target_us(10_000_000) == 7


def test_resuming_continues_from_the_anchor() -> None:
    paused = Pace(7, wall_us=0).pause().anchored(7, wall_us=5_000_000)
    assert paused.resume().target_us(5_001_000) == 1_007


def test_a_gap_in_wall_time_counts_at_most_250_ms() -> None:
    assert Pace(0, wall_us=0).target_us(3_600_000_000) == LONGEST_SLICE_US


def test_a_wall_clock_that_goes_back_does_not_move_virtual_time() -> None:
    assert Pace(5, wall_us=1_000).target_us(0) == 5


def test_the_first_command_starts_a_standing_room() -> None:
    standing = Pace(0, wall_us=0, standing=True)
    assert standing.target_us(100_000) == 0
    assert standing.begin().target_us(100_000) == 100_000


def test_a_standing_room_that_is_paused_stays_standing() -> None:
    assert Pace(0, wall_us=0, standing=True).pause().begin().is_running


def test_a_command_does_not_start_a_paused_room() -> None:
    assert not Pace(0, wall_us=0).pause().begin().is_running


def test_a_step_always_leaves_the_room_paused() -> None:
    for pace in (Pace(0, 0), Pace(0, 0, paused=True), Pace(0, 0, standing=True)):
        stepped = pace.step()
        assert stepped.paused
        assert not stepped.standing


def test_toggling_twice_changes_nothing() -> None:
    running = Pace(0, wall_us=0)
    assert running.toggle().toggle() == running
    assert not running.toggle().is_running


def test_a_standing_room_is_reported_as_paused() -> None:
    facts = Pace(3, wall_us=0, standing=True).facts()
    assert facts.as_json() == {"now_us": 3, "speed": 1.0, "paused": True, "standing": True}


@pytest.mark.parametrize("speed", [SPEED_AT_LEAST, 1, SPEED_AT_MOST])
def test_speeds_within_the_limits_are_accepted(speed: float) -> None:
    assert is_speed(speed)


@pytest.mark.parametrize("speed", [0, -1, 0.09, 16.1, float("nan"), float("inf")])
def test_speeds_outside_the_limits_are_refused(speed: float) -> None:
    assert not is_speed(speed)
