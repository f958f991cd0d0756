"""The pages: the article with the stage at the top, and the stage of any room."""

import logging
from dataclasses import replace
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, make_response, render_template

from engine.errors import OffsetscopeError
from webapp.http.request.access import has_presenter_cookie, remember, this_visitor
from webapp.http.request.context import client_address, find_room, services, stage_context, wanted_theme
from webapp.room.room import Room

DEFAULT_SEED = 1

blueprint = Blueprint("pages", __name__)
logger = logging.getLogger(__name__)


@blueprint.get("/")
def index() -> Response:
    """Return the article with the visitor's own room, standing in its first state; a reload gets the same room."""
    homes = _home()
    if homes:
        return make_response(render_template("index.html", **stage_context(homes[0], presenter=True)))
    wanted_theme()  # raises before a room is made
    running = services()
    visitor = this_visitor()
    made = running.rooms.make(
        running.settings.scenario, DEFAULT_SEED, "standing", address=client_address(), make_key=visitor.key_of
    )
    response = make_response(render_template("index.html", **stage_context(made.room, presenter=True)))
    remember(response, replace(visitor, home=made.room.record.room))
    return response


@blueprint.get("/rooms/<room>")
def room(room: str) -> str:
    """Return the full stage of a room, for anyone who knows its id."""
    found = find_room(room)
    return render_template("room.html", **stage_context(found, presenter=has_presenter_cookie(found)))


@blueprint.get("/healthz")
def health() -> Response:
    """Return the server's status, threads, and numbers of rooms and viewers; 503 if a thread is failing."""
    health = services().health()
    response = jsonify(health)
    response.status_code = HTTPStatus.OK if health["status"] == "ok" else HTTPStatus.SERVICE_UNAVAILABLE
    return response


def _home() -> list[Room]:
    """Return this visitor's room, if it still exists and its key is still theirs."""
    room_id = this_visitor().home
    if not room_id:
        return []
    try:
        found = find_room(room_id)
        found.moment()
    except OffsetscopeError as error:
        logger.info("a visitor gets a new room: %s", error)
        return []
    return [found] if has_presenter_cookie(found) else []
