"""The stage on a touch screen: everything can be reached, and nothing needs a mouse that hovers."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, CDPSession, Locator, Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import METRICS, Stage

SMALL = """(least) => [...document.querySelectorAll(
    "button, a[href], select, input:not([type=hidden]), summary, [role=slider]")]
    .filter((node) => node.checkVisibility({visibilityProperty: true}) && !node.closest(".article, .unseen"))
    .filter((node) => !node.closest(".skip, .record") && !node.disabled)
    .map((node) => ({node, box: node.getBoundingClientRect()}))
    .filter(({box}) => box.width < least - 0.5 || box.height < least - 0.5)
    .map(({node, box}) => `${node.outerHTML.slice(0, 80)} ${box.width.toFixed(1)} x ${box.height.toFixed(1)}`)"""


@pytest.fixture
def touch(browser: Browser, server: ServerProcess) -> Iterator[Stage]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    yield Stage(page, server.base_url)
    context.close()


class Finger:
    """One finger on the screen, through the browser's own protocol."""

    def __init__(self, page: Page) -> None:
        self.session: CDPSession = page.context.new_cdp_session(page)

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self._send("touchStart", start)
        for part in range(1, 7):
            self._send(
                "touchMove", (start[0] + (end[0] - start[0]) * part / 6, start[1] + (end[1] - start[1]) * part / 6)
            )
        self.session.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    def _send(self, kind: str, at: tuple[float, float]) -> None:
        self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at[0], "y": at[1]}]})


def middle(locator: Locator) -> tuple[float, float]:
    locator.evaluate("(node) => node.scrollIntoView({block: 'center'})")
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_bookmark_is_dragged_with_a_finger(touch: Stage) -> None:
    touch.open().pause_time()
    flag = middle(touch.bookmark(1))
    target = touch.record(1, 564).bounding_box()
    assert target
    scrolled = touch.page.evaluate("() => scrollY")
    Finger(touch.page).drag(flag, (target["x"] + 2, flag[1] + 40))
    expect(touch.outcome).to_have_attribute("data-command", "seek")
    touch.step_until(touch.bookmark_at(1, 564))
    assert touch.page.evaluate("() => scrollY") == scrolled, "the page does not scroll under the finger"


def test_the_time_bar_is_scrubbed_with_a_finger(touch: Stage) -> None:
    touch.open().at_speed(16)
    touch.batch_send.tap()
    expect(touch.fact("events-appended")).to_have_text("15")
    touch.pause.tap()
    touch.settled()
    slider = touch.scrub.bounding_box()
    assert slider
    y = slider["y"] + slider["height"] / 2
    Finger(touch.page).drag((slider["x"] + slider["width"] - 10, y), (slider["x"] + 4, y))
    expect(touch.root).to_have_attribute("data-view", "past")
    expect(touch.fact("events-appended")).to_have_text("12")
    touch.live.tap()
    expect(touch.fact("events-appended")).to_have_text("15")


def test_a_tap_on_a_message_shows_its_bytes(touch: Stage) -> None:
    touch.open()
    touch.record(0, 215).get_by_role("link").tap()
    expect(touch.inspector).to_contain_text("p0 at offset 215")
    touch.inspector.get_by_role("button", name="close the inspector").tap()
    expect(touch.inspector).to_be_hidden()


def test_consumers_and_brokers_are_controlled_with_taps(touch: Stage) -> None:
    touch.open().at_speed(16)
    touch.consumer("Metrics B").get_by_role("button", name="Crash").tap()
    expect(touch.consumer("Metrics B")).to_have_attribute("data-state", "gone")
    touch.group(METRICS).get_by_role("button", name="consumer").tap()
    expect(touch.consumer("Metrics D")).to_have_attribute("data-state", "running")
    touch.broker(2).get_by_role("button", name="Crash").tap()
    expect(touch.broker(2)).to_have_attribute("data-alive", "false")


