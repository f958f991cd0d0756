"""Permission to change a room: the presenter key, in a header or in a cookie, and no requests from other sites."""

from urllib.parse import urlsplit

from flask import request
from werkzeug.wrappers import Response

from webapp.errors import ForeignOrigin, PresenterKeyNeeded, WrongPresenterKey
from webapp.room import Room

COOKIE_AGE_S = 14 * 86_400
HOME_COOKIE = "offsetscope-room"
TRUSTED_FETCH_SITES = ("", "same-origin", "none")  # "": an old browser or a program


def require_presenter(room: Room) -> None:
    """Raise an error unless this request may change ``room``."""
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer" or not room.record.is_key(key.strip()):
            raise WrongPresenterKey(
                "this is not the presenter key of the room",
                "send the presenter_key returned when the room was made: Authorization: Bearer <presenter_key>",
                room=room.record.room,
            )
        return
    if not has_presenter_cookie(room):
        raise PresenterKeyNeeded(
            "only the presenter may change this room",
            "open / for a room of your own, or send Authorization: Bearer <presenter_key>",
            room=room.record.room,
        )
    require_own_origin()


def has_presenter_cookie(room: Room) -> bool:
    """Return whether this browser has the cookie with the room's presenter key."""
    return room.record.is_key(request.cookies.get(presenter_cookie(room), ""))


def require_own_origin() -> None:
    """Raise ``ForeignOrigin`` if a page of another site sent the request, as the browser's headers say."""
    is_foreign = request.headers.get("Sec-Fetch-Site", "") not in TRUSTED_FETCH_SITES
    if is_foreign or not is_own_origin():
        raise ForeignOrigin(
            "a page of another site may not ask this", "use the page of the room itself, or a presenter key"
        )


def is_own_origin() -> bool:
    """Return whether the request has no origin, or the server's own."""
    origin = request.headers.get("Origin")
    return origin is None or urlsplit(origin).netloc == request.host


def presenter_cookie(room: Room) -> str:
    """Return the name of the cookie with the room's key."""
    return f"presenter-{room.record.room}"


def remember_presenter(response: Response, room: Room, presenter_key: str) -> None:
    """Set the cookie with the room's key in the browser that made the room."""
    _set_cookie(response, presenter_cookie(room), presenter_key)


def remember_home(response: Response, room: Room) -> None:
    """Set the cookie that brings this visitor back to the same room."""
    _set_cookie(response, HOME_COOKIE, room.record.room)


def _set_cookie(response: Response, name: str, value: str) -> None:
    response.set_cookie(
        name,
        value,
        max_age=COOKIE_AGE_S,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path=f"{request.root_path}/",
    )
