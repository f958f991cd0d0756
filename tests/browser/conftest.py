"""A real server, started once, and a stage on a page of a fresh visitor for each test."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Error, Page

from tests.browser.pages.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


class ServerProcess:
    """``offsetscope serve`` in a process of its own."""

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        self.data_dir = data_dir
        command = [sys.executable, "-m", "webapp", "serve", "--port", str(port), "--data-dir", str(data_dir)]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        self.process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment)
        assert self.process.stdout
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+?:(\d+)", line)
        assert found, f"the server did not say where it is: {line!r}"
        self.base_url = found.group(0)
        self.port = int(found.group(1))

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=10)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("data"))
    yield running
    running.stop()


@pytest.fixture
def page_faults(page: Page) -> Iterator[list[str]]:
    """What went wrong in the page; a test fails if anything did.

    Answers of 4xx are the server's way to say no, and ERR_FAILED is what a test itself has held back.
    """
    faults: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(told in message.text for told in ("status of 4", "ERR_FAILED")):
            faults.append(message.text)

    def fail(error: Error) -> None:
        faults.append(f"{error.message}\n{error.stack}")

    page.on("console", listen)
    page.on("pageerror", fail)
    yield faults
    assert faults == []


@pytest.fixture
def stage(page: Page, server: ServerProcess, page_faults: list[str]) -> Stage:
    """A stage in a page of 1280 x 720, not opened yet."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.set_default_timeout(10_000)
    return Stage(page, server.base_url)
