"""What a task took by itself, and what it waited for a processor that others had."""

import os

from benchmarks.page.processor import Course, MainThreads, Task, ThreadTimes


def course(*looks: tuple[float, float, float]) -> Course:
    """One look each: at which time, and what was used and waited for until then."""
    found = Course()
    for at_ms, used_ms, ready_ms in looks:
        found.note(at_ms, ThreadTimes(used_ms, ready_ms))
    return found


def test_waiting_for_a_processor_is_no_doing_of_the_task() -> None:
    seen = course((0, 0, 0), (10, 10, 0), (20, 12, 8), (30, 12, 18), (40, 22, 18))
    assert seen.own_ms(Task(5, 30)) == 30 - 18


def test_waiting_before_and_after_a_task_is_not_taken_from_it() -> None:
    seen = course((0, 0, 0), (10, 0, 10), (15, 5, 10), (20, 10, 10), (30, 10, 20))
    assert seen.own_ms(Task(10, 10)) == 10


def test_a_task_that_nobody_looked_at_is_its_own_doing() -> None:
    assert course((0, 0, 0), (50, 20, 30)).own_ms(Task(10, 30)) == 30
    assert Course().own_ms(Task(10, 30)) == 30


def test_a_thread_that_has_ended_is_looked_at_no_more() -> None:
    with MainThreads([os.getpid(), 2**22 + 1]) as threads:
        pass
    assert threads.longest([]) == {"longest_task_ms": 0.0, "longest_own_task_ms": 0.0}


def test_the_names_say_when_it_was() -> None:
    with MainThreads([os.getpid()]) as threads:
        pass
    found = threads.longest([Task(0, 60)], "_played")
    assert found == {"longest_task_played_ms": 60, "longest_own_task_played_ms": 60}
