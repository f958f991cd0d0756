"""Error responses: JSON for programs, a fragment for htmx, a page for people. Never a traceback."""

import errno
import logging
from collections.abc import Callable

from flask import Flask, Response, current_app, jsonify, make_response, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import RequestRedirect

from engine.errors import OffsetscopeError
from engine.storage.disk import machine_fault
from webapp.errors import (
    BodyTooLarge,
    InternalFault,
    InvalidRequest,
    MethodNotAllowed,
    RoomsTooFast,
    RoomSuspended,
    TooManyForks,
    UnknownPage,
    UnsupportedMediaType,
    UpgradeNeeded,
    status_of,
)
from webapp.http.answer.labels import in_words_of_labels
from webapp.http.request.context import is_htmx, wanted_theme
from webapp.room.suspension import FIRST_PAUSE_S, MACHINE_FAULTS

MACHINE_ERRORS = (errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.ENOMEM)
"""The errors of a machine that lacks something for a while, as opposed to those of a bug."""
JSON_PATHS = ("/api/", "/healthz")

logger = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Register the handlers, so that every error gets a response of one shape."""
    app.register_error_handler(OffsetscopeError, answer)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_own_mistake)


def answer(error: OffsetscopeError) -> Response:
    """Return the response for an error in the form the client accepts, with the status of its class."""
    status = status_of(error)
    response = make_response(_body(error, status.value), status)
    if isinstance(error, RoomsTooFast | TooManyForks | RoomSuspended):
        response.headers["Retry-After"] = str(error.fields["retry_after_s"])
    if isinstance(error, MACHINE_FAULTS):
        response.headers["Retry-After"] = str(FIRST_PAUSE_S)
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, UpgradeNeeded):
        response.headers["Upgrade"] = "websocket"
    return response


def wants_json() -> bool:
    """Return whether a program sent the request."""
    if request.path.startswith(JSON_PATHS):
        return True
    return request.accept_mimetypes.best_match(["text/html", "application/json"]) == "application/json"


def _body(error: OffsetscopeError, status: int) -> Response | str:
    if wants_json():
        return jsonify(error.as_json())
    try:
        if is_htmx():
            return render_template("_partials/outcome.html", outcome=_refused(error))
        return render_template("error.html", status=status, error=_refused(error), theme=_theme())
    except Exception:  # the first error matters more than any error of its page
        logger.exception("the error page itself cannot be shown")
        return jsonify(error.as_json())


def _refused(error: OffsetscopeError) -> dict[str, object]:
    """Return an error for people: what is wrong, in the words of the form's labels, and with which field or names.

    The command's name is left out of the sentence, since the button shows it.
    """
    command = str((request.view_args or {}).get("command", ""))
    field = str(error.fields.get("field", ""))
    return {
        "ok": False,
        "command": command,
        "message": in_words_of_labels(error.message.removeprefix(f"{command}: "), command, field),
        "remedy": in_words_of_labels(error.remedy, command, ""),
        "field": field,
        "names": field or " ".join(error.fields),
    }


def _theme() -> str:
    try:
        return wanted_theme()
    except InvalidRequest:
        return "auto"


def _answer_http(error: HTTPException) -> Response | HTTPException:
    if isinstance(error, RequestRedirect) or error.code is None:
        return error
    response = answer(FAULTS.get(error.code, _plain)(error))
    if error.code == 405:
        response.headers["Allow"] = ", ".join(sorted(getattr(error, "valid_methods", None) or ()))
    if error.code not in FAULTS:
        response.status_code = error.code
    return response


def _answer_own_mistake(error: Exception) -> Response:
    if isinstance(error, OSError) and error.errno in MACHINE_ERRORS:
        logger.warning("%s %r: %s", request.method, request.path, error)
        return answer(machine_fault(error.strerror))
    logger.error("%s %r failed", request.method, request.path, exc_info=error)
    return answer(InternalFault("the server failed", "try again; if it persists, report it with the server's log"))


def _plain(error: HTTPException) -> OffsetscopeError:
    return InvalidRequest(
        error.description or "the request cannot be answered", "docs/api.md describes what can be requested"
    )


def _invalid(error: HTTPException) -> OffsetscopeError:
    return InvalidRequest(error.description or "the request cannot be read", "send what docs/api.md describes")


def _not_found(error: HTTPException) -> OffsetscopeError:
    return UnknownPage(f"there is nothing at {request.path[:120]}", "start at /", path=request.path[:120])


def _wrong_method(error: HTTPException) -> OffsetscopeError:
    allowed = sorted(set(getattr(error, "valid_methods", None) or ()) - {"HEAD", "OPTIONS"})
    return MethodNotAllowed(
        f"{request.method} is not allowed for {request.path[:120]}",
        f"use {' or '.join(allowed) or 'GET'}",
        allowed=allowed,
    )


def _too_large(error: HTTPException) -> OffsetscopeError:
    at_most = current_app.config["MAX_CONTENT_LENGTH"]
    return BodyTooLarge(f"the body is larger than {at_most} bytes", "send less at once", bytes_at_most=at_most)


def _wrong_type(error: HTTPException) -> OffsetscopeError:
    return UnsupportedMediaType("the type of the body is not supported here", "send Content-Type: application/json")


FAULTS: dict[int, Callable[[HTTPException], OffsetscopeError]] = {
    400: _invalid,
    404: _not_found,
    405: _wrong_method,
    413: _too_large,
    415: _wrong_type,
}
