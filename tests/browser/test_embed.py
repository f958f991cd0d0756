"""The stage alone, in a frame on another site."""

import http.server
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import FrameLocator, Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import Stage


@pytest.fixture
def portfolio(server: ServerProcess) -> Iterator[str]:
    """A site of another origin with the stage in a frame; the path of a request is the path in the frame."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = self.path.partition("?")[2]
            source = f"{server.base_url}/embed/pageviews?{query}"
            frame = f'<iframe title="stage" width="1000" height="640" src="{source}"></iframe>'
            body = f"<!doctype html><title>Portfolio</title><h1>Me</h1>{frame}"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://localhost:{site.server_port}"
    site.shutdown()
    thread.join()
    site.server_close()


def framed(page: Page, address: str) -> FrameLocator:
    page.goto(address)
    return page.frame_locator("iframe")


def test_the_stage_works_in_a_frame_of_another_site(page: Page, portfolio: str, page_faults: list[str]) -> None:
    frame = framed(page, f"{portfolio}/")
    expect(frame.get_by_test_id("fact-events-appended")).to_have_text("12")
    expect(frame.locator("[data-stage]")).to_have_attribute("data-connection", "live")
    frame.get_by_test_id("action-batch-send").click()
    expect(frame.get_by_test_id("fact-events-appended")).to_have_text("15")
    frame.get_by_test_id("consumer-Real-time metrics-Metrics A").get_by_role("button", name="Stop").click()
    expect(frame.get_by_test_id("consumer-Real-time metrics-Metrics A")).to_have_attribute("data-state", "closed")


def test_autoplay_starts_time_at_once(page: Page, portfolio: str) -> None:
    frame = framed(page, f"{portfolio}/?autoplay=1")
    expect(frame.locator("[data-stage]")).to_have_attribute("data-running", "true")
    expect(frame.locator(".flight").first).to_be_attached()


def test_without_controls_only_the_picture_is_shown(page: Page, portfolio: str) -> None:
    frame = framed(page, f"{portfolio}/?controls=0&theme=dark")
    expect(frame.get_by_test_id("partition-pageviews-0")).to_be_visible()
    expect(frame.get_by_test_id("action-batch-send")).to_be_hidden()
    expect(frame.get_by_test_id("control-pause")).to_be_hidden()
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")


def test_only_embeds_may_be_framed(page: Page, server: ServerProcess) -> None:
    page.goto(f"{server.base_url}/healthz")
    with page.expect_event("requestfailed", predicate=lambda request: request.url.endswith("/")):
        page.evaluate(
            "() => { const frame = document.createElement('iframe'); frame.src = '/'; document.body.append(frame); }"
        )


def test_an_embed_has_a_link_to_the_full_stage(page: Page, server: ServerProcess, page_faults: list[str]) -> None:
    stage = Stage(page, server.base_url).open("/embed/pageviews")
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Offsetscope").click()
    assert opened.value.url.endswith(f"/rooms/{stage.room}")
