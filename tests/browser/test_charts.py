"""The charts of lag and throughput: they draw the figures of the engine, and a time can be chosen in them."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.charts import Charts
from tests.browser.pages.stage import METRICS, WAREHOUSE, Stage

SECOND_US = 1_000_000


@pytest.fixture
def charts(stage: Stage) -> Charts:
    """The charts of a paused room with half a minute of history."""
    stage.open()
    stage.command("set_producer", topic="pageviews", rate_per_second=4)
    stage.at_speed(16)
    stage.page.wait_for_function("() => parseFloat(document.querySelector('[data-part=now]').textContent) > 30")
    stage.command("clock", action="pause")
    expect(stage.root).to_have_attribute("data-paused", "true")
    stage.settled()
    return Charts(stage)


def number(text: str) -> float:
    return float(re.sub(r"[^0-9.]", "", text))


def test_the_chart_library_is_loaded_only_when_the_charts_are_opened(stage: Stage) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    stage.open()
    assert not [url for url in asked if "uplot" in url]
    charts = Charts(stage).open()
    assert len([url for url in asked if "uplot" in url]) == 2, "its script and its style, from this server"
    assert all(url.startswith((stage.base_url, "data:", stage.base_url.replace("http", "ws"))) for url in asked)
    charts.root.locator("> summary").click()
    charts.root.locator("> summary").click()
    expect(charts.plots).to_have_count(2)
    assert len([url for url in asked if "uplot" in url]) == 2


def test_the_newest_point_is_the_lag_that_the_engine_reports(charts: Charts) -> None:
    charts.open()
    facts = charts.stage.facts()
    newest = charts.newest()
    assert number(newest["time"]) == pytest.approx(facts["clock"]["now_us"] / SECOND_US, abs=0.006)
    for group in facts["groups"]:
        assert number(newest[f"lag of {group['group']}"]) == sum(one["lag_bytes"] for one in group["partitions"])
    charts.choose("lag-unit", "messages")
    for group in facts["groups"]:
        lag = sum(one["lag_messages"] for one in group["partitions"])
        expect(charts.numbers.locator("tbody tr").first).to_contain_text(f"{lag}")
        assert number(charts.newest()[f"lag of {group['group']}"]) == lag
    charts.choose("lag-unit", "seconds")
    for group in facts["groups"]:
        lag_us = max(one["lag_us"] for one in group["partitions"])
        assert number(charts.newest()[f"lag of {group['group']}"]) == pytest.approx(lag_us / SECOND_US, abs=0.11)


def test_the_throughput_has_rates_of_appends_fetches_and_consumption(charts: Charts) -> None:
    charts.open()
    charts.choose("rate-unit", "messages")
    newest = charts.newest()
    assert 2 <= number(newest["appended"]) <= 6, "four messages a second are made"
    assert set(newest) == {
        "time", f"lag of {METRICS}", f"lag of {WAREHOUSE}", "appended",
        f"pulled by {METRICS}", f"consumed by {METRICS}", f"pulled by {WAREHOUSE}", f"consumed by {WAREHOUSE}",
    }  # fmt: skip


def test_a_click_on_a_chart_shows_that_time_and_moves_the_line_there(charts: Charts) -> None:
    charts.open()
    live = charts.stage.seconds()
    charts.click_at(0.5)
    charts.stage.settled()
    expect(charts.stage.root).to_have_attribute("data-view", "past")
    then = charts.stage.seconds()
    assert 0.3 * live < then < 0.7 * live
    charts.click_at(0.5)
    charts.stage.settled()
    assert charts.stage.seconds() == pytest.approx(then, abs=0.2), "the page does not scroll"
    expect(charts.lag_slider).to_have_attribute("aria-valuenow", f"{then:.1f}")
    charts.stage.live.click()
    charts.stage.settled()
    assert charts.stage.seconds() == live


def test_the_keyboard_chooses_a_time_in_a_chart(charts: Charts) -> None:
    charts.open()
    live = charts.stage.seconds()
    charts.stage.focus(charts.lag_slider)
    charts.stage.page.keyboard.press("ArrowLeft")
    charts.stage.settled()
    assert 0 < live - charts.stage.seconds() <= 1
    expect(charts.lag_slider).to_have_attribute(
        "aria-valuetext", re.compile(rf"s: {METRICS} [\d,]+ B, {WAREHOUSE} [\d,]+ B")
    )
    charts.stage.page.keyboard.press("End")
    charts.stage.settled()
    expect(charts.stage.root).to_have_attribute("data-view", "live")


@pytest.mark.parametrize("theme", ["light", "dark", "projector"])
def test_lines_are_drawn_in_every_theme_and_fit_the_page(stage: Stage, theme: str) -> None:
    stage.open(f"/?theme={theme}")
    charts = Charts(stage).open()
    assert charts.inked() > 500
    for width in (390, 3840, 1280):
        stage.page.set_viewport_size({"width": width, "height": 800})
        expect(charts.plots.first).to_be_visible()
        stage.page.wait_for_function("() => document.documentElement.scrollWidth <= window.innerWidth")


def test_a_chart_library_that_fails_to_load_is_reported_and_requested_again(stage: Stage) -> None:
    stage.page.route("**/uPlot.iife.min.js*", lambda route: route.abort())
    stage.open()
    charts = Charts(stage)
    charts.root.locator("> summary").click()
    expect(charts.state).to_contain_text("could not be loaded")
    assert number(charts.newest()[f"lag of {METRICS}"]) == 1821, "the table of numbers is still shown"
    stage.page.unroute("**/uPlot.iife.min.js*")
    charts.root.locator("> summary").click()
    charts.open()
    expect(charts.state).to_have_text("")


def test_names_in_charts_are_escaped(stage: Stage) -> None:
    stage.open()
    stage.command("add_group", group="<b>bold & co", topic="pageviews")
    charts = Charts(stage).open()
    expect(charts.legends.first).to_contain_text("<b>bold & co")


def in_series(page: Page, server: ServerProcess, expression: str) -> Any:
    page.goto(f"{server.base_url}/healthz")
    return page.evaluate(
        f"async (address) => {{ const m = await import(address); return ({expression})(m); }}",
        f"{server.base_url}/static/js/scene/series.js",
    )


SAMPLED = """
    const sampled = (counts) => ({
        oldest_us: 0,
        at: (at_us) => {
            const done = counts[Math.floor(at_us / 1e6)];
            return done === undefined ? undefined : {
                appended_messages: done, appended_bytes: done * 10,
                groups: {a: {bytes: done, messages: 1, waiting_since_us: 0, pulled_messages: done}},
            };
        },
    });
    const chart = (counts, to_us) => m.chartOf(sampled(counts), {
        from_us: 0, to_us, groups: ["a"], lag_unit: "bytes", rate_unit: "messages",
    });
