"""The stage fits: nothing to scroll at 1280 x 720, nothing sticking out from 360 px to 4K."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, WAREHOUSE, Stage


@pytest.mark.parametrize("theme", ["light", "projector"])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1440, 900), (1920, 1080), (3840, 2160)])
def test_the_whole_stage_fits_without_scrolling(stage: Stage, width: int, height: int, theme: str) -> None:
    stage.page.set_viewport_size({"width": width, "height": height})
    stage.open(f"/?theme={theme}")
    parts = [stage.page.locator(".facts"), *(stage.broker(number) for number in (1, 2, 3))]
    parts += [stage.group(METRICS), stage.group(WAREHOUSE), stage.narration, stage.pause, stage.scrub]
    for part in parts:
        box = part.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= height + 0.5
        assert box["x"] + box["width"] <= width
    bar = stage.page.locator(".time-bar").bounding_box()
    assert bar
    for part in [stage.broker(3), stage.consumer("Loader A", WAREHOUSE)]:
        box = part.bounding_box()
        assert box
        assert box["y"] + box["height"] <= bar["y"], "the time bar covers it"


@pytest.mark.parametrize("width", [360, 390, 600, 768, 1000, 1280, 3840])
def test_nothing_sticks_out_sideways(stage: Stage, width: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 844})
    stage.open().at_speed(16)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.settled()
    assert stage.page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_on_a_phone_the_controls_stay_in_reach(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 390, "height": 844})
    stage.open()
    stage.consumer("Metrics A").scroll_into_view_if_needed()
    expect(stage.pause).to_be_in_viewport()
    expect(stage.narration).to_be_in_viewport()


def test_a_log_longer_than_its_tape_says_what_is_hidden(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.command("pause_consumer", group=METRICS, consumer="Metrics A")
    for _ in range(4):
        for partition_batch in range(3):
            stage.command("produce", count=9 if partition_batch == 0 else 1)
    expect(stage.fact("events-appended")).to_have_text("56")
    stage.settled()
    expect(stage.partition(0).locator(".earlier")).to_be_visible()
    expect(stage.bookmark(0)).to_have_attribute("data-pinned", "true")
    expect(stage.bookmark(0)).to_have_attribute("data-offset", "215")
    flag, tape = stage.bookmark(0).bounding_box(), stage.partition(0).locator(".records").bounding_box()
    assert flag
    assert tape
    assert abs(flag["x"] + flag["width"] - tape["x"]) < 3
    newest = stage.records(0).last.bounding_box()
    assert newest
    assert newest["x"] + newest["width"] <= tape["x"] + tape["width"]


def test_nothing_shifts_while_the_page_loads(stage: Stage) -> None:
    stage.page.add_init_script("""
        window.shift = 0;
        new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
            .observe({type: "layout-shift", buffered: true});
    """)
    stage.open()
    expect(stage.node("/consumers")).to_be_attached()
    assert stage.page.evaluate("() => window.shift") < 0.01


def test_at_a_high_rate_the_newest_messages_are_in_view_and_no_batch_hides_the_picture(stage: Stage) -> None:
    stage.open().command("set_producer", rate_per_second=200, batch_messages=20)
    stage.page.wait_for_function(
        """() => {
            const tape = document.querySelector('[data-testid="partition-pageviews-0"] .tape').getBoundingClientRect();
            const cells = [...document.querySelectorAll('[data-testid^="record-pageviews-0@"]')];
            const offset = (cell) => Number(cell.dataset.testid.split("@")[1]);
            const newest = cells.sort((a, b) => offset(b) - offset(a))[0];
            const { left, right } = newest.getBoundingClientRect();
            return offset(newest) > 20_000 && left >= tape.left && right <= tape.right;
        }"""
    )
    widths = stage.page.evaluate(
        "() => [...document.querySelectorAll('.flight[data-kind=batch] .load')].map((load) => load.offsetWidth)"
    )
    tape_width = stage.partition(0).locator(".tape").evaluate("(tape) => tape.offsetWidth")
    assert widths
    assert max(widths) <= 0.5 * tape_width
