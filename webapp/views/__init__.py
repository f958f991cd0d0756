"""The HTTP views, all of them thin: pages, controls, panels, the JSON API, embeds and the feed's handshake."""

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
    """Register all views with the application."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
