"""What happens next: a heap of (due time, priority, sequence).

Ties are broken by priority and then by the order of scheduling, never by chance or by comparing objects, so a
run is a function of its inputs.
"""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any, Protocol

from engine.config import NEVER_US

Action = Callable[[], None]
NO_OTHER_TURN = 0
WAKE_PRIORITY = -1
"""A process that goes on must look around before it does what fell due meanwhile."""


class Timer:
    """One scheduled action, which can be cancelled until it runs."""

    __slots__ = ("_action", "due_us", "turn")

    def __init__(self, due_us: int, action: Action) -> None:
        self.due_us = due_us
        self.turn = NO_OTHER_TURN
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
    """The one loop of a cluster: runs what is due and moves the clock.

    ``now_us`` is the present in virtual time, which nobody else sets: integer microseconds that may begin below zero
    and never go back. It is a plain attribute since everybody reads it all the time.
    """

    def __init__(self, now_us: int = 0) -> None:
        self.now_us = now_us
        self._heap: list[tuple[int, int, int, Callable[[Any], None], Any]] = []
        self._sequence = 0
        self._fire_timer = self._fire  # one object, by which the heap's timers are known

    @property
    def next_due_us(self) -> int:
        """When the next action is due; ``NEVER_US`` if there is none."""
        heap = self._heap
        while heap and heap[0][3] is self._fire_timer and not heap[0][4].pending:
            heappop(heap)
        return heap[0][0] if heap else NEVER_US

    def at(self, due_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` at ``due_us``, or as soon as possible if that has passed."""
        timer = Timer(max(due_us, self.now_us), action)
        self._sequence += 1
        heappush(self._heap, (timer.due_us, priority, self._sequence, self._fire_timer, timer))
        return timer

    def after(self, delay_us: int, action: Action, *, priority: int = 0) -> Timer:
        """Run ``action`` in ``delay_us`` microseconds."""
        return self.at(self.now_us + delay_us, action, priority=priority)

    def put_off(self, timer: Timer) -> None:
        """Let a pending timer of priority 0 take its turn behind all that is scheduled by now for the same instant.

        As if it were cancelled and made anew, at a tenth of the cost.
        """
        self._sequence += 1
        timer.turn = self._sequence

    def post(self, due_us: int, do: Callable[[Any], None], what: Any, priority: int = 0) -> None:
        """Call ``do(what)`` at ``due_us``, which must not have passed: as :meth:`at`, for what is never cancelled."""
        self._sequence += 1
        heappush(self._heap, (due_us, priority, self._sequence, do, what))

    def _fire(self, timer: Timer) -> None:
        if timer.turn != NO_OTHER_TURN and timer.pending:
            heappush(self._heap, (timer.due_us, 0, timer.turn, self._fire_timer, timer))
            timer.turn = NO_OTHER_TURN
        else:
            timer.fire()

    def run_until(self, at_us: int) -> None:
        """Do everything due at or before ``at_us``, including what that causes; the clock then shows ``at_us``."""
        heap = self._heap
        while heap and heap[0][0] <= at_us:
            self.now_us, _, _, do, what = heappop(heap)
            do(what)
        self.now_us = max(at_us, self.now_us)


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
        return self._scheduler.now_us < self._stalled_until_us

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
        self._scheduler.post(max(due_us, self._scheduler.now_us), self._fire, timer, priority)
        return timer

    def after(self, delay_us: int, action: Action, *, priority: int = 0) -> Timer:
        """As the scheduler's, but not while the process stands still."""
        return self.at(self._scheduler.now_us + delay_us, action, priority=priority)

    def _fire(self, timer: Timer) -> None:
        if self._ended:
            timer.cancel()
        elif self.stalled and timer.pending:
            self._scheduler.post(self._stalled_until_us, self._fire, timer)
        else:
            timer.fire()

    def _wake(self) -> None:
        if not self.stalled and not self._ended:
            self._on_wake()