"""


def test_rates_are_averages_over_five_seconds_and_unknown_across_a_reset(page: Page, server: ServerProcess) -> None:
    values = in_series(
        page,
        server,
        f"""(m) => {{ {SAMPLED}
            const counts = [0, 2, 4, 6, 8, 10, 12, 20, 0, 1, 2];
            const {{ times_s, rates }} = chart(counts, 10e6);
            return times_s.map((time_s, index) => [time_s, rates[0].values[index]]);
        }}""",
    )
    at = dict(values)
    assert [at[second] for second in (0, 1, 4, 6, 7)] == [None, 2, 2, 2, 3.2]
    assert at[8] is None
    assert at[10] is None, "five seconds earlier the counter was not reset yet"


def test_points_keep_their_times_while_time_passes(page: Page, server: ServerProcess) -> None:
    first, second = in_series(
        page,
        server,
        f"""(m) => {{ {SAMPLED}
            const counts = Array.from({{length: 100}}, (_, index) => index);
            return [60e6, 60.3e6].map((now_us) => m.chartOf(sampled(counts), {{
                from_us: now_us - 60e6, to_us: now_us, groups: [], lag_unit: "bytes", rate_unit: "bytes",
            }}).times_s);
        }}""",
    )
    assert len(first) <= 122
    assert set(first[2:-1]) <= set(second)
    assert (first[-1], second[-1]) == (60, 60.3)
