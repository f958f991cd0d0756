"""The inspector's panels: what is really there, as fragments."""

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, render_template

from engine.errors import UnknownConsumer
from webapp.answers import Picture
from webapp.errors import UnknownPage
from webapp.room import Room
from webapp.views.access import has_presenter_cookie
from webapp.views.context import find_room, room_urls
from webapp.views.inputs import query_integer, query_text
from webapp.views.records import record_at

blueprint = Blueprint("panels", __name__)


@blueprint.get("/rooms/<room>/panels/<name>")
def panel(room: str, name: str) -> str:
    """One panel; anybody who knows the room may look."""
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


def _log(room: Room, picture: Picture) -> dict[str, Any]:
    topic, partition = query_text("topic"), query_integer("partition", 0)
    return {"record": record_at(room, topic, partition, query_integer("offset", 0))}


PANELS: Mapping[str, Callable[[Room, Picture], dict[str, Any]]] = {
    "registry": _nothing_more,
    "groups": _nothing_more,
    "producer": _nothing_more,
    "consumer": _consumer,
    "log": _log,
}
