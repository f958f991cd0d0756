"""Everything can be done without a mouse, the focus is never lost, and the list of keys is correct."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, WAREHOUSE, Stage

# Presses every key at one place, as an event that only the page handles, and returns those that acted.
TAKEN = """async ([selector, keys]) => {
    const place = selector === "body" ? document.body : document.querySelector(selector);
    const taken = [];
    for (const key of keys) {
        if (place.focus && selector !== "body") place.focus();
        const event = new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true});
        place.dispatchEvent(event);
        if (event.defaultPrevented) taken.push(key);
        for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
        place.dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true, cancelable: true}));
    }
    return taken;
}"""

ALL_KEYS = [*"abcdefghijklmnopqrstuvwxyz0123456789 .,<>?!/-+*#", "Enter", "Escape", "Home", "End", "PageUp", "PageDown"]
ALL_KEYS += ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown", "Delete", "Insert", "Backspace"]
ALL_KEYS += [f"F{number}" for number in range(1, 13)]
# The places of the focus, with the keys that the browser itself handles there.
PLACES = {
    "page": ("body", {"Escape"}),
    "message": ('[data-testid="record-pageviews-1@188"] .cell', {"Enter"}),
    "bookmark": ('[data-testid="bookmark-Real-time metrics-pageviews-1"]', {"Enter", "Escape"}),
    "consumer": ('[data-testid="consumer-Real-time metrics-Metrics B"] .consumer-actions button', {"Enter", " "}),
    "time": ('[data-testid="control-scrub"]', set()),
}


def key_map(stage: Stage) -> dict[str, Any]:
    address = f"{stage.base_url}/static/js/ui/key_map.js"
    found: dict[str, Any] = stage.page.evaluate("async (address) => (await import(address)).KEY_MAP", address)
    return found


@pytest.mark.parametrize("place", PLACES)
def test_the_list_of_keys_matches_the_keys_that_act(stage: Stage, place: str) -> None:
    stage.open()
    stage.page.route("**/controls/fork", lambda route: route.abort())  # a fork would open another page
    selector, by_the_browser = PLACES[place]
    listed = {key for meaning in key_map(stage)[place]["meanings"] for key in meaning["keys"]}
    everywhere = {key for meaning in key_map(stage)["page"]["meanings"] for key in meaning["keys"]}
    taken = set(stage.page.evaluate(TAKEN, [selector, ALL_KEYS]))
    assert listed - by_the_browser <= taken, "a key that is listed does nothing"
    assert taken <= listed | everywhere, "a key that does something is not listed"


def test_a_question_mark_shows_the_complete_list_of_keys(stage: Stage) -> None:
    stage.open()
    stage.page.keyboard.press("?")
    shown = stage.page.locator("#help")
    for place in key_map(stage).values():
        expect(shown).to_contain_text(place["title"])
        for meaning in place["meanings"]:
            expect(shown.get_by_text(meaning["words"], exact=True).first).to_be_visible()
    stage.page.keyboard.press("ArrowRight")
    expect(stage.root).to_have_attribute("data-standing", "true")
    stage.page.keyboard.press("Escape")
    expect(shown).to_be_hidden()


@pytest.fixture
def forgetful(stage: Stage) -> Iterator[Stage]:
    """A stage whose local storage is cleared after the test."""
    yield stage
    stage.page.evaluate("() => localStorage.clear()")


def test_character_keys_can_be_switched_off_and_the_choice_is_remembered(forgetful: Stage) -> None:
    stage = forgetful.open()
    selector, _ = PLACES["page"]
    expect(stage.pause).to_have_attribute("aria-keyshortcuts", "Space")
    stage.page.keyboard.press("?")
    stage.character_keys.press("Space")
    stage.page.keyboard.press("Escape")
    stage.open()
    taken = set(stage.page.evaluate(TAKEN, [selector, ALL_KEYS]))
    assert taken == {"ArrowLeft", "ArrowRight", "End", "F6"}
    expect(stage.pause).not_to_have_attribute("aria-keyshortcuts", "Space")
    expect(stage.fork).to_have_attribute("title", "fork here: a new room that begins at this moment")
    stage.page.get_by_role("button", name="keys").click()
    expect(stage.character_keys).not_to_be_checked()
    note = stage.page.get_by_text("does not let the page store settings")
    expect(note).to_be_hidden()
    stage.page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('no room'); }; }")
    stage.character_keys.check()
    expect(note).to_be_visible()
    stage.page.keyboard.press("Escape")
    stage.page.keyboard.press("?")
    expect(stage.page.get_by_role("dialog", name="Keys")).to_be_visible()
    expect(stage.fork).to_have_attribute("title", "fork here: a new room that begins at this moment (f)")


def test_arrow_keys_move_between_messages_and_partitions(stage: Stage) -> None:
    stage.open()
    stage.focus(stage.record(0, 645).get_by_role("link"))
    for key, partition, offset in (
        ("Home", 0, 0),
        ("ArrowRight", 0, 215),
        ("ArrowDown", 1, 188),
        ("End", 1, 564),
        ("ArrowDown", 2, 612),
        ("ArrowDown", 2, 612),
        ("ArrowUp", 1, 564),
        ("ArrowLeft", 1, 376),
    ):
        stage.page.keyboard.press(key)
        expect(stage.record(partition, offset).get_by_role("link")).to_be_focused()
    stage.page.keyboard.press("Enter")
    expect(stage.inspector).to_contain_text("p1 at offset 376")


def test_a_group_is_one_tab_stop_and_arrow_keys_move_between_its_consumers(stage: Stage) -> None:
    stage.open()
    stops = stage.page.locator('.consumer-actions [tabindex="0"]')
    expect(stops).to_have_count(2)
    stage.focus(stage.consumer("Metrics A").get_by_role("button", name="Stop"))
    for key, consumer, name in (
        ("ArrowRight", "Metrics A", "Crash"),
        ("ArrowDown", "Metrics B", "Crash"),
        ("End", "Metrics B", "Settings"),
        ("ArrowDown", "Metrics C", "Settings"),
        ("ArrowDown", "Loader A", "Settings"),
        ("Home", "Loader A", "Stop"),
    ):
        stage.page.keyboard.press(key)
        group = WAREHOUSE if consumer == "Loader A" else METRICS
        card = stage.consumer(consumer, group)
        expect(card.get_by_role("link" if name == "Settings" else "button", name=name)).to_be_focused()
    expect(stops).to_have_count(2)
    stage.page.keyboard.press("Shift+Tab")
    stage.page.keyboard.press("Tab")
    expect(stage.consumer("Loader A", WAREHOUSE).get_by_role("button", name="Stop")).to_be_focused()


def test_f6_moves_through_the_parts_of_the_page_and_back(stage: Stage) -> None:
    stage.open()
    part_with_focus = """() => document.activeElement.closest(
        '[data-part=producer], [data-part=brokers], [data-part=groups], [data-part=time-bar]').dataset.part"""
    order = []
    for key in ["F6"] * 5 + ["Shift+F6"] * 2:
        stage.page.keyboard.press(key)
        order.append(stage.page.evaluate(part_with_focus))
    assert order == ["producer", "brokers", "groups", "time-bar", "producer", "time-bar", "groups"]


def test_escape_closes_the_inspector_from_anywhere_and_restores_the_focus(stage: Stage) -> None:
    stage.open()
    settings = stage.consumer("Metrics A").get_by_role("link", name="Settings")
    stage.focus(settings)
    stage.page.keyboard.press("Enter")
    field = stage.inspector.get_by_label("bytes per pull")
    stage.focus(field)
    stage.page.keyboard.press("Escape")
    expect(stage.inspector).to_be_hidden()
    expect(settings).to_be_focused()


def test_the_focus_moves_to_the_nearest_control_when_its_own_is_hidden(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.focus(stage.broker(2).get_by_role("button", name="Crash"))
    stage.page.keyboard.press("Enter")
    expect(stage.broker(2).get_by_role("button", name="Start")).to_be_focused()
    stage.page.keyboard.press("Enter")
    expect(stage.broker(2)).to_have_attribute("data-alive", "true")
    expect(stage.broker(2).get_by_role("button", name="Crash")).to_be_focused()


def test_the_focus_moves_to_the_control_that_replaces_its_own(stage: Stage) -> None:
    """From Pause to Resume, and not to Crash, which is as near: Enter twice would crash the consumer."""
    stage.open().at_speed(16)
    card = stage.consumer("Metrics B")
    for verb, next_verb in (("Pause", "Resume"), ("Resume", "Pause")):
        stage.focus(card.get_by_role("button", name=verb))
        stage.page.keyboard.press("Enter")
        expect(card.get_by_role("button", name=next_verb)).to_be_focused()


def test_the_focus_moves_to_the_next_consumer_when_one_is_removed(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.press("Metrics B", "Stop")
    expect(stage.consumer("Metrics B")).to_have_attribute("data-state", "closed")
    stage.settled()  # while the others rebalance, they accept no commands
    stage.focus(stage.consumer("Metrics B").get_by_role("button", name="Remove"))
    stage.page.keyboard.press("Enter")
    expect(stage.consumer("Metrics B")).to_have_count(0)
    expect(stage.group(METRICS).locator(".consumer-actions :focus")).to_have_count(1)


def test_the_focus_stays_among_the_time_controls_when_one_is_disabled(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.settled()
    stage.pause.click()
    stage.step_back.click()
    stage.focus(stage.live)
    stage.page.keyboard.press("Enter")
    expect(stage.live).to_be_disabled()
    expect(stage.page.locator('[data-part="time-bar"] :focus')).to_have_count(1)


def test_the_focus_stays_on_a_tape_when_its_oldest_messages_leave_the_window(stage: Stage) -> None:
    stage.open().at_speed(16)
    many = [{"key": "user-17", "value": f"/{number}"} for number in range(70)]
    stage.command("produce", records=many)
    expect(stage.fact("events-appended")).to_have_text("82")
    stage.settled()  # the messages that slid out of view have been removed
    landed = next(partition for partition in range(3) if len(stage.offsets(partition)) > 4)
    oldest = stage.offsets(landed)[0]
    stage.focus(stage.record(landed, oldest).get_by_role("link"))
    stage.command("produce", records=many[:20])
    expect(stage.record(landed, oldest)).to_have_count(0)
    expect(stage.partition(landed).locator(".records :focus")).to_have_count(1)


def test_space_pauses_time_wherever_the_focus_is(stage: Stage) -> None:
    stage.open().resume_time()
    for place, paused in ((stage.record(0, 645).get_by_role("link"), "true"), (stage.bookmark(1), "false")):
        stage.focus(place)
        stage.page.keyboard.press("Space")
        expect(stage.root).to_have_attribute("data-paused", paused)
    assert stage.page.evaluate("() => window.scrollY") == 0
