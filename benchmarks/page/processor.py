"""Who kept a thread from going on: it itself, or others who had the processors meanwhile."""

import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

LOOKED_EVERY_S = 0.003


@dataclass(frozen=True, slots=True)
class ThreadTimes:
    """How long a thread had a processor, and how long it was ready and had none."""

    used_ms: float
    ready_ms: float


@dataclass(frozen=True, slots=True)
class Task:
    """Something the page's main thread did at a stretch; ``at_ms`` since the epoch."""

    at_ms: float
    duration_ms: float


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a thread's times, somewhen between two times since the epoch."""

    begin_ms: float
    end_ms: float
    times: ThreadTimes


@dataclass(slots=True)
class Course:
    """What became of a thread's times, look by look."""

    looks: list[Look] = field(default_factory=list)

    @property
    def used_ms(self) -> float:
        """How long it had a processor between the first look and the last."""
        return self.looks[-1].times.used_ms - self.looks[0].times.used_ms if self.looks else 0.0

    def own_ms(self, task: Task) -> float:
        """At most so much of a task was the thread's own doing: what is known of its waiting is left out."""
        end_ms = task.at_ms + task.duration_ms
        within = [look.times for look in self.looks if task.at_ms <= look.begin_ms and look.end_ms <= end_ms]
        waited_ms = within[-1].ready_ms - within[0].ready_ms if within else 0.0
        return max(0.0, task.duration_ms - waited_ms)


class MainThreads:
    """The main threads of some processes, looked at again and again for as long as the block runs."""

    def __init__(self, process_ids: Iterable[int]) -> None:
        self._courses: Mapping[Path, Course] = {Path(f"/proc/{one}/task/{one}"): Course() for one in process_ids}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="looks at main threads")

    def __enter__(self) -> "MainThreads":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._is_over.set()
        self._thread.join()

    def longest(self, tasks: Sequence[Task], when: str = "") -> dict[str, float]:
        """The longest of the busiest thread's tasks: by the clock, and at most so much by its own doing.

        ``when`` goes into the names.
        """
        busiest = max(self._courses.values(), key=lambda course: course.used_ms)
        return {
            f"longest_task{when}_ms": max((task.duration_ms for task in tasks), default=0.0),
            f"longest_own_task{when}_ms": max((busiest.own_ms(task) for task in tasks), default=0.0),
        }

    def _look(self) -> None:
        while not self._is_over.wait(LOOKED_EVERY_S):
            for path, course in self._courses.items():
                begin_ms = _now_ms()
                seen = times_of(path)
                course.looks += [Look(begin_ms, _now_ms(), times) for times in seen]


def _now_ms() -> float:
    return 1_000 * time.time()


def times_of(path: Path) -> tuple[ThreadTimes, ...]:
    """What the thread with that folder under /proc has used and waited for so far; empty if it has ended."""
    try:
        used_ns, ready_ns = (path / "schedstat").read_text().split()[:2]
    except OSError:
        return ()
    return (ThreadTimes(int(used_ns) / 1_000_000, int(ready_ns) / 1_000_000),)
