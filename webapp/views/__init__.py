"""What is served over HTTP: pages, controls, panels, the JSON API, embeds and the feed's doorway. All of it is thin."""

from flask import Flask

from webapp.views import api, controls, downloads, embed, feed, journal, pages, panels

BLUEPRINTS = (
    pages.blueprint,
    controls.blueprint,
    panels.blueprint,
    embed.blueprint,
    api.blueprint,
    downloads.blueprint,
    journal.blueprint,
    feed.blueprint,
)


def register(app: Flask) -> None:
    """Give the application all its addresses."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
