"""Fixtures of the tests of webapp: a server in this process, on a free port, with its own data folder."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine.tcp.platform import listen
from tests.webapp.feed.feed_by_hand import Audience, FakeJournal
from tests.webapp.support import LiveServer
from webapp.app import create_app
from webapp.connections import ConnectionLimits, Connections
from webapp.house.services import Services
from webapp.http.request.context import EXTENSION
from webapp.server import BoundedServer
from webapp.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    made = create_app(settings)
    services: Services = made.extensions[EXTENSION]
    services.start()
    yield made
    services.stop(within_s=1.0)


@pytest.fixture
def services(app: Flask) -> Services:
    running: Services = app.extensions[EXTENSION]
    return running


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def live(app: Flask) -> Iterator[LiveServer]:
    """Serve the application on a real socket."""
    listening = listen("127.0.0.1", 0)
    server = BoundedServer(app, "127.0.0.1", listening, Connections(ConnectionLimits()))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield LiveServer(f"127.0.0.1:{listening.getsockname()[1]}", app.extensions[EXTENSION])
    app.extensions[EXTENSION].broadcaster.stop(within_s=1.0)
    server.shutdown()
    thread.join()
    server.server_close()
    listening.detach()


@pytest.fixture
def audience() -> Audience:
    return Audience(FakeJournal(10, 20, 30, 40))
