"""The WebSocket route of the feed: the checks before the handshake, and the call that serves the viewer."""

from flask import Blueprint, Response, g, request
from flask_sock import Sock
from simple_websocket import Server

from webapp.errors import ForeignOrigin, UpgradeNeeded
from webapp.feed import feed
from webapp.feed.connection import Connection
from webapp.http.request.access import is_own_origin
from webapp.http.request.context import client_address, find_room, services

blueprint = Blueprint("feed", __name__)
sock = Sock()


@sock.route("/api/rooms/<room>/feed", bp=blueprint)  # type: ignore[untyped-decorator]  # flask-sock ships no types
def websocket_route(websocket: Server, room: str) -> None:
    """Serve a viewer; anyone who knows the room's id may watch."""
    feed(Connection(websocket), g.watched_room, services().broadcaster)


@blueprint.get("/api/rooms/<room>/feed")
def explain(room: str) -> Response:
    """Raise ``UpgradeNeeded`` for a plain HTTP request."""
    raise UpgradeNeeded("the feed is a WebSocket", "connect to the same address with ws:// or wss://", room=room[:40])


@blueprint.before_request
def let_in() -> None:
    """Refuse before the handshake: a page of another site (403), an unknown room (404), too many viewers (429)."""
    if request.endpoint != f"{blueprint.name}.websocket_route":
        return
    if not is_own_origin():
        raise ForeignOrigin("a page of another site may not watch", "open the room's own page, or embed it")
    room = find_room((request.view_args or {})["room"])
    room.moment()
    services().seats.take(room.record.room, client_address())
    g.watched_room = room
    # A viewer may be silent, so the time limit on requests ends here: before the library's thread reads the socket,
    # which must not change from non-blocking to blocking while it does.
    request.environ["werkzeug.socket"].settimeout(None)


@blueprint.teardown_request
def let_out(error: BaseException | None) -> None:
    """Free the viewer's seat, however the connection ended."""
    if "watched_room" in g:
        services().seats.give_back(g.watched_room.record.room, client_address())
