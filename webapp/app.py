"""The application: its services, its views, and what is done to every response."""

import mimetypes

from flask import Flask

from webapp.house.services import Services
from webapp.http import api, controls, downloads, embed, feed, journal, pages, panels, proxies
from webapp.http.answer import assets, compression, faults, security
from webapp.http.answer.kept_answers import KeptAnswers
from webapp.http.request.context import EXTENSION, room_path
from webapp.paths import resource_directory
from webapp.settings import Settings

VIEWS = (pages, controls, panels, embed, api, downloads, journal, feed)

# The content type that browsers require of a module script; some systems' MIME tables have another.
mimetypes.add_type("text/javascript", ".js")


def create_app(settings: Settings) -> Flask:
    """Return the application over the rooms in ``settings.data_dir``, whose threads are not started.

    Raises ``DataDirectoryUnusable`` or ``PublicUrlInvalid``. Its :class:`~webapp.house.services.Services` are at
    ``app.extensions["offsetscope"]``; the caller starts and stops them.
    """
    app = Flask(
        "offsetscope",
        static_folder=resource_directory("static"),
        template_folder=resource_directory("templates"),
    )
    app.config["MAX_CONTENT_LENGTH"] = settings.body_bytes_at_most
    app.config["SOCK_SERVER_OPTIONS"] = {"max_message_size": settings.message_bytes_at_most}
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    faults.register(app)
    security.register(app)
    assets.register(app)
    compression.register(app)
    for view in VIEWS:
        app.register_blueprint(view.blueprint)
    app.add_template_global(room_path)
    app.wsgi_app = KeptAnswers(app.wsgi_app)  # type: ignore[method-assign]  # as Flask's documentation has it
    proxies.register(app, settings)
    app.extensions[EXTENSION] = Services(settings)
    return app
