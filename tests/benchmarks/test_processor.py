"""The time that a task itself used, without its waits for a processor that others used."""

import os
from pathlib import Path

from benchmarks.page.processor import Course, Look, MainThreads, Task, ThreadTimes, times_of


def course(*looks: tuple[float, float, float]) -> Course:
    """Make a course from looks: the time of each, and the used and the waited milliseconds until then."""
    return Course([Look(at_ms, at_ms, ThreadTimes(used_ms, ready_ms)) for at_ms, used_ms, ready_ms in looks])


def test_waiting_for_a_processor_does_not_count_as_the_task_s_own_time() -> None:
    seen = course((0, 0, 0), (10, 10, 0), (20, 12, 8), (30, 12, 18), (40, 22, 18))
    assert seen.own_ms(Task(5, 30)) == 30 - 18


def test_waiting_before_and_after_a_task_is_not_subtracted_from_its_own_time() -> None:
    seen = course((0, 0, 0), (10, 0, 10), (15, 5, 10), (20, 10, 10), (30, 10, 20))
    assert seen.own_ms(Task(10, 10)) == 10


def test_a_task_without_a_look_counts_in_full_as_its_own_time() -> None:
    assert course((0, 0, 0), (50, 20, 30)).own_ms(Task(10, 30)) == 30
    assert Course().own_ms(Task(10, 30)) == 30


def test_a_look_that_began_before_the_task_is_ignored() -> None:
    seen = Course([Look(5, 12, ThreadTimes(0, 0)), Look(15, 15, ThreadTimes(0, 9)), Look(18, 22, ThreadTimes(0, 12))])
    assert seen.own_ms(Task(10, 10)) == 10


def test_a_thread_that_has_ended_has_no_times(tmp_path: Path) -> None:
    assert times_of(tmp_path / "gone") == ()
    (times,) = times_of(Path(f"/proc/{os.getpid()}/task/{os.getpid()}"))
    assert times.used_ms > 0


def test_the_longest_tasks_by_the_clock_and_by_own_time_are_reported_with_the_suffix() -> None:
    with MainThreads([os.getpid()]) as threads:
        pass
    found = threads.longest([Task(0, 60), Task(100, 40)], "_played")
    assert found == {"longest_task_played_ms": 60, "longest_own_task_played_ms": 60}
    assert threads.longest([]) == {"longest_task_ms": 0.0, "longest_own_task_ms": 0.0}
