"""What happens next: a heap of (due time, priority, sequence).

Ties are broken by priority and then by the order of scheduling, never by chance or by comparing objects, so a
run is a function of its inputs.
"""

import heapq
from collections.abc import Callable
from typing import Protocol

from engine.clock import NEVER_US, Clock

Action = Callable[[], None]
WAKE_PRIORITY = -1
"""A process that goes on must look around before it does what fell due meanwhile."""


class Timer:
    """One scheduled action, which can be cancelled until it runs."""

    __slots__ = ("_action", "due_us")

    def __init__(self, due_us: int, action: Action) -> None:
        self.due_us = due_us
        self._action: Action | None = action

    @property
    def pending(self) -> bool:
        """Whether the action is still to come."""
        return self._action is not None

    def cancel(self) -> None:
        """Make sure that the action does not run; harmless when it has."""
        self._action = None

    def fire(self) -> None:
        """Run the action, once."""
        action, self._action = self._action, None
        if action is not None:
            action()


class Timers(Protocol):
    """Where an actor finds the time and leaves what it wants to do later."""

    @property
    def now_us(self) -> int:
        """The present in virtual time."""

    def at(self, due_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` at ``due_us``, or as soon as possible if that has passed."""

    def after(self, delay_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` in ``delay_us`` microseconds."""


class Scheduler:
    """The one loop of a cluster: runs what is due and moves the clock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._heap: list[tuple[int, int, int, Timer]] = []
        self._sequence = 0

    @property
    def now_us(self) -> int:
        """The present in virtual time."""
        return self._clock.now_us

    @property
    def next_due_us(self) -> int:
        """When the next action is due; ``NEVER_US`` if there is none."""
        while self._heap and not self._heap[0][3].pending:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else NEVER_US

    def at(self, due_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` at ``due_us``, or as soon as possible if that has passed."""
        timer = Timer(max(due_us, self.now_us), action)
        self._sequence += 1
        heapq.heappush(self._heap, (timer.due_us, priority, self._sequence, timer))
        return timer

    def after(self, delay_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` in ``delay_us`` microseconds."""
        return self.at(self.now_us + delay_us, action, priority=priority)

    def run_until(self, at_us: int) -> None:
        """Do everything due at or before ``at_us``, including what that causes; the clock then shows ``at_us``."""
        while self.next_due_us <= at_us:
            due_us, _, _, timer = heapq.heappop(self._heap)
            self._clock.advance_to(due_us)
            timer.fire()
        self._clock.advance_to(max(at_us, self.now_us))


class ProcessTime:
    """One process's view of the scheduler, which can stand still for a while (a long pause of its runtime).

    What falls due while it stands still is done in order when it goes on; ``on_wake`` comes before all of it.
    """

    def __init__(self, scheduler: Scheduler, on_wake: Action) -> None:
        self._scheduler = scheduler
        self._on_wake = on_wake
        self._stalled_until_us = scheduler.now_us
        self._ended = False

    @property
    def now_us(self) -> int:
        """The present in virtual time."""
        return self._scheduler.now_us

    @property
    def stalled(self) -> bool:
        """Whether the process stands still."""
        return self.now_us < self._stalled_until_us

    def stall(self, until_us: int) -> None:
        """Stand still until ``until_us``."""
        self._stalled_until_us = max(until_us, self._stalled_until_us)
        self._scheduler.at(self._stalled_until_us, self._wake, priority=WAKE_PRIORITY)

    def end(self) -> None:
        """The process is gone: nothing of what it had left for later is done."""
        self._ended = True

    def at(self, due_us: int, action: Action, *, priority: int = 0) -> Timer:
        """As the scheduler's, but not while the process stands still."""
        timer = Timer(due_us, action)
        self._scheduler.at(due_us, lambda: self._fire(timer), priority=priority)
        return timer

    def after(self, delay_us: int, action: Action, *, priority: int = 0) -> Timer:
        """As the scheduler's, but not while the process stands still."""
        return self.at(self.now_us + delay_us, action, priority=priority)

    def _fire(self, timer: Timer) -> None:
        if self._ended:
            timer.cancel()
        elif self.stalled and timer.pending:
            self._scheduler.at(self._stalled_until_us, lambda: self._fire(timer))
        else:
            timer.fire()

    def _wake(self) -> None:
        if not self.stalled and not self._ended:
            self._on_wake()
