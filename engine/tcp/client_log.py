"""Log lines about clients, limited in rate so that clients cannot flood the server's log."""

import logging
from collections.abc import Callable

WINDOW_S = 10.0
LINES_A_WINDOW = 20
LINE_CHARACTERS = 500


def printable(text: str) -> str:
    """Make ``text`` safe for a log line: names from clients can neither begin a new line nor be of any length."""
    shown = "".join([character if character.isprintable() else "·" for character in text[:LINE_CHARACTERS]])
    return shown if len(text) <= LINE_CHARACTERS else shown + "..."


class ClientLog:
    """A logger that writes :data:`LINES_A_WINDOW` lines in ten seconds and counts the rest."""

    def __init__(self, logger: logging.Logger, clock: Callable[[], float]) -> None:
        self._logger = logger
        self._clock = clock
        self._began_s = clock()
        self._lines = 0

    def warning(self, line: str) -> None:
        """Write ``line``, made :func:`printable`, or only count it if there are too many."""
        now_s = self._clock()
        if now_s - self._began_s >= WINDOW_S:
            if self._lines > LINES_A_WINDOW:
                self._logger.warning("%d more warnings about clients", self._lines - LINES_A_WINDOW)
            self._began_s = now_s
            self._lines = 0
        self._lines += 1
        if self._lines <= LINES_A_WINDOW:
            self._logger.warning("%s", printable(line))
