"""Forks that are under way: how far each has come, and giving one up."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

from engine.errors import InvalidCommand
from webapp.errors import ForkGivenUp


@dataclass(frozen=True, slots=True)
class ForkProgress:
    """How far a fork is: the journal it has made so far of the one it repeats, and the virtual time it has reached.

    ``waiting`` for its turn, for few repeat a life at a time; then ``repeating``.
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
    """A fork that somebody waits for. Whoever makes it tells here how far it is; others look, or give it up.

    Its methods may be called from any thread.
    """

    def __init__(self, *, journal_bytes_in_all: int, at_us: int) -> None:
        self._progress = ForkProgress("waiting", 0, journal_bytes_in_all, 0, at_us)
        self._is_given_up = False

    @property
    def progress(self) -> ForkProgress:
        """How far it is."""
        return self._progress

    def note(self, journal_bytes: int, now_us: int) -> None:
        """It repeats, and is so far; raises as :meth:`require_wanted`.

        An instant is not divided, so the last one may lead behind the place that was asked for.
        """
        self.require_wanted()
        made = min(journal_bytes, self._progress.journal_bytes_in_all)
        self._progress = replace(self._progress, state="repeating", journal_bytes=made, now_us=now_us)

    def give_up(self) -> None:
        """Nobody wants it any more: whoever makes it is told with the next note."""
        self._is_given_up = True

    def require_wanted(self) -> None:
        """``ForkGivenUp`` if it was given up."""
        if self._is_given_up:
            raise ForkGivenUp("the fork was given up, and no room was made", "fork again at any moment")


class ForksUnderWay:
    """The forks of all rooms that were given a ticket, which is how their progress is found."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._forks: dict[tuple[str, str], ForkUnderWay] = {}

    @contextmanager
    def one(self, room: str, ticket: str, fork: ForkUnderWay) -> Iterator[None]:
        """Let ``fork`` be found by its ticket until it is done; without a ticket ("") nobody finds it.

        ``InvalidCommand`` if a fork of the room goes by that ticket already.
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
        """How far the fork of ``room`` with ``ticket`` is; ``not_under_way`` before it begins and once it is over."""
        with self._lock:
            fork = self._forks.get((room, ticket))
            return fork.progress.as_json() if fork else {"state": "not_under_way"}

    def give_up(self, room: str, ticket: str) -> None:
        """Give up the fork of ``room`` with ``ticket``, if it is under way."""
        with self._lock:
            fork = self._forks.get((room, ticket))
            if fork:
                fork.give_up()
