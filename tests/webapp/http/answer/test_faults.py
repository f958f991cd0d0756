"""Errors have one shape for programs, for htmx and for people; and the headers of every response."""

import logging

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine import errors as engine_errors
from engine.errors import OffsetscopeError
from webapp import errors as web_errors
from webapp.errors import STATUSES, status_of

BROWSER = {"Accept": "text/html"}


def subclasses(base: type[OffsetscopeError]) -> list[type[OffsetscopeError]]:
    return [base, *(found for child in base.__subclasses__() for found in subclasses(child))]


def test_every_error_has_an_http_status_and_a_unique_code() -> None:
    classes = subclasses(OffsetscopeError)
    codes = [found.code for found in classes]
    assert len(codes) == len(set(codes))
    for found in classes:
        assert 400 <= status_of(found("message", "remedy")) < 600
    assert {known.__module__ for known in STATUSES} == {engine_errors.__name__, web_errors.__name__}


def test_only_faults_of_the_server_have_a_status_of_5xx() -> None:
    serious = {found for found, status in STATUSES.items() if status >= 500}
    assert serious == {
        engine_errors.LogGap,
        engine_errors.StorageFailed,
        engine_errors.MachineFault,
        web_errors.InternalFault,
        web_errors.RoomDamaged,
        web_errors.RoomFailed,
        web_errors.RoomSuspended,
        web_errors.CommandUnsettled,
        web_errors.CommandTimedOut,
        web_errors.ServerStopping,
        web_errors.DataDirectoryUnusable,
        web_errors.PublicUrlInvalid,
    }


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing", 404, "unknown_page"),
        ("DELETE", "/", 405, "method_not_allowed"),
        ("GET", "/api/rooms", 405, "method_not_allowed"),
        ("PUT", "/api/rooms", 405, "method_not_allowed"),
        ("GET", "/rooms/aaaabbbbcccc", 404, "unknown_room"),
        ("GET", "/static/nothing.js", 404, "unknown_page"),
        ("GET", "/static/../webapp/cli.py", 404, "unknown_page"),
    ],
)
def test_a_fault_is_json_for_programs_and_a_page_for_people(
    client: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    program = client.open(path, method=method, headers={"Accept": "application/json"})
    assert (program.status_code, program.json["code"]) == (status, code)
    assert program.json["message"]
    assert program.json["remedy"]
    person = client.open(path, method=method, headers=BROWSER)
    assert person.status_code == status
    if path.startswith("/api"):
        assert person.json == program.json
    else:
        assert program.json["message"].split("'")[0] in person.text.replace("&#39;", "'")


def test_a_method_that_is_not_allowed_is_answered_with_the_allowed_ones(client: FlaskClient) -> None:
    answer = client.delete("/api/rooms")
    assert answer.json["allowed"] == ["POST"]
    assert "POST" in answer.headers["Allow"]


@pytest.mark.parametrize("headers", [BROWSER, {"Accept": "application/json"}, {"HX-Request": "true"}])
def test_an_internal_error_is_logged_and_its_details_are_never_sent(
    app: Flask, client: FlaskClient, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def mistake() -> str:
        raise ZeroDivisionError("a secret detail")

    app.view_functions["pages.index"] = mistake
    with caplog.at_level(logging.ERROR):
        answer = client.get("/", headers=headers)
    assert answer.status_code == 500
    assert "a secret detail" not in answer.text
    assert "Traceback" not in answer.text
    assert "a secret detail" in caplog.text
    if answer.is_json:
        assert answer.json["code"] == "internal_fault"


def test_an_error_page_that_cannot_be_rendered_is_replaced_by_json(app: Flask, client: FlaskClient) -> None:
    app.jinja_env.globals["asset"] = None
    for path in ("/nothing", "/rooms/aaaabbbbcccc"):
        answer = client.get(path, headers=BROWSER)
        assert answer.status_code == 404
        assert answer.json["remedy"]


def test_every_response_carries_the_security_headers(client: FlaskClient) -> None:
    for path in ("/", "/healthz", "/nothing", "/embed/pageviews"):
        headers = client.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Content-Security-Policy"].startswith("default-src 'self'; style-src 'self'; ")
        assert "unsafe-inline" not in headers["Content-Security-Policy"].replace("style-src-attr 'unsafe-inline'", "")
        assert headers["Cache-Control"] == "no-store"
