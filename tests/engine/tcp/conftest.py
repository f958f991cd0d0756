"""Brokers that are stopped after each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.tcp.support import RunningBroker, StartBroker, starter


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def start_broker(data_dir: Path) -> Iterator[StartBroker]:
    running: list[RunningBroker] = []
    yield starter(data_dir, running)
    for broker in running:
        broker.stop()


@pytest.fixture
def broker(start_broker: StartBroker) -> RunningBroker:
    """Start a broker that flushes every message at once."""
    return start_broker()
