"""The stage alone, for an iframe on another site: a new room at every load."""

from flask import Blueprint, render_template

from webapp.http.pages import DEFAULT_SEED
from webapp.http.request.context import client_address, services, stage_context, wanted_theme
from webapp.http.request.inputs import query_fields, query_flag
from webapp.room.record import Start

blueprint = Blueprint("embed", __name__)


@blueprint.get("/embed/<scenario>")
def embed(scenario: str) -> str:
    """Return a page with a new room of the scenario and its key: a frame on another site gets no cookies."""
    query_fields(["theme", "controls", "autoplay"])
    options = {"controls": query_flag("controls", default=True), "autoplay": query_flag("autoplay", default=False)}
    start: Start = "running" if options["autoplay"] else "standing"
    wanted_theme()  # raises before a room is made
    made = services().rooms.make(scenario, DEFAULT_SEED, start, address=client_address())
    context = stage_context(made.room, presenter=True)
    return render_template("embed.html", **context, embed=options, presenter_key=made.presenter_key)
