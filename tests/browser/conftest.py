"""A real server, started once, and a stage on a page of a fresh visitor for each test."""

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

from tests.browser.pages.lives import Teller
from tests.browser.pages.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
FOR_GOOD = ("add_init_script", "route_web_socket", "expose_function", "expose_binding", "set_extra_http_headers")
# A machine that is busy takes its time; who waits for what comes at once pays nothing for being patient.
PATIENCE_MS = 30_000
expect.set_options(timeout=PATIENCE_MS)
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
        code = self.process.wait(timeout=PATIENCE_MS / 1_000)
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
    """One browser profile for all tests: what does not change is fetched once, and a new window is dear."""
    context = browser.new_context(**browser_context_args)
    yield context
    context.close()


@pytest.fixture
def context(warm_context: BrowserContext) -> Iterator[BrowserContext]:
    """The profile of a visitor who was never here."""
    yield warm_context
    warm_context.unroute_all()
    warm_context.clear_permissions()
    warm_context.clear_cookies()


@pytest.fixture(scope="session")
def changed_for_good() -> Iterator[list[Page]]:
    """Pages in which a test did what nobody can take back."""
    changed: list[Page] = []

    def noted(act: Callable[..., Any]) -> Callable[..., Any]:
        def note(page: Page, *given: Any, **named: Any) -> Any:
            changed.append(page)
            return act(page, *given, **named)

        return note

    with pytest.MonkeyPatch.context() as patch:
        for name in FOR_GOOD:
            patch.setattr(Page, name, noted(getattr(Page, name)))
        yield changed


@pytest.fixture
def page(
    request: pytest.FixtureRequest,
    context: BrowserContext,
    changed_for_good: list[Page],
    browser_context_args: dict[str, Any],
) -> Iterator[Page]:
    """A page of that visitor: the one of the test before, gone blank, since a new process to show it costs a second."""
    page = context.pages[0] if context.pages else context.new_page()
    failed = request.session.testsfailed
    page.set_viewport_size(browser_context_args.get("viewport", {"width": 1280, "height": 720}))
    page.set_default_timeout(PATIENCE_MS)
    yield page
    spent = page in changed_for_good or request.session.testsfailed > failed or not goes_blank(page)
    for other in context.pages:
        if spent or other is not page:
            other.close()


def goes_blank(page: Page) -> bool:
    """Whether nothing of a test is left in its page."""
    try:
        page.unroute_all()
        page.mouse.move(0, 0)
        page.evaluate("() => { if (location.protocol === 'http:') { sessionStorage.clear(); localStorage.clear(); } }")
        page.emulate_media(media="null", color_scheme="null", reduced_motion="null", forced_colors="null")
        page.goto("about:blank")
    except Error:  # it has crashed, or hangs
        return False
    return True


@pytest.fixture
def page_faults(page: Page) -> Iterator[list[str]]:
    """What went wrong in the page; a test fails if anything did.

    Answers of 4xx are the server's way to say no, and what failed to come is what a test itself has held back.
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
    """A stage in a page of 1280 x 720, not opened yet; its room stands still when the test is over."""
    page.set_viewport_size({"width": 1280, "height": 720})
    stage = Stage(page, server.base_url)
    yield stage
    if not page.is_closed() and stage.root.count():
        stage.hold()


@pytest.fixture
def lived(stage: Stage) -> Stage:
    """A room, paused, in which broker 2 crashed at about 1.5 s and came back at about 3 s; the page is opened then."""
    teller = Teller(stage.page, stage.base_url)
    teller.do("produce", count=3)
    teller.step_until(1_500_000)
    teller.do("crash_broker", broker=2)
    teller.step_until(3_000_000)
    teller.do("start_broker", broker=2)
    teller.step_until(4_000_000)
    return teller.show(stage)


@pytest.fixture
def fresh(browser: Browser) -> Iterator[BrowserContext]:
    """Somebody else's browser."""
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    yield context
    context.close()
