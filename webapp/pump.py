"""The pump: the one thread in which virtual time passes, for all rooms."""

import logging
import threading
import time
from collections.abc import Callable, Iterable

from engine.config import NEVER_US
from webapp.room import Room

HOUSEKEEPING_EVERY_S = 5.0
IDLE_S = 1.0
BREATH_S = 0.005
EARLY_EVERY_S = 0.008
"""The least time between two checks for early work, due before its round."""
EARLY_SHARE = 0.25
"""The share of its slot that a round may take before early work waits for the next round."""

logger = logging.getLogger(__name__)


class Pump:
    """A thread that gives every room with something to do a slice of time, about 25 times a second.

    A command is served at once, between two rounds; so is work that falls due there, as long as rounds are short.
    While no room has anything to do the thread waits. ``wall_us`` is the rooms' clock.
    """

    def __init__(
        self,
        rooms_awake: Callable[[], Iterable[Room]],
        *,
        tell_viewers: Callable[[Room], None],
        keep_house: Callable[[], None],
        wall_us: Callable[[], int],
        slice_us: int,
        budget_us: int,
    ) -> None:
        self._rooms_awake = rooms_awake
        self._tell_viewers = tell_viewers
        self._keep_house = keep_house
        self._wall_us = wall_us
        self._slice_s = slice_us / 1_000_000
        self._budget_us = budget_us
        self._changed = threading.Condition()
        self._urgent: set[Room] = set()
        self._is_stopped = False
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)

    def start(self) -> None:
        """Start the thread, and with it virtual time."""
        self._thread.start()

    def wake(self, room: Room) -> None:
        """Serve ``room`` soon: a command waits in it, or it is in use again."""
        with self._changed:
            self._urgent.add(room)
            self._changed.notify()

    def stop(self) -> None:
        """Finish the current slice and stop the thread."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        next_round_s = next_housekeeping_s = time.monotonic()
        early: list[Room] = []
        while self._wait_until(min(next_round_s, self._next_due_s(early))):
            urgent = self._take_urgent()
            for room in urgent:
                self._serve(room)
            if urgent:
                next_round_s = min(next_round_s, time.monotonic() + self._slice_s)
            begin_s = time.monotonic()
            if begin_s < next_round_s:
                self._serve_due(early)
                continue
            busy = [room for room in self._rooms_awake() if room.has_work]
            for room in busy:
                self._serve(room)
            now_s = time.monotonic()
            early = busy if now_s - begin_s < EARLY_SHARE * self._slice_s else []
            # However much there is to do, the other threads get their turn between two rounds.
            next_round_s = max(next_round_s + self._slice_s, now_s + BREATH_S) if busy else now_s + IDLE_S
            if now_s >= next_housekeeping_s:
                next_housekeeping_s = now_s + HOUSEKEEPING_EVERY_S
                self._keep_house_safely()

    def _next_due_s(self, rooms: Iterable[Room]) -> float:
        """Return when to serve ``rooms`` next because something falls due in one of them."""
        due_us = min((room.due_wall_us for room in rooms), default=NEVER_US)
        return time.monotonic() + max((due_us - self._wall_us()) / 1_000_000, EARLY_EVERY_S)

    def _serve_due(self, rooms: Iterable[Room]) -> None:
        now_us = self._wall_us()
        for room in rooms:
            if room.due_wall_us <= now_us:
                self._serve(room)

    def _wait_until(self, at_s: float) -> bool:
        """Wait for an urgent room or for ``at_s``; return false when the pump is stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._urgent or self._is_stopped, timeout=max(at_s - time.monotonic(), 0))
            return not self._is_stopped

    def _take_urgent(self) -> set[Room]:
        with self._changed:
            urgent, self._urgent = self._urgent, set()
            return urgent

    def _serve(self, room: Room) -> None:
        if room.slice(budget_us=self._budget_us):
            self._tell_viewers(room)

    def _keep_house_safely(self) -> None:
        try:
            self._keep_house()
        except Exception:
            logger.exception("housekeeping failed; the rooms continue")
