"""The drawn time, as a pure function of the clocks that the server sent and of wall time."""

import itertools
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ServerProcess
from tests.browser.test_levels import Module

FOLLOW = """v.received.reduce(({clock, drawn}, {frame, wall_us}) => {
    const followed = clock ?? new m.SceneClock(frame, wall_us);
    if (frame) followed.anchor(frame, wall_us, frame.oldest_us);
    return {clock: followed, drawn: [...drawn, followed.advance(wall_us)]};
}, {drawn: []}).drawn"""


FRAME_US = 16_667


def clock_frame(now_us: int, speed: float = 1, *, paused: bool = False, oldest_us: int | None = None) -> dict[str, Any]:
    clock = {"now_us": now_us, "speed": speed, "paused": paused, "standing": False}
    return clock if oldest_us is None else {**clock, "oldest_us": oldest_us}


@pytest.fixture
def clock(page: Page, server: ServerProcess) -> Module:
    return Module(page, server, "scene/clock")


def drawn(clock: Module, *received: tuple[int, dict[str, Any] | None]) -> list[int]:
    """Return the drawn time at each wall time, at which a frame may have arrived."""
    times: list[int] = clock.call(
        FOLLOW, received=[{"wall_us": wall_us, "frame": frame} for wall_us, frame in received]
    )
    return times


def test_the_drawn_time_never_goes_back_while_time_runs(clock: Module) -> None:
    times = drawn(
        clock,
        (0, clock_frame(0, 8)),
        (200_000, None),
        (400_000, None),
        (450_000, clock_frame(1_000_000, 8)),
        (460_000, None),
    )
    assert times == sorted(times)
    assert times[2] > 1_000_000


def test_a_pause_shows_the_servers_time_even_if_a_later_time_was_drawn(clock: Module) -> None:
    """A server that fell behind sends an earlier time than the page expected."""
    assert (
        drawn(clock, (0, clock_frame(0, 8)), (400_000, None), (450_000, clock_frame(1_000_000, 8, paused=True)))[-1]
        == 1_000_000
    )


def test_the_drawn_time_stops_when_the_server_is_silent(clock: Module) -> None:
    second, third = drawn(clock, (0, clock_frame(0)), (10_000_000, None), (20_000_000, None))[1:]
    assert second == third < 2_000_000


def drawn_while_receiving(
    clock: Module, *, until_us: int, every_us: int, pace: float = 1.0, news_late_us: int | None = None
) -> list[tuple[int, int]]:
    """Return wall time and drawn time at each frame of the display; the server sends a clock every ``every_us``."""
    sent = {wall_us: int(wall_us * pace) for wall_us in range(0, until_us, every_us)}
    walls = sorted({*sent, *range(0, until_us, FRAME_US)})
    received = [
        (
            wall_us,
            clock_frame(sent[wall_us], oldest_us=None if news_late_us is None else sent[wall_us] - news_late_us)
            if wall_us in sent
            else None,
        )
        for wall_us in walls
    ]
    return list(zip(walls, drawn(clock, *received), strict=True))


def test_the_drawn_time_lags_by_the_latency_of_the_feed_up_to_a_limit(clock: Module) -> None:
    def behind_us(news_late_us: int) -> int:
        wall_us, drawn_us = drawn_while_receiving(
            clock, until_us=4_000_000, every_us=40_000, news_late_us=news_late_us
        )[-1]
        return wall_us - drawn_us

    assert behind_us(0) < 20_000
    assert 40_000 < behind_us(40_000) < 50_000
    assert behind_us(10_000_000) <= 150_000


def test_a_room_that_falls_behind_is_drawn_slower_and_smoothly(clock: Module) -> None:
    """Time runs at half the reported speed; the drawn time moves in every frame, never far ahead of the server."""
    times = drawn_while_receiving(clock, until_us=6_000_000, every_us=100_000, pace=0.5, news_late_us=50_000)
    settled = [one for one in times if one[0] > 1_000_000]
    paces = [
        (later - earlier) / (at - before)
        for (before, earlier), (at, later) in itertools.pairwise(settled)
        if at - before > 1_000
    ]
    assert min(paces) > 0
    assert max(paces) < 1.2
    assert all(drawn_us - wall_us / 2 < 60_000 for wall_us, drawn_us in settled)
