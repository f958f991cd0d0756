"""The JSON API, a public contract described in docs/api.md."""

from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, jsonify, make_response, request

from engine.errors import InvalidMessage, InvalidMessageSize
from engine.message.format import iterate_shallow
from webapp.house.rooms import MadeRoom
from webapp.http.pages import DEFAULT_SEED
from webapp.http.request.access import require_own_origin, require_presenter
from webapp.http.request.context import client_address, find_room, room_urls, services
from webapp.http.request.inputs import flag_field, integer_field, json_object, query_fields, query_integer, text_field
from webapp.room.answers import Applied
from webapp.room.commands import ForkAtOffset, ForkAtTime, ForkNow, parse
from webapp.room.record import Start

CREATED, ACCEPTED, NO_CONTENT = 201, 202, 204
DEFAULT_READ_BYTES = 65_536

blueprint = Blueprint("api", __name__, url_prefix="/api/rooms")


@blueprint.post("")
def make_room() -> Response:
    """Make a new room, running unless ``paused`` is true."""
    if not request.is_json:  # a page of another site cannot declare JSON without asking first
        require_own_origin()
    fields = json_object(["scenario", "seed", "paused"])
    scenario = text_field(fields, "scenario", services().settings.scenario)
    seed = integer_field(fields, "seed", DEFAULT_SEED)
    start: Start = "paused" if flag_field(fields, "paused", default=False) else "running"
    made = services().rooms.make(scenario, seed, start, address=client_address())
    return make_response(_as_json(made), CREATED)


@blueprint.get("/<room>")
def read_room(room: str) -> Response:
    """Return the room's facts, read from the engine."""
    return jsonify(find_room(room).facts())


@blueprint.post("/<room>/commands")
def command(room: str) -> Response:
    """Apply one command; the response is sent once it is applied and its events are in the journal."""
    found = find_room(room)
    fields = json_object()
    if fields.get("command") != "fork":  # a fork does not change this room, so no key is needed
        require_presenter(found)
    parsed = parse(fields)
    if isinstance(parsed, ForkAtOffset | ForkAtTime | ForkNow):
        made = services().rooms.fork(found, parsed, address=client_address())
        moment = made.room.moment()
        applied = Applied(moment.clock.now_us, moment.end_offset)
        return make_response({**_as_json(made), **applied.as_json()}, ACCEPTED)
    return make_response(services().perform(found, parsed, fields).as_json(), ACCEPTED)


@blueprint.get("/<room>/forks/<ticket>")
def read_fork(room: str, ticket: str) -> Response:
    """Return the progress of a fork of the room, found by its ticket."""
    return jsonify(services().rooms.forks.progress_of(find_room(room).record.room, ticket))


@blueprint.delete("/<room>/forks/<ticket>")
def give_up_fork(room: str, ticket: str) -> Response:
    """Cancel a fork; its own request then gets the error ``fork_given_up``."""
    require_own_origin()
    services().rooms.forks.give_up(find_room(room).record.room, ticket)
    return make_response("", NO_CONTENT)


@blueprint.get("/<room>/log/<topic>/<int:partition>")
def read_log(room: str, topic: str, partition: int) -> Response:
    """Return the raw bytes a consumer would fetch; ``X-Next-Offset`` is the offset of its next fetch."""
    query_fields(["offset", "max_bytes"])
    offset = query_integer("offset", 0)
    max_bytes = query_integer("max_bytes", DEFAULT_READ_BYTES, at_most=services().settings.log_read_bytes_at_most)
    data = find_room(room).read_log(topic, partition, offset, max_bytes)
    response = make_response(data)
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["X-Offset"] = str(offset)
    response.headers["X-Next-Offset"] = str(_next_offset(data, offset))
    return response


def _next_offset(data: bytes, offset: int) -> int:
    """Return the offset after the whole messages of ``data``, up to a damaged one."""
    with suppress(InvalidMessage, InvalidMessageSize):
        for _, next_offset, _, _ in iterate_shallow(data, offset):
            offset = next_offset
    return offset


@blueprint.get("/<room>/registry")
def read_registry(room: str) -> Response:
    """Return the znode tree."""
    return jsonify(find_room(room).registry())


def _as_json(made: MadeRoom) -> dict[str, Any]:
    return {
        "room": made.room.record.room,
        "presenter_key": made.presenter_key,
        "urls": room_urls(made.room.record, absolute=True),
    }
