"""Shared helpers of the views: the services of the running server, a room by its id, the addresses of a room."""

from typing import Any

from flask import current_app, request, url_for

from webapp.errors import InvalidRequest
from webapp.house.quotas import client_of
from webapp.house.services import Services
from webapp.room.record import RoomRecord
from webapp.room.room import Room

EXTENSION = "offsetscope"
THEMES = ("auto", "light", "dark", "projector")


def services() -> Services:
    """Return the services of the application that serves this request."""
    running: Services = current_app.extensions[EXTENSION]
    return running


def find_room(room: str) -> Room:
    """Return the room of this id; raises what ``Rooms.find`` raises."""
    return services().rooms.find(room)


def client_address() -> str:
    """Return the client whose rooms are counted."""
    return client_of(request.remote_addr or "unknown")


def room_urls(record: RoomRecord, *, absolute: bool = False) -> dict[str, str]:
    """Return ``{"stage", "embed", "api", "feed"}``: paths for pages, or absolute addresses for programs."""
    urls = {
        "stage": url_for("pages.room", room=record.room, _external=absolute),
        "embed": url_for("embed.embed", scenario=record.scenario, _external=absolute),
        "api": url_for("api.read_room", room=record.room, _external=absolute),
        "feed": url_for("feed.explain", room=record.room, _external=absolute),
    }
    if absolute:
        urls["feed"] = urls["feed"].replace("http", "ws", 1)
    return urls


def room_path(room: str) -> str:
    """Return the path of a room's page; those of its controls and panels begin with it."""
    return url_for("pages.room", room=room)


def stage_context(room: Room, *, presenter: bool) -> dict[str, Any]:
    """Return the context of the stage's templates: facts and state of one moment, addresses, theme, permission."""
    picture = room.picture()
    return {
        "room": room.record.room,
        "facts": picture.facts,
        "state": picture.state,
        "registry": room.registry(),
        "theme": wanted_theme(),
        "themes": THEMES,
        "presenter": presenter,
        "forked_from": room.record.forked_from,
        "forked_at_us": room.record.forked_at_us,
        "urls": room_urls(room.record),
    }


def wanted_theme() -> str:
    """Return the ``theme`` of the query; raises :class:`InvalidRequest` for one that does not exist."""
    theme = request.args.get("theme", THEMES[0])
    if theme not in THEMES:
        raise InvalidRequest(f"there is no theme {theme[:40]!r}", f"use one of: {', '.join(THEMES)}", field="theme")
    return theme


def is_htmx() -> bool:
    """Return whether htmx sent the request and expects a fragment."""
    return request.headers.get("HX-Request") == "true"
