"""Lines in the server's log about clients, of which strangers cannot make any number."""

import logging
from collections.abc import Callable

WINDOW_S = 10.0
LINES_A_WINDOW = 20
LINE_CHARACTERS = 500


def printable(text: str) -> str:
    """``text`` for a line of the log: what clients named cannot begin a line of its own, or go on for ever."""
    shown = "".join([character if character.isprintable() else "·" for character in text[:LINE_CHARACTERS]])
    return shown if len(text) <= LINE_CHARACTERS else shown + "..."


class Complaints:
    """A logger that writes :data:`LINES_A_WINDOW` lines in ten seconds and counts the rest."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float]) -> None:
        self._logger = logger
        self._clock = clock
        self._began_s = clock()
        self._lines = 0

    def say(self, line: str) -> None:
        """Write ``line`` as far as it is :func:`printable`, or remember that there was one more."""
        now_s = self._clock()
        if now_s - self._began_s >= WINDOW_S:
            if self._lines > LINES_A_WINDOW:
                self._logger.warning("%d more complaints about clients", self._lines - LINES_A_WINDOW)
            self._began_s = now_s
            self._lines = 0
        self._lines += 1
        if self._lines <= LINES_A_WINDOW:
            self._logger.warning("%s", printable(line))
