"""The contests over TCP: they run, everybody does the work, and the goals are read off them."""

from pathlib import Path

import pytest

from benchmarks.tcp import (
    BROKER,
    READ_AND_SEND,
    REDIS,
    SENDFILE,
    produce_contest,
    redis_version,
    send_contest,
    tcp_goals,
)


@pytest.mark.slow
def test_everybody_takes_part_and_the_goals_are_judged(tmp_path: Path) -> None:
    contests = [produce_contest(tmp_path, 500, 1), send_contest(tmp_path, 1)]
    assert set(contests[0]["contenders"]) == ({BROKER, REDIS} if redis_version() else {BROKER})
    assert set(contests[1]["contenders"]) == {SENDFILE, READ_AND_SEND}
    assert all(figures["cpu_seconds"][0] > 0 for contest in contests for figures in contest["contenders"].values())
    goals = list(tcp_goals({contest["title"]: contest for contest in contests}))
    assert [goal.wanted for goal in goals] == ([4, 0.65] if redis_version() else [0.65])
