"""Threads that continue after an error and report it."""

import threading
from collections.abc import Iterator

import pytest

from tests.webapp.support import TIMEOUT_S
from webapp.house.watched_thread import WatchedThread


class Work:
    """A step that a test drives: each call waits for :meth:`let`, which says how it ends."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._turns: list[BaseException | None] = []
        self._changed = threading.Condition()
        self._is_over = False
        self._waiting = 0
        self.thread = WatchedThread(
            "work", self._step, interrupt=self._interrupt, pause_s=0.0, now_s=lambda: self.now_s
        )

    def let(self, *ends: BaseException | None) -> None:
        """Let steps end, and wait until the next one waits."""
        with self._changed:
            self._turns.extend(ends)
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._waiting and not self._turns, timeout=TIMEOUT_S)

    def _step(self) -> None:
        with self._changed:
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._turns or self._is_over)
            self._waiting -= 1
            end = self._turns.pop(0) if self._turns else None
        if end is not None:
            raise end

    def _interrupt(self) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()


@pytest.fixture
def work() -> Iterator[Work]:
    made = Work()
    yield made
    made.thread.stop()


def test_a_working_thread_reports_no_failure(work: Work) -> None:
    assert work.thread.trouble == "does not run"
    work.thread.start()
    work.let(None, None)
    assert work.thread.trouble == ""
    work.thread.stop()
    assert work.thread.trouble == "does not run"


@pytest.mark.parametrize("error", [OSError("no descriptors"), MemoryError(), SystemExit(1), AssertionError()])
def test_an_error_is_reported_until_the_next_step_succeeds(work: Work, error: BaseException) -> None:
    work.thread.start()
    work.let(error)
    assert work.thread.trouble == f"failed and is tried again: {type(error).__name__}"
    work.let(None)
    assert work.thread.trouble == ""


def test_a_step_that_takes_very_long_is_reported(work: Work) -> None:
    work.thread.start()
    work.let(None)
    work.now_s += 60
    assert work.thread.trouble == "has been busy for 60 s"


def test_a_thread_that_was_never_started_can_be_stopped(work: Work) -> None:
    work.thread.stop()
