"""The order in which the scheduler runs actions."""

import pytest

from engine.config import NEVER_US
from engine.runtime.scheduler import Scheduler


def test_actions_run_in_order_of_time_then_priority_then_scheduling() -> None:
    ran: list[str] = []
    scheduler = Scheduler()
    for name, due_us, priority in [("late", 20, 0), ("last", 10, 5), ("first", 10, 0), ("second", 10, 0)]:
        scheduler.at(due_us, lambda name=name: ran.append(name), priority=priority)  # type: ignore[misc]
    scheduler.run_until(20)
    assert ran == ["first", "second", "last", "late"]


def test_the_clock_shows_the_due_time_while_an_action_runs_and_the_target_afterwards() -> None:
    seen: list[int] = []
    scheduler = Scheduler(-5)
    scheduler.after(3, lambda: seen.append(scheduler.now_us))
    scheduler.run_until(100)
    assert (seen, scheduler.now_us) == ([-2], 100)


def test_actions_that_become_due_during_a_run_are_run_too() -> None:
    ran: list[int] = []
    scheduler = Scheduler()
    scheduler.after(1, lambda: scheduler.after(0, lambda: ran.append(scheduler.now_us)))
    scheduler.run_until(1)
    assert ran == [1]


def test_a_cancelled_action_never_runs_and_is_never_next() -> None:
    scheduler = Scheduler()
    timer = scheduler.after(1, lambda: pytest.fail("it ran"))
    timer.cancel()
    assert scheduler.next_due_us == NEVER_US
    scheduler.run_until(10)
    assert not timer.pending


def test_time_never_goes_back() -> None:
    seen: list[int] = []
    scheduler = Scheduler(5)
    scheduler.at(3, lambda: seen.append(scheduler.now_us))
    scheduler.run_until(4)
    assert (seen, scheduler.now_us) == ([], 5)
    scheduler.run_until(5)
    assert (seen, scheduler.now_us) == ([5], 5)


def test_posted_actions_and_timers_run_in_the_order_of_scheduling() -> None:
    ran: list[str] = []
    scheduler = Scheduler()
    scheduler.at(10, lambda: ran.append("timer"))
    scheduler.post(10, ran.append, "posted")
    scheduler.at(10, lambda: ran.append("timer again"))
    assert scheduler.next_due_us == 10
    scheduler.run_until(10)
    assert ran == ["timer", "posted", "timer again"]