def test_main_controls_are_large_enough_for_a_finger(touch: Stage) -> None:
    touch.open()
    assert touch.page.evaluate(SMALL, 24) == []
    touch.more.tap()
    assert touch.page.evaluate(SMALL, 24) == []
    always = (touch.batch_send, touch.pause, touch.step, touch.step_back, touch.scrub, touch.live, touch.more)
    for control in (*always, touch.speed, touch.fork, touch.copy_link):
        box = control.bounding_box()
        assert box
        assert box["height"] >= 43.5
        assert box["width"] >= 43.5


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_phone_the_time_controls_leave_room_for_the_tapes(touch: Stage, width: int) -> None:
    touch.page.set_viewport_size({"width": width, "height": 844})
    touch.open()
    bar, scrub = touch.time_bar.bounding_box(), touch.scrub.bounding_box()
    assert bar
    assert scrub
    assert bar["height"] < 844 * 0.2
    assert scrub["width"] > width * 0.6
    assert touch.page.evaluate("() => document.documentElement.scrollWidth") == width
    row = [touch.step_back, touch.pause, touch.step, touch.now, touch.live, touch.more]
    boxes = [control.bounding_box() or {} for control in row]
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"], "in one row, and not over each other"
        assert right["x"] + right["width"] <= width


def test_on_a_tablet_the_time_bar_is_long_enough_for_a_finger(touch: Stage) -> None:
    touch.page.set_viewport_size({"width": 768, "height": 1024})
    touch.open()
    scrub = touch.scrub.bounding_box()
    assert scrub
    assert scrub["width"] > 768 * 0.6
    for control in (touch.pause, touch.live, touch.speed, touch.fork, touch.copy_link):
        box = control.bounding_box()
        assert box
        assert box["y"] >= scrub["y"] + scrub["height"] - 1
        assert box["x"] + box["width"] <= 768


def test_on_a_phone_in_landscape_the_time_controls_are_one_row(touch: Stage) -> None:
    touch.page.set_viewport_size({"width": 844, "height": 390})
    touch.open()
    bar = touch.time_bar.bounding_box()
    assert bar
    assert bar["height"] < 390 * 0.28


def test_rarely_used_controls_are_folded_away_and_reachable_with_the_keyboard(touch: Stage) -> None:
    touch.open()
    expect(touch.speed).to_be_hidden()
    touch.more.press("Enter")
    expect(touch.more).to_have_attribute("aria-expanded", "true")
    touch.page.keyboard.press("Tab")
    expect(touch.speed).to_be_focused()
    touch.speed.select_option("4")
    for _ in range(3):
        touch.page.keyboard.press("Tab")
    expect(touch.page.get_by_role("button", name="reset")).to_be_focused()
    touch.page.keyboard.press("Escape")
    expect(touch.speed).to_be_hidden()
    expect(touch.more).to_be_focused()
    touch.more.tap()
    touch.page.get_by_role("button", name="keys").tap()
    expect(touch.page.get_by_role("dialog", name="Keys")).to_be_visible()
    touch.page.keyboard.press("Escape")
    touch.fact("topic").tap()
    expect(touch.speed).to_be_hidden()
    assert touch.facts()["clock"]["speed"] == 4.0


def test_two_quick_taps_act_twice_and_do_not_zoom(touch: Stage) -> None:
    touch.open().at_speed(16)
    x, y = middle(touch.batch_send)
    touch.page.touchscreen.tap(x, y)
    touch.page.touchscreen.tap(x, y)
    expect(touch.fact("events-appended")).to_have_text("18")
    assert touch.page.evaluate("() => visualViewport.scale") == 1


def test_every_title_has_its_text_elsewhere_too(touch: Stage) -> None:
    """A title is visible only under a mouse: an element with a title has text or an accessible name too."""
    touch.open()
    hidden = touch.page.evaluate("""() => [...document.querySelectorAll("[data-stage] [title]:not([title=''])")]
        .filter((node) => node.checkVisibility() && !node.textContent.trim() && !node.getAttribute("aria-label"))
        .map((node) => node.outerHTML)""")
    assert hidden == []


def test_on_a_phone_the_inspector_ends_above_the_time_controls(stage: Stage) -> None:
    stage.page.set_viewport_size({"width": 390, "height": 844})
    stage.open("/?theme=projector")
    stage.page.locator('[data-part="producer"] [data-panel][href$="/producer"]').click()
    apply = stage.inspector.get_by_role("button", name="Apply")
    apply.scroll_into_view_if_needed()
    apply.click(trial=True)
