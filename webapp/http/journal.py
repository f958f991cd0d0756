"""The journal over plain HTTP: the chapter of any moment of a room, and the marks of its time bar."""

import json

from flask import Blueprint, Response, jsonify, make_response, request

from engine.journal.timeline_marks import KINDS
from engine.message.format import MAGIC_0_OVERHEAD_BYTES
from webapp.errors import InvalidRequest
from webapp.http.request.context import find_room, services
from webapp.http.request.inputs import query_fields, query_integer
from webapp.room.answers import PastChapter

DEFAULT_CHAPTER_BYTES = 1024 * 1024

blueprint = Blueprint("journal", __name__, url_prefix="/api/rooms/<room>/journal")


@blueprint.get("")
def read_chapter(room: str) -> Response:
    """Return the chapter of a moment: a checkpoint, and the events up to the next one or to the end."""
    query_fields(["journal_offset", "at_us", "max_bytes", "from_offset"])
    if ("journal_offset" in request.args) == ("at_us" in request.args):
        raise InvalidRequest(
            "journal_offset or at_us says which moment is meant", "give one of the two", field="journal_offset"
        )
    found = find_room(room)
    max_bytes = query_integer("max_bytes", DEFAULT_CHAPTER_BYTES, at_most=services().settings.log_read_bytes_at_most)
    from_offset = query_integer("from_offset", 0)
    if "at_us" in request.args:
        return _answer(found.interval_at(query_integer("at_us", 0), max_bytes, from_offset=from_offset))
    return _answer(found.interval_holding(query_integer("journal_offset", 0), max_bytes, from_offset=from_offset))


@blueprint.get("/notable")
def read_notable(room: str) -> Response:
    """Return the marks of the time bar, for notable events from an offset on."""
    query_fields(["from_offset"])
    moments, end_offset = find_room(room).marks_since(query_integer("from_offset", 0))
    return jsonify({"kinds": KINDS, "moments": [one.as_json() for one in moments], "end_offset": end_offset})


def _answer(past: PastChapter) -> Response:
    """Return the response; the events are joined as the journal's bytes, without parsing."""
    chapter = past.chapter
    head = {
        "offset": chapter.offset,
        "next_offset": past.next_offset,
        "end_offset": chapter.end_offset,
        "at_us": chapter.at_us,
        "complete_until_us": past.complete_until_us,
        "is_last": chapter.is_last,
        "sizes": [MAGIC_0_OVERHEAD_BYTES + len(payload) for payload in past.payloads],
    }
    text = b'%s,"events":[%s]}' % (
        json.dumps(head, separators=(",", ":")).encode()[:-1],
        b",".join(past.payloads),
    )
    response = make_response(text)
    response.headers["Content-Type"] = "application/json"
    return response
