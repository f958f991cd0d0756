"""The controls of the stage: plain forms, which htmx enhances."""

from urllib.parse import SplitResult, parse_qs, urlsplit

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.http.answer.outcomes import succeeded
from webapp.http.request.access import remember, require_own_origin, require_presenter, this_visitor
from webapp.http.request.context import THEMES, client_address, find_room, is_htmx, services
from webapp.http.request.inputs import form_fields
from webapp.room.answers import Applied
from webapp.room.commands import ForkAtOffset, ForkAtTime, ForkCommand, ForkNow, parse
from webapp.room.room import Room

SEE_OTHER = 303

blueprint = Blueprint("controls", __name__)


@blueprint.post("/rooms/<room>/controls/<command>")
def control(room: str, command: str) -> Response:
    """Apply one command; the form's fields are named as the command's.

    Every visitor may fork: that does not change this room, and makes the visitor the presenter of the new one.
    """
    found = find_room(room)
    if command == "fork":
        require_own_origin()
    else:
        require_presenter(found)
    fields = {**form_fields(), "command": command}
    parsed = parse(fields)
    if isinstance(parsed, ForkAtOffset | ForkAtTime | ForkNow):
        return _fork(found, parsed)
    applied = services().perform(found, parsed, fields)
    if is_htmx():
        return make_response(render_template("_partials/outcome.html", outcome=succeeded(fields, applied)))
    return redirect(_where_from(found), SEE_OTHER)


def _fork(origin: Room, fork: ForkCommand) -> Response:
    visitor = this_visitor()
    made = services().rooms.fork(origin, fork, address=client_address(), make_key=visitor.key_of)
    target = url_for("pages.room", room=made.room.record.room, theme=_theme_of_form() or None)
    if is_htmx():
        moment = made.room.moment()
        applied = Applied(moment.clock.now_us, moment.end_offset)
        outcome = succeeded({"command": "fork"}, applied)
        response: Response = make_response(render_template("_partials/outcome.html", outcome=outcome))
        response.headers["HX-Redirect"] = target
    else:
        response = redirect(target, SEE_OTHER)
    remember(response, visitor)
    return response


def _theme_of_form() -> str:
    """Return the theme in the address of the form's page; "" if it has no valid one."""
    theme = parse_qs(_page_of_form().query).get("theme", [""])[0]
    return theme if theme in THEMES else ""


def _where_from(room: Room) -> str:
    """Return the page with the form, if it is one of ours; else the room's stage."""
    came_from = _page_of_form()
    if came_from.path:
        return came_from.path + (f"?{came_from.query}" if came_from.query else "")
    return url_for("pages.room", room=room.record.room)


def _page_of_form() -> SplitResult:
    """Return the address of the page with the form; an empty one if the browser sends none, or it is not ours."""
    try:
        came_from = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return urlsplit("")
    ours = came_from.netloc == request.host and came_from.path.startswith("/") and not came_from.path.startswith("//")
    return came_from if ours else urlsplit("")
