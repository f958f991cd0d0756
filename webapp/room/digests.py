"""Digests: a journal that grows too fast to be read event by event, sent as a few states a second.

Digests are read by offset like a log. A digest leads from one offset of the journal to a later one. A reader at the
beginning of a digest gets the changes; a reader elsewhere gets the whole newest state. A reader that takes digests
needs no events of a *stretch* covered by digests. At the end of the stretch it gets the exact state, and events
continue.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webapp.room.growth import SECOND_US, Budget, Growth
from webapp.room.patches import patch_between

State = dict[str, Any]

EVERY_US = 220_000
BYTES_PER_SECOND = 40_000
"""The limit for one viewer: after a large digest the next one comes later."""
KEPT = 32


@dataclass(frozen=True, slots=True)
class Digest:
    """The journal in ``[offset, next_offset)`` as a state; ``body`` is its JSON, empty if there is nothing new.

    A summary leaves out what changes too fast to follow. The exact state ends a stretch, also for readers at its end.
    """

    offset: int
    next_offset: int
    is_exact: bool
    body: bytes


class DigestLog:
    """The newest digests of one room. Not safe to use from two threads at once.

    Call :meth:`note` after each publication with the journal's end; it takes a digest when one is due.
    """

    def __init__(self, budget: Budget) -> None:
        self._growth = Growth(budget)
        self._is_open = False
        self._opened_offset = 0  # where the stretch began: some readers arrive there by reading events
        self._newest_offset = 0
        self._state: State = {}
        self._whole = b""
        self._patches: dict[int, Digest] = {}
        self._taken_us = 0
        self._size_bytes = 0

    @property
    def newest_offset(self) -> int:
        """Where the newest digest ends; 0 before there is one."""
        return self._newest_offset

    @property
    def is_open(self) -> bool:
        """Whether the journal is sent as digests now."""
        return self._is_open

    def note(
        self,
        wall_us: int,
        end_offset: int,
        *,
        is_running: bool,
        summary: Callable[[], State],
        snapshot: Callable[[], State],
    ) -> None:
        """Record that the journal now ends at ``end_offset``; the states at that end are made only if needed.

        A room whose time is paused gets the exact state, however fast its journal grew.
        """
        self._growth.note(wall_us, end_offset)
        if not is_running:
            self._growth.calm()
        if self._is_open and not self._growth.is_fast:
            self._close(end_offset, snapshot())
        elif self._growth.is_fast and (not self._is_open or self._is_time(wall_us)):
            self._take(wall_us, end_offset, summary())

    def covers(self, offset: int) -> bool:
        """Return whether a reader at ``offset`` gets digests; if not, events continue there."""
        return self._is_open or offset < self._newest_offset

    def after(self, offset: int) -> Digest:
        """Return the next digest for a reader at ``offset``; it has no body if there is nothing newer."""
        if offset > self._newest_offset or (offset == self._newest_offset and self._is_open):
            return Digest(offset, offset, not self._is_open, b"")
        if offset in self._patches:
            return self._patches[offset]
        if not self._whole and self._is_open:
            self._whole = _encoded({"state": self._state})
        return Digest(offset, self._newest_offset, not self._is_open, self._whole)

    def _is_time(self, wall_us: int) -> bool:
        pause_us = max(EVERY_US, self._size_bytes * SECOND_US // BYTES_PER_SECOND)
        return wall_us - self._taken_us >= pause_us

    def _take(self, wall_us: int, end_offset: int, state: State) -> None:
        if not self._is_open:
            self._is_open = True
            self._opened_offset = end_offset
        elif self._newest_offset != self._opened_offset:  # some readers at the opening offset have the exact state
            body = _encoded({"patch": patch_between(self._state, state)})
            self._size_bytes = len(body)
            self._patches[self._newest_offset] = Digest(self._newest_offset, end_offset, is_exact=False, body=body)
            if len(self._patches) > KEPT:
                del self._patches[next(iter(self._patches))]
        self._taken_us = wall_us
        self._newest_offset, self._state, self._whole = end_offset, state, b""

    def _close(self, end_offset: int, state: State) -> None:
        self._is_open = False
        self._patches.clear()
        self._newest_offset, self._state = end_offset, {}
        self._whole = _encoded({"state": state, "exact": True})


def _encoded(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
