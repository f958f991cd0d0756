"""A thread of the server that is watched: an error is logged and does not end it, and what is wrong can be read."""

import logging
import threading
import time
from collections.abc import Callable

PAUSE_S = 1.0
STUCK_AFTER_S = 30.0

logger = logging.getLogger(__name__)


class WatchedThread:
    """A thread that calls ``step`` again and again until :meth:`stop`.

    A step may wait, but returns soon after ``interrupt`` was called. After one that raised, the next is called
    ``pause_s`` later. ``now_s`` is a monotonic clock.
    """

    def __init__(
        self,
        name: str,
        step: Callable[[], None],
        *,
        interrupt: Callable[[], None],
        pause_s: float = PAUSE_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._step = step
        self._interrupt = interrupt
        self._pause_s = pause_s
        self._now_s = now_s
        self._stopped = threading.Event()
        self._failure = ""
        self._step_began_s = now_s()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the current step and end the thread; one that was never started is ignored."""
        self._stopped.set()
        self._interrupt()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def trouble(self) -> str:
        """What is wrong with the thread; "" while it works."""
        if not self._thread.is_alive():
            return "does not run"
        if self._failure:
            return f"failed and is tried again: {self._failure}"
        took_s = self._now_s() - self._step_began_s
        return f"has been busy for {took_s:.0f} s" if took_s > STUCK_AFTER_S else ""

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._step_began_s = self._now_s()
            try:
                self._step()
            except BaseException as error:  # also SystemExit: nothing but stop() ends this thread
                self._failure = type(error).__name__
                logger.exception("the thread %s failed, and continues", self.name)
                self._stopped.wait(self._pause_s)
            else:
                self._failure = ""
