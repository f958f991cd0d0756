"""Typed text is shown as text, is never executed, and never breaks the picture."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import Stage

HOSTILE = [
    "<img src=x onerror=window.harmed=1>",
    '"><script>window.harmed=1</script>',
    "{{ 7 * 7 }}",
    "\u202egnp.exe",
    "Z\u0351\u036b\u0343\u036a\u0302\u036b" * 40,
    "\U0001f4d6" * 50,
    "a" * 190,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_keys_and_values_are_escaped_and_clipped(stage: Stage, text: str) -> None:
    stage.open().at_speed(16)
    stage.send_keyed(text[:190], text)
    expect(stage.fact("events-appended")).to_have_text("13")
    stage.settled()
    assert stage.page.evaluate("() => window.harmed") is None
    cells = stage.page.locator(".cell").evaluate_all(
        "(nodes) => nodes.filter((node) => node.scrollWidth > node.clientWidth + 1"
        " && getComputedStyle(node).overflowX !== 'hidden').length"
    )
    assert cells == 0
    assert stage.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_the_inspector_shows_a_hostile_payload_as_text(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.send_keyed("someone", HOSTILE[0])
    expect(stage.fact("events-appended")).to_have_text("13")
    stage.settled()
    expect(stage.page.locator('.record[data-flushed="false"]')).to_have_count(0)
    stage.page.locator(".record", has_text="<img").get_by_role("link").click()
    expect(stage.inspector.locator(".payload")).to_have_text(HOSTILE[0])
    assert stage.page.evaluate("() => window.harmed") is None


def test_names_of_groups_and_consumers_may_hold_any_printable_text(stage: Stage) -> None:
    stage.open().at_speed(16)
    group, consumer = "<b>&\"'$__proto__", "constructor"
    stage.command("add_group", group=group)
    stage.command("add_consumer", group=group, consumer=consumer)
    stage.settled()
    expect(stage.group(group).locator(".group-name")).to_have_text(f"{group} group")
    expect(stage.owner(0, group)).to_have_attribute("data-consumer", consumer)
    stage.press(consumer, "Stop", group)
    expect(stage.consumer(consumer, group)).to_have_attribute("data-state", "closed")
    stage.open()
    expect(stage.group(group)).to_be_visible()


HEBREW = "\u05e9\u05dc\u05d5\u05dd"


def test_right_to_left_text_keeps_its_direction_and_does_not_reverse_its_surroundings(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.send_keyed(f"{HEBREW} key", f"{HEBREW} /home")
    stage.has_announced(f"The key \u2068{HEBREW} key\u2069 hashes to p")
    expect(stage.fact("events-appended")).to_have_text("13")
    stage.settled()
    cell = stage.page.locator(".record", has_text=HEBREW)
    expect(cell.locator(".cell-word")).to_have_css("unicode-bidi", "plaintext")
    expect(stage.page.locator('.record[data-flushed="false"]')).to_have_count(0)
    cell.get_by_role("link").click()
    expect(stage.inspector.locator(".payload")).to_have_css("direction", "rtl")
    expect(stage.page.get_by_label("Partition key")).to_have_css("direction", "rtl")


def test_a_right_to_left_name_does_not_reverse_its_sentence(stage: Stage) -> None:
    group = f"{HEBREW} 45 abc"
    stage.open().at_speed(16)
    for details in ("Lag and throughput over time", "The same as a table"):
        stage.page.get_by_text(details).click()
    stage.command("add_group", group=group)
    stage.command("add_consumer", group=group, consumer=HEBREW)
    stage.press(HEBREW, "Pause", group)
    expect(stage.narration).to_contain_text(f"\u2068{HEBREW}\u2069 is paused")
    expect(stage.page.locator(".u-legend").last).to_contain_text(f"consumed by \u2068{group}\u2069")
    for selector in (".facts-table th", ".node-name"):
        expect(stage.page.locator(selector, has_text=HEBREW).first).to_have_css("unicode-bidi", "plaintext")


def test_text_that_is_clipped_on_the_stage_is_complete_in_the_inspector(stage: Stage) -> None:
    stage.open().at_speed(16)
    value = "/" + "long \U0001f4d6 " * 180
    stage.send_keyed("someone", value)
    expect(stage.fact("events-appended")).to_have_text("13")
    stage.settled()
    expect(stage.page.locator('.record[data-flushed="false"]')).to_have_count(0)
    stage.page.locator(".record", has_text="/long").get_by_role("link").click()
    expect(stage.inspector.locator(".payload")).to_have_text(value)
    assert stage.page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


OUTSIDE = """(nodes) => nodes.filter((node) => {
    const [own, rows] = [node, node.closest(".bookmark-rows")].map((one) => one.getBoundingClientRect());
    return own.left < rows.left || own.right > rows.right + 0.5;
}).map((node) => node.textContent)"""


def test_on_a_phone_long_names_are_clipped_inside_the_tape(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 360, "height": 844})
    stage.open().at_speed(16)
    group, consumer = "G" * 60, "c" * 60
    stage.command("add_group", group=group)
    stage.command("add_consumer", group=group, consumer=consumer)
    stage.settled()
    owner, name = stage.owner(0, group), stage.rows(0).last.locator(".row-name")
    expect(owner).to_have_attribute("title", consumer)
    expect(name).to_have_attribute("title", group)
    assert stage.page.locator(".bookmark-row :is(.owner, .row-name)").evaluate_all(OUTSIDE) == []
    one, other = name.bounding_box(), owner.bounding_box()
    assert one
    assert other
    assert one["x"] + one["width"] <= other["x"], "they are beside each other"
    assert stage.page.evaluate("() => document.documentElement.scrollWidth") <= 360
