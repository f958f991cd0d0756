"""Complaints: a bounded number of lines, and the rest counted."""

import logging

import pytest

from engine.tcp.complaints import LINE_CHARACTERS, LINES_A_WINDOW, WINDOW_S, Complaints


def test_complaints_about_clients_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    complaints = Complaints(logging.getLogger("test"), lambda: now_s)
    for number in range(LINES_A_WINDOW + 5):
        complaints.say(f"line {number}")
    assert caplog.messages == [f"line {number}" for number in range(LINES_A_WINDOW)]
    caplog.clear()
    now_s = WINDOW_S
    complaints.say("later")
    assert caplog.messages == ["5 more complaints about clients", "later"]


def test_a_complaint_is_not_used_as_a_format_string(caplog: pytest.LogCaptureFixture) -> None:
    Complaints(logging.getLogger("test"), lambda: 0.0).say("100 %s %d")
    assert caplog.messages == ["100 %s %d"]


def test_a_complaint_is_one_line_of_bounded_length(caplog: pytest.LogCaptureFixture) -> None:
    complaints = Complaints(logging.getLogger("test"), lambda: 0.0)
    complaints.say("a\nb\x1b[31m\u202e")
    complaints.say("x" * LINE_CHARACTERS)
    complaints.say("x" * 30_000)
    assert caplog.messages == ["a·b·[31m·", "x" * LINE_CHARACTERS, "x" * LINE_CHARACTERS + "..."]
