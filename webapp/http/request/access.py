"""Permission to change a room: its presenter key, from a header or a cookie, and no requests of other sites."""

import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from hmac import digest
from urllib.parse import urlsplit

from flask import request
from werkzeug.wrappers import Response

from webapp.errors import ForeignOrigin, PresenterKeyNeeded, WrongPresenterKey
from webapp.room.room import Room

COOKIE_AGE_S = 14 * 86_400
VISITOR = re.compile(r"(?P<secret>[\w-]{32,64})\.(?P<home>[a-z0-9]{0,12})")
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
    """Return whether this browser made the room, or has a cookie ``presenter-<room>`` with its key (a script's)."""
    room_id = room.record.room
    return room.record.is_key(this_visitor().key_of(room_id)) or room.record.is_key(
        request.cookies.get(f"presenter-{room_id}", "")
    )


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser: a secret from which the keys of all its rooms are derived, and the room that ``/`` shows it.

    All this is in one cookie, however many rooms the visitor makes.
    """

    secret: str
    home: str

    def key_of(self, room_id: str) -> str:
        """Return the presenter key of a room that this visitor makes."""
        return urlsafe_b64encode(digest(self.secret.encode(), room_id.encode(), "sha256")).decode()


def this_visitor() -> Visitor:
    """Return the visitor of this request; a new one, with a new secret, if there is no valid cookie."""
    match = VISITOR.fullmatch(request.cookies.get(_visitor_cookie(), ""))
    return Visitor(match["secret"], match["home"]) if match else Visitor(secrets.token_urlsafe(24), "")


def remember(response: Response, visitor: Visitor) -> None:
    """Set the visitor's cookie, for the pages of this server only."""
    response.set_cookie(
        _visitor_cookie(),
        f"{visitor.secret}.{visitor.home}",
        max_age=COOKIE_AGE_S,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
        path=f"{request.root_path}/",
    )


def _visitor_cookie() -> str:
    """Return the name of the cookie: browsers send cookies to every port of a host, so the port is part of it."""
    port = request.host.rpartition(":")[2]
    return f"offsetscope-visitor-{port}" if port.isdecimal() else "offsetscope-visitor"


def require_own_origin() -> None:
    """Raise ``ForeignOrigin`` if a page of another site sent the request, as the browser's headers say."""
    is_foreign = request.headers.get("Sec-Fetch-Site", "") not in TRUSTED_FETCH_SITES
    if is_foreign or not is_own_origin():
        raise ForeignOrigin(
            "a page of another site may not send this request", "use the page of the room itself, or a presenter key"
        )


def is_own_origin() -> bool:
    """Return whether the request has no origin, or the server's own."""
    origin = request.headers.get("Origin")
    try:
        return origin is None or urlsplit(origin).netloc == request.host
    except ValueError:
        return False
