"""Complaints: a bounded number of lines, and the rest counted."""

import logging

import pytest

from engine.tcp.complaints import LINES_A_WINDOW, WINDOW_S, Complaints


def test_strangers_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    complaints = Complaints(logging.getLogger("test"), lambda: now_s)
    for number in range(LINES_A_WINDOW + 5):
        complaints.say(f"line {number}")
    assert caplog.messages == [f"line {number}" for number in range(LINES_A_WINDOW)]
    caplog.clear()
    now_s = WINDOW_S
    complaints.say("later")
    assert caplog.messages == ["5 more complaints about clients", "later"]


def test_a_line_is_no_format_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    Complaints(logging.getLogger("test"), lambda: 0.0).say("100 %s %d")
    assert caplog.messages == ["100 %s %d"]
