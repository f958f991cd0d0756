"""ClientLog: a bounded number of lines, and the rest counted."""

import logging

import pytest

from engine.tcp.client_log import LINE_CHARACTERS, LINES_A_WINDOW, WINDOW_S, ClientLog


def test_warnings_about_clients_cannot_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    client_log = ClientLog(logging.getLogger("test"), lambda: now_s)
    for number in range(LINES_A_WINDOW + 5):
        client_log.warning(f"line {number}")
    assert caplog.messages == [f"line {number}" for number in range(LINES_A_WINDOW)]
    caplog.clear()
    now_s = WINDOW_S
    client_log.warning("later")
    assert caplog.messages == ["5 more warnings about clients", "later"]


def test_a_warning_is_not_used_as_a_format_string(caplog: pytest.LogCaptureFixture) -> None:
    ClientLog(logging.getLogger("test"), lambda: 0.0).warning("100 %s %d")
    assert caplog.messages == ["100 %s %d"]


def test_a_warning_is_one_line_of_bounded_length(caplog: pytest.LogCaptureFixture) -> None:
    client_log = ClientLog(logging.getLogger("test"), lambda: 0.0)
    client_log.warning("a\nb\x1b[31m\u202e")
    client_log.warning("x" * LINE_CHARACTERS)
    client_log.warning("x" * 30_000)
    assert caplog.messages == ["a·b·[31m·", "x" * LINE_CHARACTERS, "x" * LINE_CHARACTERS + "..."]
