"""What a person does on the stage: plain forms, which htmx enhances."""

from urllib.parse import urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.answers import Applied
from webapp.room import Room
from webapp.room_commands import ForkAtOffset, ForkAtTime, ForkCommand, parse
from webapp.views.access import remember_presenter, require_presenter
from webapp.views.context import client_address, find_room, is_htmx, services
from webapp.views.inputs import form_fields
from webapp.views.outcomes import succeeded

SEE_OTHER = 303

blueprint = Blueprint("controls", __name__)


@blueprint.post("/rooms/<room>/controls/<command>")
def control(room: str, command: str) -> Response:
    """Apply one command; the form's fields are named as the command's."""
    found = find_room(room)
    require_presenter(found)
    fields = {**form_fields(), "command": command}
    parsed = parse(fields)
    if isinstance(parsed, ForkAtOffset | ForkAtTime):
        return _fork(found, parsed)
    applied = services().perform(found, parsed, fields)
    if is_htmx():
        return make_response(render_template("_partials/outcome.html", outcome=succeeded(fields, applied)))
    return redirect(_where_from(found), SEE_OTHER)


def _fork(origin: Room, fork: ForkCommand) -> Response:
    made = services().rooms.fork(origin, fork, address=client_address())
    target = url_for("pages.room", room=made.room.record.room)
    if is_htmx():
        moment = made.room.moment()
        applied = Applied(moment.clock.now_us, moment.end_offset)
        outcome = succeeded({"command": "fork"}, applied)
        response: Response = make_response(render_template("_partials/outcome.html", outcome=outcome))
        response.headers["HX-Redirect"] = target
    else:
        response = redirect(target, SEE_OTHER)
    remember_presenter(response, made.room, made.presenter_key)
    return response


def _where_from(room: Room) -> str:
    """The page the form stood on, if it is one of ours; else the room's stage."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    if came_from.netloc == request.host and came_from.path.startswith("/") and not came_from.path.startswith("//"):
        return came_from.path + (f"?{came_from.query}" if came_from.query else "")
    return url_for("pages.room", room=room.record.room)
