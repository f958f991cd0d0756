"""The stage fits: no scrolling at 1280 x 720, and no overflow from 360 px to 4K."""

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
def test_nothing_overflows_sideways(stage: Stage, width: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 844})
    stage.open().at_speed(16)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.settled()
    assert stage.page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_an_error_page_breaks_long_words(stage: Stage) -> None:
    """Names of files and addresses have no spaces."""
    page = stage.page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{stage.base_url}/{'0' * 100}")
    assert page.locator("h1").inner_text().count("0") == 100
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_the_controls_and_the_narration_stay_in_view(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 390, "height": 844})
    stage.open()
    stage.consumer("Metrics A").scroll_into_view_if_needed()
    expect(stage.pause).to_be_in_viewport()
    expect(stage.narration).to_be_in_viewport()


def test_a_log_longer_than_its_tape_says_how_much_is_hidden(stage: Stage) -> None:
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
    flag, tape = stage.bookmark(0).bounding_box(), stage.partition(0).locator(".tape-window").bounding_box()
    assert flag
    assert tape
    assert abs(flag["x"] + flag["width"] - tape["x"]) < 3
    newest = stage.records(0).last.bounding_box()
    assert newest
    assert newest["x"] + newest["width"] <= tape["x"] + tape["width"]


@pytest.mark.parametrize("times_slower", [1, 12])
@pytest.mark.parametrize("width", [390, 1280])
def test_the_layout_does_not_shift_while_the_page_loads(stage: Stage, width: int, times_slower: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 720})
    session = stage.page.context.new_cdp_session(stage.page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": times_slower})
    stage.page.add_init_script("""
        window.shift = 0;
        new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shift += entry.value; })
            .observe({type: "layout-shift", buffered: true});
    """)
    stage.open()
    expect(stage.node("/consumers")).to_be_attached()
    assert stage.page.evaluate("() => window.shift") < 0.01


def test_at_a_high_rate_the_newest_bytes_are_in_view_and_batches_stay_small(stage: Stage) -> None:
    stage.open().command("set_producer", rate_per_second=200, batch_messages=20)
    stage.page.wait_for_function(
        """() => {
            const partition = document.querySelector('[data-testid="partition-pageviews-0"]');
            const tape = partition.querySelector(".tape").getBoundingClientRect();
            const end = partition.querySelector(".tape-end");
            const { left } = end.getBoundingClientRect();
            const offset = Number(end.querySelector('[data-part=next]').textContent);
            return offset > 20_000 && left >= tape.left && left <= tape.right;
        }"""
    )
    expect(stage.partition(0).locator('[data-part="rate"]')).to_contain_text("messages/s")
    widths = stage.page.evaluate(
        "() => [...document.querySelectorAll('.flight[data-kind=batch] .load')].map((load) => load.offsetWidth)"
    )
    tape_width = stage.partition(0).locator(".tape").evaluate("(tape) => tape.offsetWidth")
    assert widths
    assert max(widths) <= 0.5 * tape_width


COVERED = """(layer) => {
    layer.style.pointerEvents = "auto";  // so that elementFromPoint finds it wherever it is in front
    const covered = [...document.querySelectorAll(".board :is(button, a.quiet)")]
        .filter((node) => node.checkVisibility({visibilityProperty: true}))
        .map((node) => ({node, box: node.getBoundingClientRect()}))
        .filter(({box}) => box.bottom > 0 && box.bottom < innerHeight - 130)
        .map(({node, box}) => ({node, at: [box.left + box.width / 2, box.top + box.height / 2]}))
        .filter(({node, at}) => !node.contains(document.elementFromPoint(...at)))
        .map(({node}) => node.textContent);
    layer.style.pointerEvents = "";
    return covered;
}"""


@pytest.mark.parametrize("width", [768, 1280])
def test_flights_pass_behind_the_controls_of_cards(stage: Stage, width: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 900})
    stage.open_room("deployment")
    stage.command("produce", topic="pageviews", count=3)
    stage.settled()
    covered = stage.page.locator('[data-part="flights"]').evaluate(COVERED)
    assert covered == []


def test_on_a_large_display_lines_and_form_controls_grow_with_the_text(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 3840, "height": 2160})
    stage.open()

    def pixels(selector: str, of: str) -> float:
        return float(
            stage.page.locator(selector).first.evaluate("(node, of) => parseFloat(getComputedStyle(node)[of])", of)
        )

    letters = pixels("html", "fontSize")
    assert letters > 25
    assert pixels(".time-bar button", "borderTopWidth") > 1
    assert pixels(".mark", "width") > 3
    assert pixels("#help input", "width") > letters * 0.9
    expect(stage.speed).to_have_css("appearance", "none")  # its arrow is drawn by the page, as large as the text
    stage.focus(stage.batch_send)
    stage.page.keyboard.press("Tab")
    assert pixels(":focus", "outlineWidth") > 2


def test_on_a_scrolled_page_the_time_bar_is_behind_the_inspector(stage: Stage) -> None:
    stage.open()
    stage.record(0, 215).get_by_role("link").click()
    expect(stage.inspector).to_contain_text("fits the payload")
    stage.page.evaluate("() => window.scrollTo(0, 300)")
    on_top = stage.page.evaluate("""() => {
        const [inspector, bar] = ["#inspector", ".time-bar"].map((name) => document.querySelector(name));
        const [panel, {top}] = [inspector.getBoundingClientRect(), bar.getBoundingClientRect()];
        return [panel.bottom - top, inspector.contains(document.elementFromPoint(panel.left + 30, top + 10))];
    }""")
    assert on_top[0] > 20, "they meet"
    assert on_top[1]
