"""The contests over TCP: they run, every contender does the work, and the goals are computed from them."""

from pathlib import Path

import pytest

from benchmarks.fetching import READ_AND_SEND, SENDFILE, TITLE, fetch_contest
from benchmarks.sending import (
    CONDITIONS,
    send_contests,
    sending_costs,
    sending_goals,
    title_of,
)
from benchmarks.tcp import BROKER, REDIS, produce_contest, redis_version, tcp_goals


@pytest.mark.slow
def test_every_contender_takes_part_and_the_goal_is_checked(tmp_path: Path) -> None:
    contest = produce_contest(tmp_path, 500, 1)
    assert set(contest["contenders"]) == ({BROKER, REDIS} if redis_version() else {BROKER})
    assert all(figures["cpu_seconds"][0] > 0 for figures in contest["contenders"].values())
    assert [goal.wanted for goal in tcp_goals({contest["title"]: contest})] == ([3] if redis_version() else [])


@pytest.mark.slow
def test_both_ways_of_sending_are_measured_under_every_condition(tmp_path: Path) -> None:
    contests = {contest["title"]: contest for contest in send_contests(tmp_path, 1)}
    assert list(contests) == list(map(title_of, CONDITIONS)) == list(sending_costs(contests))
    assert all(set(contest["contenders"]) == {SENDFILE, READ_AND_SEND} for contest in contests.values())


@pytest.mark.slow
def test_a_whole_broker_is_measured_both_ways_and_compared_with_the_goal(tmp_path: Path) -> None:
    contest = fetch_contest(tmp_path, 3_000, 1)
    assert set(contest["contenders"]) == {SENDFILE, READ_AND_SEND}
    assert all(figures["cpu_seconds"][0] > 0 for figures in contest["contenders"].values())
    assert list(sending_costs({TITLE: contest})) == [TITLE]
    assert [goal.wanted for goal in sending_goals({TITLE: contest})] == [0.75]
