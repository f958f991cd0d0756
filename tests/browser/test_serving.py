"""The page loses its server and finds it again."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import Stage


def test_the_page_reports_a_lost_server_and_resumes_when_it_is_back(page: Page, tmp_path: Path) -> None:
    first = ServerProcess(tmp_path / "data")
    stage = Stage(page, first.base_url).open().at_speed(16)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    closed: list[int] = page.evaluate("() => { window.here = true; return []; }")
    assert first.stop() == 0
    assert closed == []
    expect(stage.root).to_have_attribute("data-connection", "reconnecting")
    expect(page.locator('[data-part="connection"]')).to_contain_text("connection lost")
    expect(stage.fact("events-appended")).to_have_text("15")
    second = ServerProcess(tmp_path / "data", port=first.port)
    expect(stage.root).to_have_attribute("data-connection", "live", timeout=15_000)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("18")
    assert page.evaluate("() => window.here"), "the page itself was never loaded again"
    second.stop()


def test_a_page_that_does_not_exist_is_explained_in_words(page: Page, server: ServerProcess) -> None:
    answer = page.goto(f"{server.base_url}/rooms/no-such-room")
    assert answer
    assert answer.status == 404
    expect(page.get_by_role("heading", level=1)).not_to_be_empty()
    page.get_by_role("link", name="Back to the stage").click()
    expect(Stage(page, server.base_url).fact("topic")).to_have_text("pageviews")


def test_the_head_preloads_exactly_the_modules_of_the_page(stage: Stage) -> None:
    stage.open()
    named = set(stage.page.locator('link[rel="modulepreload"]').evaluate_all("(links) => links.map(({href}) => href)"))
    fetched = set(
        stage.page.evaluate("""() => performance.getEntriesByType("resource").map(({name}) => name)
            .filter((name) => /[/]static[/]v-.*[/]js[/].*[.]js$/.test(name))""")
    )
    (main,) = fetched - named
    assert main.endswith("/js/main.js")
    assert named < fetched
    assert len(named) > 50
