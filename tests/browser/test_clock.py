"""The time that is drawn, as a pure function of what the server said and of the wall's time."""

import itertools
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ServerProcess
from tests.browser.test_levels import Module

FOLLOW = """v.heard.reduce(({clock, drawn}, {frame, wall_us}) => {
    const followed = clock ?? new m.SceneClock(frame, wall_us);
    if (frame) followed.anchor(frame, wall_us, frame.oldest_us);
    return {clock: followed, drawn: [...drawn, followed.advance(wall_us)]};
}, {drawn: []}).drawn"""


FRAME_US = 16_667


def said(now_us: int, speed: float = 1, *, paused: bool = False, oldest_us: int | None = None) -> dict[str, Any]:
    told = {"now_us": now_us, "speed": speed, "paused": paused, "standing": False}
    return told if oldest_us is None else {**told, "oldest_us": oldest_us}


@pytest.fixture
def clock(page: Page, server: ServerProcess) -> Module:
    return Module(page, server, "scene/clock")


def drawn(clock: Module, *heard: tuple[int, dict[str, Any] | None]) -> list[int]:
    """What is drawn at each wall time, where a frame may have come."""
    times: list[int] = clock.call(FOLLOW, heard=[{"wall_us": wall_us, "frame": frame} for wall_us, frame in heard])
    return times


def test_while_time_runs_what_is_drawn_never_goes_back(clock: Module) -> None:
    times = drawn(
        clock, (0, said(0, 8)), (200_000, None), (400_000, None), (450_000, said(1_000_000, 8)), (460_000, None)
    )
    assert times == sorted(times)
    assert times[2] > 1_000_000


def test_a_pause_shows_the_servers_time_though_more_was_drawn(clock: Module) -> None:
    """A server that fell behind says less than was expected of it."""
    assert drawn(clock, (0, said(0, 8)), (400_000, None), (450_000, said(1_000_000, 8, paused=True)))[-1] == 1_000_000


def test_silence_is_not_taken_for_time_for_ever(clock: Module) -> None:
    second, third = drawn(clock, (0, said(0)), (10_000_000, None), (20_000_000, None))[1:]
    assert second == third < 2_000_000


def listening(
    clock: Module, *, until_us: int, every_us: int, pace: float = 1.0, news_late_us: int | None = None
) -> list[tuple[int, int]]:
    """Wall time and drawn time at each frame of the display, while the server speaks every ``every_us``."""
    says = {wall_us: int(wall_us * pace) for wall_us in range(0, until_us, every_us)}
    walls = sorted({*says, *range(0, until_us, FRAME_US)})
    heard = [
        (
            wall_us,
            said(says[wall_us], oldest_us=None if news_late_us is None else says[wall_us] - news_late_us)
            if wall_us in says
            else None,
        )
        for wall_us in walls
    ]
    return list(zip(walls, drawn(clock, *heard), strict=True))


def test_the_picture_comes_as_near_as_news_is_early_and_steps_back_when_it_is_late(clock: Module) -> None:
    def behind_us(news_late_us: int) -> int:
        wall_us, drawn_us = listening(clock, until_us=4_000_000, every_us=40_000, news_late_us=news_late_us)[-1]
        return wall_us - drawn_us

    assert behind_us(0) < 20_000
    assert 40_000 < behind_us(40_000) < 50_000
    assert behind_us(10_000_000) <= 150_000


def test_a_starved_room_is_drawn_slower_and_not_in_jerks(clock: Module) -> None:
    """It lives half as fast as it says; the picture goes on in every frame, and not far beyond what was told."""
    times = listening(clock, until_us=6_000_000, every_us=100_000, pace=0.5, news_late_us=50_000)
    settled = [one for one in times if one[0] > 1_000_000]
    paces = [
        (later - earlier) / (at - before)
        for (before, earlier), (at, later) in itertools.pairwise(settled)
        if at - before > 1_000
    ]
    assert min(paces) > 0
    assert max(paces) < 1.2
    assert all(drawn_us - wall_us / 2 < 60_000 for wall_us, drawn_us in settled)
