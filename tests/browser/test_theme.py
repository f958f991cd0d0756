"""The choice of a theme on the page."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages.charts import Charts
from tests.browser.pages.stage import Stage

GROUND = "() => getComputedStyle(document.body).backgroundColor"


@pytest.mark.parametrize("path", ["/", "/rooms/"])
def test_a_theme_applies_at_once_and_is_kept_by_a_reload_and_a_fork(stage: Stage, path: str) -> None:
    stage.open()
    room = stage.room
    if path != "/":
        stage.open(path + room)
    before = stage.page.evaluate(GROUND)
    stage.theme.select_option("dark")
    assert stage.page.evaluate(GROUND) != before
    expect(stage.page).to_have_url(f"{stage.base_url}{path if path == '/' else path + room}?theme=dark")
    stage.page.reload()
    stage.settled()
    assert stage.room == room
    expect(stage.theme).to_have_value("dark")
    expect(stage.page.locator("html")).to_have_attribute("data-theme", "dark")
    stage.fork.click()
    stage.page.wait_for_url(lambda url: "/rooms/" in url and room not in url)
    expect(stage.page.locator("html")).to_have_attribute("data-theme", "dark")
    stage.settled()
    stage.theme.select_option("auto")
    assert "theme" not in stage.page.url
    assert stage.page.evaluate(GROUND) == before


def test_without_a_script_a_theme_is_chosen_by_a_form(stage: Stage) -> None:
    stage.open()
    stage.page.route("**/js/main.js", lambda route: route.abort())
    stage.page.goto(f"{stage.base_url}/rooms/{stage.room}")
    stage.theme.select_option("projector")
    stage.theme.evaluate("(select) => select.form.requestSubmit()")  # the button is in a noscript element
    expect(stage.page.locator("html")).to_have_attribute("data-theme", "projector")
    expect(stage.theme).to_have_value("projector")


def test_an_open_chart_takes_the_colours_of_the_theme(stage: Stage) -> None:
    stage.open()
    charts = Charts(stage).open()
    line = charts.legends.first.locator(".u-marker").nth(1)
    colour = "(marker) => getComputedStyle(marker).borderTopColor"
    before = line.evaluate(colour)
    stage.theme.select_option("dark")
    expect(line).not_to_have_css("border-top-color", before)


def test_an_embed_has_no_choice_of_theme(stage: Stage) -> None:
    stage.open("/embed/pageviews?theme=dark")
    expect(stage.theme).to_have_count(0)
