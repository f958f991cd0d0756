"""The inspector's panels as fragments, read from the engine."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template, request

from engine.errors import UnknownConsumer, UnknownGroup, UnknownPartition
from engine.ids import TopicPartition
from webapp.errors import InvalidRequest, UnknownPage
from webapp.http.downloads import journal_listing, log_listing
from webapp.http.inspect.parties import faults_of
from webapp.http.inspect.records import record_at
from webapp.http.request.access import has_presenter_cookie
from webapp.http.request.context import find_room, room_urls
from webapp.http.request.inputs import query_integer, query_text
from webapp.room.answers import Picture
from webapp.room.room import Room

blueprint = Blueprint("panels", __name__)


@blueprint.get("/rooms/<room>/panels/<name>")
def panel(room: str, name: str) -> str:
    """Return one panel, for anyone who knows the room's id."""
    if name not in PANELS:
        raise UnknownPage(f"there is no panel {name[:40]!r}", f"use one of: {', '.join(PANELS)}", panel=name[:40])
    found = find_room(room)
    picture = found.picture()
    return render_template(
        f"_partials/panel_{name}.html",
        room=found.record.room,
        facts=picture.facts,
        state=picture.state,
        registry=found.registry(),
        presenter=has_presenter_cookie(found),
        urls=room_urls(found.record),
        **PANELS[name](found, picture),
    )


def _nothing_more(room: Room, picture: Picture) -> dict[str, Any]:
    return {}


def _consumer(room: Room, picture: Picture) -> dict[str, Any]:
    group, name = query_text("group"), query_text("consumer")
    consumers = picture.state["consumers"]
    if f"{group}/{name}" not in consumers:
        raise UnknownConsumer(
            f"there is no consumer {name[:60]!r} in {group[:60]!r}",
            f"use one of: {', '.join(consumers)}",
            group=group[:60],
            consumer=name[:60],
        )
    return {"consumer": consumers[f"{group}/{name}"]}


def _group(room: Room, picture: Picture) -> dict[str, Any]:
    name = query_text("group")
    groups = picture.state["groups"]
    if name not in groups:
        raise UnknownGroup(
            f"there is no group {name[:60]!r}", f"use one of: {', '.join(groups) or 'none yet'}", group=name[:60]
        )
    topics = groups[name]["topics"]
    read = {log["partition"] for log in picture.state["partitions"].values() if log["topic"] in topics}
    return {"group": {"group": name, "topics": topics, "partitions": sorted(read)}}


def _mirror(room: Room, picture: Picture) -> dict[str, Any]:
    group = query_text("group")
    mirrors = picture.state.get("deployment", {}).get("mirrors", {})
    if group not in mirrors:
        known = ", ".join(mirrors) or "none: this cluster has no mirrors"
        raise UnknownGroup(f"there are no mirrors {group[:60]!r}", f"known mirrors: {known}", group=group[:60])
    return {"mirror": {"group": group, **mirrors[group]}}


def _log(room: Room, picture: Picture) -> dict[str, Any]:
    """Return the bytes at an offset; with ``journal_offset`` those that were there then, if they still exist."""
    topic, partition, offset = query_text("topic"), query_integer("partition", 0), query_integer("offset", 0)
    place = {"topic": topic, "partition": partition, "offset": offset}
    if "journal_offset" not in request.args:
        return {**place, "fate": "", "record": record_at(room, topic, partition, offset)}
    fate = room.fate(TopicPartition(topic, partition), offset, query_integer("journal_offset", 0))
    words = {**place, "fate": fate.kind, "fate_at_us": fate.at_us}
    if fate.kind in ("same", "flipped"):
        return {**words, "record": record_at(room, topic, partition, offset)}
    return words


def _files(room: Room, picture: Picture) -> dict[str, Any]:
    return {"log": _log_of(picture)}


def _log_of(picture: Picture) -> Any:
    """Return the log of the state that the query names; raises ``UnknownPartition`` if there is none."""
    name = f"{query_text('topic')}-{query_integer('partition', 0)}"
    logs = picture.state["partitions"]
    if name not in logs:
        raise UnknownPartition(
            f"there is no partition {name[:60]!r}", f"use one of: {', '.join(logs)}", partition=name[:60]
        )
    return logs[name]


def _api(room: Room, picture: Picture) -> dict[str, Any]:
    """Return the facts as the API does, or the part of them about one thing."""
    about = request.args.get("about", "room")
    answers: Mapping[str, Callable[[], object]] = {
        "room": lambda: picture.facts,
        "partition": lambda: _matching(picture.facts["topics"], "partitions", "topic", "partition"),
        "consumer": lambda: _matching(picture.facts["groups"], "consumers", "group", "consumer"),
    }
    if about not in answers:
        raise InvalidRequest(
            f"there are no facts about {about[:40]!r}", f"use one of: {', '.join(answers)}", field="about"
        )
    answer = json.dumps(answers[about](), ensure_ascii=False, indent=2)
    return {"about": about, "answer": answer, "address": room_urls(room.record, absolute=True)["api"]}


def _matching(outer: list[dict[str, Any]], inner: str, outer_name: str, inner_name: str) -> object:
    """Return the part of the facts with the names of the query; raises ``UnknownPage`` if there is none."""
    wanted_outer, wanted_inner = query_text(outer_name), query_text(inner_name)
    for one in outer:
        for part in one[inner]:
            if str(one[outer_name]) == wanted_outer and str(part[inner_name]) == wanted_inner:
                return part
    raise UnknownPage(
        f"there is no {inner_name} {wanted_inner[:60]!r} in {wanted_outer[:60]!r}", "look at the whole room"
    )


def _downloads(room: Room, picture: Picture) -> dict[str, Any]:
    name = room.record.room
    logs = [(log["topic"], log["partition"]) for log in picture.state["partitions"].values()]
    return {
        "journal_files": journal_listing(name, room.journal_files()),
        "log_files": {
            (topic, partition): log_listing(name, topic, partition, room.log_files(topic, partition))
            for topic, partition in logs
        },
    }


def _trouble(room: Room, picture: Picture) -> dict[str, Any]:
    return faults_of(picture.state, query_text("address"))


PANELS: Mapping[str, Callable[[Room, Picture], dict[str, Any]]] = {
    "registry": _nothing_more,
    "add": _nothing_more,
    "trouble": _trouble,
    "producer": _nothing_more,
    "consumer": _consumer,
    "group": _group,
    "mirror": _mirror,
    "log": _log,
    "files": _files,
    "api": _api,
    "downloads": _downloads,
}
