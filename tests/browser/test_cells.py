"""What a message's cell says: its first word by itself, the rest below it in small, its size."""

from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import Stage

LINES = """(nodes) => nodes.filter((node) => node.checkVisibility()).map((node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return new Set([...range.getClientRects()].map(({top}) => Math.round(top))).size;
})"""


def test_the_first_word_of_a_preview_stands_alone(stage: Stage) -> None:
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
def test_no_word_of_a_cell_is_broken_over_lines(stage: Stage, width: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 844})
    stage.open()
    assert set(stage.page.locator(".cell-word").evaluate_all(LINES)) == {1}
    assert set(stage.page.locator(".cell-rest").evaluate_all(LINES)) <= {1}


def test_a_cell_too_narrow_for_a_word_shows_none(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 390, "height": 844})
    stage.open().at_speed(16)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    narrow = stage.page.locator(".cell").evaluate_all(
        "(nodes) => nodes.filter((node) => node.clientWidth <= 25)"
        ".map((node) => node.querySelector('.cell-word').checkVisibility())"
    )
    assert narrow
    assert not any(narrow)
