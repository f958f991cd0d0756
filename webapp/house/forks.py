"""Forks that are under way: their progress, and cancelling one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import InvalidCommand
from webapp.errors import ForkGivenUp


@dataclass(frozen=True, slots=True)
class ForkProgress:
    """The progress of a fork: the bytes of the origin's journal replayed so far, and the virtual time reached.

    ``waiting`` for its turn, since few forks replay at a time; then ``repeating``.
    """

    state: Literal["waiting", "repeating"]
    journal_bytes: int
    journal_bytes_in_all: int
    now_us: int
    at_us: int

    def as_json(self) -> dict[str, str | int]:
        """The public shape, with the same names."""
        return {
            "state": self.state,
            "journal_bytes": self.journal_bytes,
            "journal_bytes_in_all": self.journal_bytes_in_all,
            "now_us": self.now_us,
            "at_us": self.at_us,
        }


class ForkUnderWay:
    """A fork in the making: its thread reports progress here; other threads read it, or cancel the fork.

    Its methods may be called from any thread.
    """

    def __init__(self, *, journal_bytes_in_all: int, at_us: int) -> None:
        self._progress = ForkProgress("waiting", 0, journal_bytes_in_all, 0, at_us)
        self._is_given_up = False

    @property
    def progress(self) -> ForkProgress:
        """Return its progress."""
        return self._progress

    def note(self, journal_bytes: int, now_us: int) -> None:
        """Record the progress of the replay; raises as :meth:`require_wanted`.

        An instant is not divided, so the last one may lead past the requested offset.
        """
        self.require_wanted()
        made = min(journal_bytes, self._progress.journal_bytes_in_all)
        self._progress = replace(self._progress, state="repeating", journal_bytes=made, now_us=now_us)

    def give_up(self) -> None:
        """Cancel it: the next :meth:`note` of its thread raises."""
        self._is_given_up = True

    def require_wanted(self) -> None:
        """Raise ``ForkGivenUp`` if it was cancelled."""
        if self._is_given_up:
            raise ForkGivenUp("the fork was cancelled, and no room was made", "fork again at any moment")


class ForksUnderWay:
    """The forks under way with a ticket, in all rooms; their progress is found by the ticket."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forks: dict[tuple[str, str], ForkUnderWay] = {}

    @contextmanager
    def one(self, room: str, ticket: str, fork: ForkUnderWay) -> Iterator[None]:
        """Register ``fork`` under its ticket until it is done; without a ticket ("") it is not registered.

        Raises ``InvalidCommand`` if a fork of the room has that ticket already.
        """
        if not ticket:
            yield
            return
        with self._lock:
            if (room, ticket) in self._forks:
                problem = f"fork: ticket {ticket!r} belongs to a fork that is under way"
                raise InvalidCommand(problem, "give each fork a ticket of its own", command="fork", field="ticket")
            self._forks[room, ticket] = fork
        try:
            yield
        finally:
            with self._lock:
                del self._forks[room, ticket]

    def progress_of(self, room: str, ticket: str) -> dict[str, str | int]:
        """Return the progress of the fork of ``room`` with ``ticket``; ``not_under_way`` before and after it."""
        with self._lock:
            fork = self._forks.get((room, ticket))
            return fork.progress.as_json() if fork else {"state": "not_under_way"}

    def give_up(self, room: str, ticket: str) -> None:
        """Cancel the fork of ``room`` with ``ticket``, if it is under way."""
        with self._lock:
            fork = self._forks.get((room, ticket))
            if fork:
                fork.give_up()
