"""Fixtures of the browser tests: one real server for all, and a stage on the page of a new visitor for each test."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, expect

from tests.browser.pages.prepared_rooms import RoomControl
from tests.browser.pages.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PERMANENT_CHANGES = (
    "add_init_script",
    "route_web_socket",
    "expose_function",
    "expose_binding",
    "set_extra_http_headers",
)
# Long enough for a busy machine; a wait for something that comes at once costs nothing.
TIMEOUT_MS = 30_000
expect.set_options(timeout=TIMEOUT_MS)
EXPECTED = ("status of 4", "ERR_FAILED", "Failed to fetch")


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
        code = self.process.wait(timeout=TIMEOUT_MS / 1_000)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("data"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def warm_context(browser: Browser, browser_context_args: dict[str, Any]) -> Iterator[BrowserContext]:
    """One browser profile for all tests: static files are fetched once, and a new window is expensive."""
    context = browser.new_context(**browser_context_args)
    yield context
    context.close()


@pytest.fixture
def context(warm_context: BrowserContext) -> Iterator[BrowserContext]:
    """The browser profile, without the cookies and permissions of earlier tests."""
    yield warm_context
    warm_context.unroute_all()
    warm_context.clear_permissions()
    warm_context.clear_cookies()


@pytest.fixture(scope="session")
def permanently_changed() -> Iterator[list[Page]]:
    """The pages that a test changed in a way that cannot be undone."""
    changed: list[Page] = []

    def noted(act: Callable[..., Any]) -> Callable[..., Any]:
        def note(page: Page, *given: Any, **named: Any) -> Any:
            changed.append(page)
            return act(page, *given, **named)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for name in PERMANENT_CHANGES:
            patch.setattr(Page, name, noted(getattr(Page, name)))
        yield changed


@pytest.fixture
def page(
    request: pytest.FixtureRequest,
    context: BrowserContext,
    permanently_changed: list[Page],
    browser_context_args: dict[str, Any],
) -> Iterator[Page]:
    """A page of that profile: the blanked page of the previous test, since a new browser process costs a second."""
    page = context.pages[0] if context.pages else context.new_page()
    failed = request.session.testsfailed
    page.set_viewport_size(browser_context_args.get("viewport", {"width": 1280, "height": 720}))
    page.set_default_timeout(TIMEOUT_MS)
    yield page
    spent = page in permanently_changed or request.session.testsfailed > failed or not goes_blank(page)
    for other in context.pages:
        if spent or other is not page:
            other.close()


def goes_blank(page: Page) -> bool:
    """Undo what a test did in its page, and return whether that succeeded."""
    try:
        page.unroute_all()
        page.mouse.move(0, 0)
        page.evaluate("() => { if (location.protocol === 'http:') { sessionStorage.clear(); localStorage.clear(); } }")
        page.emulate_media(media="null", color_scheme="null", reduced_motion="null", forced_colors="null")
        page.goto("about:blank")
    except Error:  # the page has crashed or hangs
        return False
    return True


@pytest.fixture
def page_faults(page: Page) -> Iterator[list[str]]:
    """The errors of the page; a test fails if there is one.

    Responses of 4xx are refusals of the server, and requests that failed are those that the test itself aborted.
    """
    faults: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(one in message.text for one in EXPECTED):
            faults.append(message.text)

    def fail(error: Error) -> None:
        faults.append(f"{error.message}\n{error.stack}")

    page.on("console", listen)
    page.on("pageerror", fail)
    yield faults
    page.remove_listener("console", listen)
    page.remove_listener("pageerror", fail)
    assert faults == []


@pytest.fixture
def stage(page: Page, server: ServerProcess, page_faults: list[str]) -> Iterator[Stage]:
    """A stage in a page of 1280 x 720, not opened yet; its room is paused after the test."""
    page.set_viewport_size({"width": 1280, "height": 720})
    stage = Stage(page, server.base_url)
    yield stage
    if not page.is_closed() and stage.root.count():
        stage.pause_room()


@pytest.fixture
def recorded(stage: Stage) -> Stage:
    """A stage of a paused room, 4 s old, in which broker 2 crashed at about 1.5 s and was started at about 3 s."""
    control = RoomControl(stage.page, stage.base_url)
    control.command("produce", count=3)
    control.step_until(1_500_000)
    control.command("crash_broker", broker=2)
    control.step_until(3_000_000)
    control.command("start_broker", broker=2)
    control.step_until(4_000_000)
    return control.show(stage)


@pytest.fixture
def fresh(browser: Browser) -> Iterator[BrowserContext]:
    """The browser of another visitor."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    yield context
    context.close()
