"""The pump: virtual time passes in its steps, for all rooms, in one thread."""

import threading
import time
from collections.abc import Callable, Iterable

from engine.config import NEVER_US
from webapp.room.room import Room

IDLE_S = 1.0
BREATH_S = 0.005
EARLY_EVERY_S = 0.008
"""The least time between two checks for early work, due before its round."""
EARLY_SHARE = 0.25
"""The share of its slot that a round may take before early work waits for the next round."""


class Pump:
    """The steps that give every room with something to do a slice of time, about 25 times a second.

    One thread calls :meth:`step` again and again. A command is served at once, between two rounds; so is work that
    falls due there, as long as rounds are short. While no room has anything to do a step waits. ``wall_us`` is the
    rooms' clock.
    """

    def __init__(
        self,
        rooms_awake: Callable[[], Iterable[Room]],
        *,
        tell_viewers: Callable[[Room], None],
        wall_us: Callable[[], int],
        slice_us: int,
        budget_us: int,
    ) -> None:
        self._rooms_awake = rooms_awake
        self._tell_viewers = tell_viewers
        self._wall_us = wall_us
        self._slice_s = slice_us / 1_000_000
        self._budget_us = budget_us
        self._changed = threading.Condition()
        self._urgent: set[Room] = set()
        self._is_interrupted = False
        self._next_round_s = time.monotonic()
        self._early: list[Room] = []

    def wake(self, room: Room) -> None:
        """Serve ``room`` soon: a command waits in it, or it is in use again."""
        with self._changed:
            self._urgent.add(room)
            self._changed.notify()

    def interrupt(self) -> None:
        """End the wait of the current step, and of all that follow."""
        with self._changed:
            self._is_interrupted = True
            self._changed.notify()

    def step(self) -> None:
        """Wait until there is something to do, and do it: urgent rooms, early work, or a round of all rooms."""
        self._wait_until(min(self._next_round_s, self._next_due_s(self._early)))
        urgent = self._take_urgent()
        for room in urgent:
            self._serve(room)
        if urgent:
            self._next_round_s = min(self._next_round_s, time.monotonic() + self._slice_s)
        begin_s = time.monotonic()
        if begin_s < self._next_round_s:
            self._serve_due(self._early)
            return
        busy = [room for room in self._rooms_awake() if room.has_work]
        for room in busy:
            self._serve(room)
        now_s = time.monotonic()
        self._early = busy if now_s - begin_s < EARLY_SHARE * self._slice_s else []
        # However much there is to do, the other threads get their turn between two rounds.
        self._next_round_s = max(self._next_round_s + self._slice_s, now_s + BREATH_S) if busy else now_s + IDLE_S

    def _next_due_s(self, rooms: Iterable[Room]) -> float:
        """Return when to serve ``rooms`` next because something falls due in one of them."""
        due_us = min((room.due_wall_us for room in rooms), default=NEVER_US)
        return time.monotonic() + max((due_us - self._wall_us()) / 1_000_000, EARLY_EVERY_S)

    def _serve_due(self, rooms: Iterable[Room]) -> None:
        now_us = self._wall_us()
        for room in rooms:
            if room.due_wall_us <= now_us:
                self._serve(room)

    def _wait_until(self, at_s: float) -> None:
        """Wait for an urgent room, for ``at_s`` or for :meth:`interrupt`."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._urgent or self._is_interrupted, timeout=max(at_s - time.monotonic(), 0)
            )

    def _take_urgent(self) -> set[Room]:
        with self._changed:
            urgent, self._urgent = self._urgent, set()
            return urgent

    def _serve(self, room: Room) -> None:
        if room.slice(budget_us=self._budget_us):
            self._tell_viewers(room)
