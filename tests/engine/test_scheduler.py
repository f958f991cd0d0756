"""What happens next."""

import pytest

from engine.clock import NEVER_US, Clock
from engine.scheduler import Scheduler


def test_actions_run_in_order_of_time_then_priority_then_scheduling() -> None:
    ran: list[str] = []
    scheduler = Scheduler(Clock())
    for name, due_us, priority in [("late", 20, 0), ("last", 10, 5), ("first", 10, 0), ("second", 10, 0)]:
        scheduler.at(due_us, lambda name=name: ran.append(name), priority=priority)  # type: ignore[misc]
    scheduler.run_until(20)
    assert ran == ["first", "second", "last", "late"]


def test_the_clock_shows_the_due_time_while_an_action_runs_and_the_target_afterwards() -> None:
    seen: list[int] = []
    scheduler = Scheduler(Clock(-5))
    scheduler.after(3, lambda: seen.append(scheduler.now_us))
    scheduler.run_until(100)
    assert (seen, scheduler.now_us) == ([-2], 100)


def test_what_an_action_makes_due_in_the_same_run_is_done_too() -> None:
    ran: list[int] = []
    scheduler = Scheduler(Clock())
    scheduler.after(1, lambda: scheduler.after(0, lambda: ran.append(scheduler.now_us)))
    scheduler.run_until(1)
    assert ran == [1]


def test_a_cancelled_action_never_runs_and_is_never_next() -> None:
    scheduler = Scheduler(Clock())
    timer = scheduler.after(1, lambda: pytest.fail("it ran"))
    timer.cancel()
    assert scheduler.next_due_us == NEVER_US
    scheduler.run_until(10)
    assert not timer.pending


def test_time_that_goes_back_is_our_mistake() -> None:
    clock = Clock(5)
    with pytest.raises(AssertionError):
        clock.advance_to(4)
