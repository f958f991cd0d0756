"""The text of a message's cell: the first word on its own line, the rest below it in small type, and the size."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import Stage

LINES = """(nodes) => nodes.filter((node) => node.clientHeight > 0).map((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return new Set([...range.getClientRects()].map(({top}) => Math.round(top))).size;
})"""


def test_the_first_word_of_a_preview_has_its_own_line(stage: Stage) -> None:
    stage.open().at_speed(16)
    cell = stage.record(1, 0)
    expect(cell.locator(".cell-word")).to_have_text("/item/4")
    expect(cell.locator(".cell-rest")).to_have_text("user-37 2011-06-")
    boxes = [cell.locator(part).bounding_box() for part in (".cell-word", ".cell-rest", ".cell-size")]
    assert all(one and other and one["y"] + one["height"] <= other["y"] + 1 for one, other in pairwise(boxes))
    stage.send_keyed("someone", "  blanks   first")  # the same words when JavaScript fills the cell
    expect(stage.page.locator(".cell-word", has_text="blanks")).to_have_text("blanks")
    expect(stage.page.locator(".cell-rest", has_text="first")).to_have_text("first")


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_no_word_in_a_cell_is_broken_across_lines(stage: Stage, width: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 844})
    stage.open()
    assert set(stage.page.locator(".cell-word").evaluate_all(LINES)) == {1}
    assert set(stage.page.locator(".cell-rest").evaluate_all(LINES)) <= {1}


def test_a_cell_too_narrow_for_a_word_shows_no_word(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 390, "height": 844})
    stage.open().at_speed(16)
    stage.command("produce", topic="pageviews", count=1, size=6_000)
    expect(stage.fact("events-appended")).to_have_text("13")
    stage.settled()
    narrow = stage.page.locator(".cell").evaluate_all(
        "(nodes) => nodes.filter((node) => node.clientWidth <= 25)"
        ".map((node) => node.querySelector('.cell-word').clientHeight > 0)"
    )
    assert narrow
    assert not any(narrow)


CUT = """(heights) => heights.flatMap((height) => {
    document.querySelector(".board").style.setProperty("--tape-height", `${height}rem`);
    const cut = [...document.querySelectorAll(".cell")].some((cell) => cell.scrollHeight > cell.clientHeight);
    return cut ? [height] : [];
})"""


@pytest.mark.parametrize("theme", ["light", "projector"])
def test_no_line_in_a_cell_is_clipped_at_any_tape_height(stage: Stage, theme: str) -> None:
    stage.page.set_viewport_size({"width": 1280, "height": 720})
    stage.open(f"/?theme={theme}")
    heights = [tenths / 10 for tenths in range(26, 112, 2)]
    assert stage.page.evaluate(CUT, heights) == []
    rests = stage.page.locator(".cell-rest").evaluate_all("(nodes) => nodes.map((node) => node.clientHeight)")
    assert min(rests) > 0, "the tallest tape shows all three lines"


TICKS = """(widths) => widths.map((width) => {
    const partition = document.querySelector(".partition");
    partition.dataset.digits = "6";
    const record = partition.querySelector(".record");
    record.style.inlineSize = `${width}px`;
    record.style.setProperty("--wide", `${width}px`);
    return parseFloat(getComputedStyle(record.querySelector(".tick")).fontSize);
})"""


def test_an_offset_is_shown_completely_or_not_at_all(stage: Stage) -> None:
    stage.open()
    threshold = stage.page.evaluate("""() => {
        const letters = parseFloat(getComputedStyle(document.documentElement).fontSize);
        return 6 * 0.603 * 0.7 * letters + 0.18 * letters;
    }""")
    assert threshold < 44, "six digits fit on a cell of 44 px"
    sizes = stage.page.evaluate(TICKS, [threshold + step / 1000 for step in range(-20, 21)])
    assert len(set(sizes)) == 2
    assert min(sizes) == 0
    assert max(sizes) > 9
