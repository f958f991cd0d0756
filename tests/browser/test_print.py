"""On paper, in the system's own colours, and enlarged: the picture stays whole."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, WAREHOUSE, Stage


def pages_of(stage: Stage) -> int:
    pdf = stage.page.pdf(prefer_css_page_size=True)
    return sum(pdf.count(b"/Type /Page" + end) for end in (b"\n", b" ", b">"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_printed_stage_is_one_page_with_its_room_and_time(stage: Stage, tmp_path: Path, theme: str) -> None:
    stage.open()
    stage.open(f"/rooms/{stage.room}?theme={theme}")
    stage.page.emulate_media(media="print")
    expect(stage.page.locator(".printed")).to_have_text(f"Offsetscope, room {stage.room}, at 0.0 s")
    for gone in (stage.pause, stage.batch_send, stage.page.locator(".facts-table"), stage.scrub):
        expect(gone).to_be_hidden()
    expect(stage.bookmark(2, WAREHOUSE)).to_be_visible()
    expect(stage.page.locator("body")).to_have_css("color", "rgb(0, 0, 0)")
    assert pages_of(stage) == 1


def test_the_article_is_printed_on_separate_pages_after_the_picture(stage: Stage) -> None:
    stage.open("/")
    stage.page.emulate_media(media="print")
    text = stage.page.locator("#article")
    expect(text).to_be_visible()
    expect(stage.page.get_by_role("link", name="To the text")).to_be_hidden()
    expect(text.locator(".article")).to_have_css("break-before", "page")
    assert 2 <= pages_of(stage) <= 6


# When the browser has laid out the paper: is each end of a ribbon where it belongs?
ENDS_ON_PAPER = """() => matchMedia("print").addEventListener("change", ({matches}) => {
    if (!matches) return;
    const box = (selector) => document.querySelector(selector).getBoundingClientRect();
    const layer = box(".ribbons");
    const line = document.querySelector('[data-ribbon="Real-time metrics/pageviews-2"] .ribbon-line');
    const ends = [0, line.getTotalLength()].map((at) => line.getPointAtLength(at));
    const [from, to] = ends.map(({x, y}) => ({x: x + layer.left, y: y + layer.top}));
    const tab = box('[data-testid="owner-Real-time metrics-pageviews-2"]');
    const card = box('[data-testid="consumer-Real-time metrics-Metrics C"]');
    window.onPaper = {
        from: [from.x - tab.right, from.y - (tab.top + tab.bottom) / 2], to: to.x - card.left,
        inside: card.top < to.y && to.y < card.bottom, shown: getComputedStyle(line).visibility,
    };
})"""


@pytest.mark.parametrize(("width", "height", "landscape"), [(1280, 720, True), (390, 844, False)])
def test_printed_ribbons_join_their_ends(stage: Stage, width: int, height: int, landscape: bool) -> None:
    stage.page.set_viewport_size({"width": width, "height": height})
    stage.open()
    stage.page.evaluate(ENDS_ON_PAPER)
    stage.page.pdf(format="A4", landscape=landscape)
    found = stage.page.evaluate("() => window.onPaper")
    assert found["shown"] == "visible"
    assert found["from"] == [pytest.approx(0, abs=2), pytest.approx(0, abs=2)]
    assert found["to"] == pytest.approx(0, abs=8)
    assert found["inside"]
    expect(stage.root).to_have_attribute("data-on-paper", "false")


def test_ribbons_that_were_not_laid_out_for_paper_are_not_printed(stage: Stage) -> None:
    """Some browsers print a copy of the page and notify the page too late."""
    stage.open()
    stage.page.emulate_media(media="print")
    expect(stage.ribbon(0)).to_be_visible()
    stage.root.evaluate("(node) => node.removeAttribute('data-on-paper')")
    expect(stage.ribbon(0)).to_be_hidden()
    expect(stage.owner(0)).to_contain_text("Metrics A")


LOW = [(640, 360), (320, 256)]


@pytest.mark.parametrize(("width", "height"), LOW)
def test_the_inspector_is_readable_in_a_low_window(stage: Stage, width: int, height: int) -> None:
    """200 % of a page of 1280 x 720, 400 % of one of 1280 x 1024."""
    stage.page.set_viewport_size({"width": width, "height": height})
    stage.open()
    stage.record(0, 645).get_by_role("link").click()
    expect(stage.inspector).to_contain_text("p0 at offset 645")
    box = stage.inspector.bounding_box()
    assert box
    assert box["height"] >= 0.85 * height
    stage.inspector.get_by_role("link", name="Files of this log").click(trial=True)
    stage.close_inspector()
    expect(stage.inspector).to_be_hidden()


def test_at_400_percent_zoom_the_time_bar_leaves_the_window_to_the_picture(stage: Stage) -> None:
    """400 % of 1280 x 1024 (WCAG 1.4.10): a fixed bar would cover three fifths of the window."""
    stage.page.set_viewport_size({"width": 320, "height": 256})
    stage.open()
    stage.record(1, 188).evaluate("(node) => node.scrollIntoView({block: 'center'})")
    expect(stage.time_bar).not_to_be_in_viewport()
    stage.focus(stage.pause)
    expect(stage.pause).to_be_in_viewport()
    assert stage.page.evaluate("() => document.documentElement.scrollWidth") <= 320


def test_marks_are_drawn_with_forced_colors(stage: Stage) -> None:
    stage.page.emulate_media(forced_colors="active")
    stage.open()
    look = "(node) => { const {backgroundColor, color} = getComputedStyle(node); return [backgroundColor, color]; }"
    ground, ink = stage.bookmark(0).evaluate(look)
    assert ground != ink
    assert ground != stage.page.locator(".screen").evaluate("() => getComputedStyle(document.body).backgroundColor")
    stroke = stage.ribbon(0).locator(".ribbon-line").evaluate("(line) => getComputedStyle(line).stroke")
    assert stroke == ground, "a ribbon is drawn in the colour of text, with its pattern"


def test_at_200_percent_zoom_nothing_is_lost(stage: Stage) -> None:
    """200 % at 1280 pixels is a page 640 wide (WCAG 1.4.4 and 1.4.10)."""
    stage.page.set_viewport_size({"width": 640, "height": 360})
    stage.open()
    assert stage.page.evaluate("() => document.documentElement.scrollWidth") <= 640
    for part in (stage.broker(3), stage.group(METRICS), stage.group(WAREHOUSE), stage.batch_send, stage.pause):
        part.evaluate("(node) => node.scrollIntoView({block: 'start'})")
        expect(part).to_be_in_viewport()
    bar = stage.page.locator(".time-bar").bounding_box()
    assert bar
    assert bar["height"] <= 180, "the picture has at least half of a low window"
