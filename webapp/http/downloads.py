"""Downloads of a room's files: the segment files of its logs and of its journal, and the journal as lines."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Blueprint, Response, jsonify, url_for

from engine.storage.segment import SegmentSlice
from webapp.house.rooms import Rooms
from webapp.http.inspect.segment_files import base_offset, find_file, send_segment
from webapp.http.request.context import find_room, services
from webapp.http.request.inputs import query_fields, query_integer

LINES_BYTES = 256 * 1024
"""The number of bytes of the journal that are read at a time."""

blueprint = Blueprint("downloads", __name__, url_prefix="/api/rooms")


@blueprint.get("/<room>/log/<topic>/<int:partition>/segments")
def log_segments(room: str, topic: str, partition: int) -> Response:
    """List the segment files of a partition, oldest first."""
    return jsonify({"segments": log_listing(room, topic, partition, find_room(room).log_files(topic, partition))})


@blueprint.get("/<room>/log/<topic>/<int:partition>/segments/<file>")
def log_segment(room: str, topic: str, partition: int, file: str) -> Response:
    """Return the flushed bytes of one segment file of a partition."""
    return send_segment(find_file(find_room(room).log_files(topic, partition), file))


@blueprint.get("/<room>/journal/segments")
def journal_segments(room: str) -> Response:
    """List the segment files of the journal, which is a log too."""
    return jsonify({"segments": journal_listing(room, find_room(room).journal_files())})


@blueprint.get("/<room>/journal/segments/<file>")
def journal_segment(room: str, file: str) -> Response:
    """Return the bytes of one segment file of the journal."""
    return send_segment(find_file(find_room(room).journal_files(), file))


@blueprint.get("/<room>/journal.jsonl")
def journal_lines(room: str) -> Response:
    """Return the events from ``offset`` to the end of the journal, one JSON object a line, as stored."""
    query_fields(["offset"])
    found = find_room(room)
    offset, end_offset = query_integer("offset", 0), found.moment().end_offset
    found.read_journal(offset, 0)  # raises before the first line is sent
    response = Response(_lines(services().rooms, room, offset, end_offset), mimetype="application/x-ndjson")
    response.headers["X-Offset"] = str(offset)
    response.headers["X-Next-Offset"] = str(end_offset)
    response.headers["Content-Disposition"] = f'attachment; filename="offsetscope-{room}-{offset}-{end_offset}.jsonl"'
    return response


def _lines(rooms: Rooms, room: str, offset: int, end_offset: int) -> Iterator[bytes]:
    """Yield lines of whole events. The room is looked up for each piece: it may have been unloaded meanwhile."""
    wanted_bytes = LINES_BYTES
    while offset < end_offset:
        chunk = rooms.find(room).read_journal(offset, min(wanted_bytes, end_offset - offset))
        if chunk.next_offset == offset:
            wanted_bytes *= 2  # a single event is larger than that
            continue
        yield b"".join(payload + b"\n" for payload in chunk.payloads)
        offset, wanted_bytes = chunk.next_offset, LINES_BYTES


def log_listing(room: str, topic: str, partition: int, files: Sequence[SegmentSlice]) -> list[dict[str, Any]]:
    """Return the list of a partition's files for programs and for the page."""
    endpoint = "downloads.log_segment"
    return [
        _entry(piece, url_for(endpoint, room=room, topic=topic, partition=partition, file=piece.path.name))
        for piece in files
    ]


def journal_listing(room: str, files: Sequence[SegmentSlice]) -> list[dict[str, Any]]:
    """Return the list of the journal's files for programs and for the page."""
    return [_entry(piece, url_for("downloads.journal_segment", room=room, file=piece.path.name)) for piece in files]


def _entry(piece: SegmentSlice, url: str) -> dict[str, Any]:
    return {"file": piece.path.name, "base_offset": base_offset(piece.path), "bytes": piece.size_bytes, "url": url}
