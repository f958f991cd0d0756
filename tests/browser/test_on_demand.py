"""Modules that the first picture does not need are loaded on demand, and a failure is reported."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import Stage

LATER = {
    "ui/inspector",
    "ui/charts",
    "ui/tables",
    "ui/permalink",
    "ui/take_away",
    "state/chapters",
    "view/deployment",
}


def test_each_optional_module_is_loaded_only_when_it_is_needed(stage: Stage) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.extend(re.findall(r"/js/(\w+/\w+)\.js$", request.url)))
    stage.open()
    assert "ui/player" in asked
    assert not LATER & set(asked)
    stage.record(1, 188).hover()
    stage.record(1, 188).click()
    stage.settled()
    assert stage.inspector.is_visible(), "the page is not settled while a module is being loaded"
    assert LATER & set(asked) == {"ui/inspector"}
    stage.focus(stage.page.get_by_text("The same as a table"))
    stage.page.keyboard.press("Enter")
    stage.settled()
    expect(stage.page.locator('[data-part="consumer-rows"] tr')).to_have_count(4)
    stage.page.keyboard.press("Enter")
    stage.page.keyboard.press("Enter")
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.step_back.click()
    stage.settled()
    assert LATER & set(asked) == {"ui/inspector", "ui/tables", "state/chapters"}
    assert len(asked) == len(set(asked)), "none is fetched twice"


def test_a_module_that_fails_to_load_is_reported_and_loaded_at_the_next_try(page: Page, server: ServerProcess) -> None:
    stage = Stage(page, server.base_url).open()
    page.route("**/js/ui/tables.js", lambda route: route.abort())
    summary = page.get_by_text("The same as a table")
    summary.click()
    expect(page.locator('[data-part="connection"]')).to_contain_text("could not be loaded")
    page.unroute_all()
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    summary.click()
    summary.click()
    expect(page.locator('[data-part="flight-rows"] tr').first, "the rows are written").to_be_visible()
    stage.pause_room()
