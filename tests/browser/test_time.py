"""Play, pause, step, speed, reset, and the past."""

from playwright.sync_api import Browser, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import Stage

LABELLED = """() => document.querySelector('.flight[data-kind="batch"] .flight-label')?.textContent"""


def test_space_plays_and_pauses(stage: Stage) -> None:
    stage.open()
    stage.page.locator("body").press("Space")
    expect(stage.root).to_have_attribute("data-running", "true")
    expect(stage.pause).to_have_accessible_name("pause")
    stage.page.locator("body").press("Space")
    expect(stage.root).to_have_attribute("data-running", "false")
    expect(stage.pause).to_have_accessible_name("play")


def test_a_pause_freezes_what_is_in_flight(stage: Stage) -> None:
    stage.open().at_speed(0.25)
    stage.batch_send.click()
    stage.page.wait_for_function(LABELLED)
    stage.command("clock", action="pause")
    stage.settled()
    frozen = stage.flights("batch").evaluate("(node) => node.style.transform")
    expect(stage.flights("batch").locator(".flight-detail")).to_have_css("display", "block")
    seconds = stage.seconds()
    stage.page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
    assert stage.flights("batch").evaluate("(node) => node.style.transform") == frozen
    assert stage.seconds() == seconds


def test_a_step_goes_to_the_next_event_and_pauses(stage: Stage) -> None:
    stage.open()
    stage.page.locator("body").press(".")
    stage.settled()
    first = stage.facts()["clock"]
    assert first["now_us"] > 0
    stage.step.click()
    stage.settled()
    second = stage.facts()["clock"]
    assert second["now_us"] > first["now_us"]
    expect(stage.root).to_have_attribute("data-running", "false")
    assert stage.seconds() == round(second["now_us"] / 1e6, 1)


def test_the_speed_can_be_chosen(stage: Stage) -> None:
    stage.open()
    stage.speed.select_option("4")
    stage.settled()
    assert stage.facts()["clock"]["speed"] == 4.0
    assert stage.facts()["clock"]["standing"] is True


def test_a_reset_returns_to_the_default_state(stage: Stage) -> None:
    stage.open().at_speed(8)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.page.get_by_role("button", name="reset").click()
    expect(stage.fact("events-appended")).to_have_text("12")
    stage.settled()
    assert stage.offsets(0) == [0, 215, 430, 645]
    expect(stage.bookmark(0)).to_have_attribute("data-offset", "215")


def test_stepping_back_shows_the_past_and_live_returns(stage: Stage) -> None:
    stage.open().pause_time()
    stage.batch_send.click()
    stage.step_until(stage.record(0, 860))
    expect(stage.fact("events-appended")).to_have_text("15")
    while stage.fact("events-appended").inner_text() == "15":
        stage.step_back.click()
        stage.settled()
    expect(stage.root).to_have_attribute("data-view", "past")
    expect(stage.record(0, 860)).to_have_count(0)
    assert stage.facts()["topics"][0]["events_appended"] == 15
    stage.live.click()
    expect(stage.root).to_have_attribute("data-view", "live")
    expect(stage.fact("events-appended")).to_have_text("15")
    expect(stage.record(0, 860)).to_be_attached()


def test_scrubbing_to_the_start_shows_the_default_state_again(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.focus(stage.scrub)
    stage.page.keyboard.press("Home")
    expect(stage.root).to_have_attribute("data-view", "past")
    expect(stage.fact("events-appended")).to_have_text("12")
    stage.page.locator("body").press("End")
    expect(stage.root).to_have_attribute("data-view", "live")
    expect(stage.fact("events-appended")).to_have_text("15")


def test_keys_do_not_act_while_text_is_typed(stage: Stage) -> None:
    stage.open()
    key = stage.page.get_by_label("Partition key")
    key.fill("")
    key.press_sequentially("a b.c?")
    expect(key).to_have_value("a b.c?")
    expect(stage.root).to_have_attribute("data-standing", "true")
    expect(stage.page.locator("#help")).to_be_hidden()


def test_a_question_mark_lists_the_keys(stage: Stage) -> None:
    stage.open()
    stage.page.keyboard.press("?")
    expect(stage.page.get_by_role("dialog", name="Keys")).to_be_visible()
    stage.page.keyboard.press("Escape")
    expect(stage.page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_a_reload_returns_to_the_same_room(stage: Stage) -> None:
    stage.open().at_speed(16)
    room = stage.room
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.open()
    assert stage.room == room
    expect(stage.fact("events-appended")).to_have_text("15")


def test_every_visitor_has_a_room_of_their_own(stage: Stage, browser: Browser, server: ServerProcess) -> None:
    stage.open()
    context = browser.new_context()
    other = Stage(context.new_page(), server.base_url).open()
    assert other.room != stage.room
    other.page.goto(f"{server.base_url}/rooms/{stage.room}")
    expect(other.root).to_have_attribute("data-presenter", "false")
    expect(other.batch_send).to_be_hidden()
    context.close()


def test_a_spectator_sees_what_the_presenter_does(stage: Stage, browser: Browser, server: ServerProcess) -> None:
    stage.open().at_speed(16)
    context = browser.new_context()
    other = Stage(context.new_page(), server.base_url).open(f"/rooms/{stage.room}")
    stage.batch_send.click()
    expect(other.fact("events-appended")).to_have_text("15")
    context.close()


def test_focusing_a_time_control_does_not_scroll_the_page(stage: Stage) -> None:
    stage.open()
    stage.scrub.evaluate("(slider) => { slider.disabled = false; slider.focus(); }")
    assert stage.page.evaluate("() => window.scrollY") == 0


def test_a_jump_into_the_past_animates_no_change(stage: Stage) -> None:
    moving = "() => document.getAnimations().map(({effect}) => effect.target.className)"
    stage.open().at_speed(4)
    offsets = stage.registry.locator(".node-value", has_text="215")
    expect(offsets).not_to_have_count(0)
    stage.command("produce", count=60)
    stage.page.wait_for_function(f"() => ({moving})().some((name) => name.includes('node-value'))")
    expect(offsets).to_have_count(0)
    stage.command("clock", action="pause")
    stage.page.wait_for_function(f"() => ({moving})().length === 0")
    now_us = stage.facts()["clock"]["now_us"]
    for at_us in (0, now_us - 1_000, 0):
        stage.scrub_to(at_us)
        assert stage.page.evaluate(moving) == []
    expect(offsets).not_to_have_count(0)
