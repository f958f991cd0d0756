"""The scheduler of virtual time: a heap of actions by (due time, priority, sequence).

Ties are broken by priority and then by the order of scheduling, never by chance or by comparing objects, so a
run is a function of its inputs.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol

from engine.config import NEVER_US

Action = Callable[[], None]


class Timer:
    """One scheduled action, which can be cancelled until it runs."""

    __slots__ = ("_action", "due_us")

    def __init__(self, due_us: int, action: Action) -> None:
        self.due_us = due_us
        self._action: Action | None = action

    @property
    def pending(self) -> bool:
        """Whether the action will still run."""
        return self._action is not None

    def cancel(self) -> None:
        """Keep the action from running; no effect if it has run."""
        self._action = None

    def fire(self) -> None:
        """Run the action, once."""
        action, self._action = self._action, None
        if action is not None:
            action()


class Timers(Protocol):
    """The interface for reading the virtual time and scheduling actions."""

    @property
    def now_us(self) -> int:
        """The virtual time in microseconds."""

    def at(self, due_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` at ``due_us``, or as soon as possible if that has passed."""

    def after(self, delay_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` in ``delay_us`` microseconds."""


class Scheduler:
    """The event loop of a cluster: runs what is due and advances the clock.

    ``now_us`` is the virtual time, which only the scheduler sets: integer microseconds that may begin below zero and
    never decrease. It is a plain attribute because it is read very often.
    """

    def __init__(self, now_us: int = 0) -> None:
        self.now_us = now_us
        self._heap: list[tuple[int, int, int, Callable[[Any], None], Any]] = []
        self._sequence = 0

    @property
    def next_due_us(self) -> int:
        """When the next action is due; ``NEVER_US`` if there is none."""
        heap = self._heap
        while heap and isinstance(heap[0][4], Timer) and not heap[0][4].pending:
            heappop(heap)
        return heap[0][0] if heap else NEVER_US

    def at(self, due_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` at ``due_us``, or as soon as possible if that has passed."""
        timer = Timer(max(due_us, self.now_us), action)
        self.post(timer.due_us, Timer.fire, timer, priority)
        return timer

    def after(self, delay_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` in ``delay_us`` microseconds."""
        return self.at(self.now_us + delay_us, action, priority=priority)

    def post(self, due_us: int, do: Callable[[Any], None], what: Any, priority: int = 0) -> None:
        """Call ``do(what)`` at ``due_us``, which must not have passed: like :meth:`at`, but not to be cancelled."""
        self._sequence += 1
        heappush(self._heap, (due_us, priority, self._sequence, do, what))

    def run_until(self, at_us: int) -> None:
        """Run everything due at or before ``at_us``, including what that causes; the clock then shows ``at_us``."""
        heap = self._heap
        while heap and heap[0][0] <= at_us:
            self.now_us, _, _, do, what = heappop(heap)
            do(what)
        self.now_us = max(at_us, self.now_us)
