"""The whole life of a room: scrubbing it, its marks, playing it again, and acting while one looks at it."""

from playwright.sync_api import Browser, Route, expect

from tests.browser.pages.lives import api, mark_us
from tests.browser.pages.stage import Stage

# --- scrubbing ------------------------------------------------------------------------------------------------------


def test_the_bar_spans_the_life_of_the_room_whatever_this_browser_has_read(lived: Stage) -> None:
    now_us = lived.facts()["clock"]["now_us"]
    expect(lived.scrub).to_have_attribute("min", "0")
    assert int(lived.scrub.get_attribute("max") or 0) == -(-now_us // 1_000)
    lived.scrub_to(0)
    expect(lived.root).to_have_attribute("data-view", "past")
    expect(lived.fact("events-appended")).to_have_text("12")
    lived.scrub_to(mark_us(lived, "broker_crashed") + 1_000)
    expect(lived.broker(2)).to_have_attribute("data-alive", "false")
    expect(lived.broker(2)).to_be_visible()


def test_what_is_said_belongs_to_the_moment_that_is_looked_at(lived: Stage) -> None:
    crash_us, end_us = mark_us(lived, "broker_crashed"), lived.facts()["clock"]["now_us"]
    places = (end_us - 1_000, crash_us + 1_000, crash_us // 2_000 * 1_000, 0)
    there: dict[int, str] = {}
    for at_us in places:
        lived.scrub_to(at_us)
        there[at_us] = lived.narration.inner_text()
    assert there[crash_us + 1_000] == "Broker 2 crashed: its partitions cannot be read or written."
    assert len(set(there.values())) > 2
    for at_us in reversed(places):
        lived.scrub_to(at_us)
        assert lived.narration.inner_text() == there[at_us]
    lived.live.click()
    lived.settled()
    lately = lived.narration.inner_text()
    lived.scrub_to(0)
    lived.live.click()
    lived.settled()
    assert lived.narration.inner_text() == lately != ""


def test_a_drag_with_the_mouse_looks_at_that_moment(lived: Stage) -> None:
    box = lived.scrub.bounding_box()
    assert box
    lived.page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    lived.page.mouse.down()
    lived.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    lived.page.mouse.up()
    lived.settled()
    middle_s = lived.facts()["clock"]["now_us"] / 2e6
    assert abs(lived.seconds() - middle_s) < 0.3
    expect(lived.root).to_have_attribute("data-view", "past")


def test_arrow_keys_on_the_bar_go_a_second(lived: Stage) -> None:
    lived.focus(lived.scrub)
    lived.page.keyboard.press("ArrowLeft")
    lived.page.keyboard.press("ArrowLeft")
    lived.settled()
    assert lived.seconds() == round(lived.facts()["clock"]["now_us"] / 1e6 - 2, 1)
    for _ in range(3):
        lived.page.keyboard.press("ArrowRight")
    expect(lived.root).to_have_attribute("data-view", "live")


def test_a_finger_on_the_bar_looks_at_that_moment(lived: Stage, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Stage(context.new_page(), lived.base_url).open(f"/rooms/{lived.room}")
    box = phone.scrub.bounding_box()
    assert box
    assert box["width"] > 200
    assert box["height"] >= 36
    phone.page.touchscreen.tap(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    expect(phone.root).to_have_attribute("data-view", "past")
    phone.settled()
    assert abs(phone.seconds() - lived.facts()["clock"]["now_us"] / 4e6) < 0.4
    phone.live.tap()
    expect(phone.root).to_have_attribute("data-view", "live")
    context.close()


def test_stepping_goes_back_and_forth_through_every_instant(lived: Stage) -> None:
    events = api(lived, "/journal", at_us=lived.facts()["clock"]["now_us"])["events"]
    times = sorted({event["at_us"] for event in events})
    for at_us in times[-2:-6:-1]:
        lived.page.keyboard.press(",")
        lived.settled()
        expect(lived.scrub).to_have_value(str(round(at_us / 1_000)))
    for at_us in times[-4:-1]:
        lived.page.keyboard.press(".")
        lived.settled()
        expect(lived.scrub).to_have_value(str(round(at_us / 1_000)))
    lived.page.keyboard.press(".")
    lived.page.keyboard.press(".")
    expect(lived.root).to_have_attribute("data-view", "live")


def test_stepping_leads_back_over_a_reset(lived: Stage) -> None:
    now_us = lived.facts()["clock"]["now_us"]
    lived.command("reset")
    lived.settled()
    expect(lived.scrub).to_have_attribute("min", str(now_us // 1_000))
    lived.step_back.click()
    lived.settled()
    expect(lived.fact("events-appended")).to_have_text("15")
    expect(lived.scrub).to_have_attribute("min", "0")
    lived.page.keyboard.press(".")
    lived.settled()
    expect(lived.fact("events-appended")).to_have_text("12")


def test_until_the_journal_has_been_read_the_page_says_so(lived: Stage) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    lived.page.route("**/journal?*", hold)
    lived.scrub.evaluate("(input) => { input.value = 2000; input.dispatchEvent(new Event('input')); }")
    while not held:
        lived.page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(lived.root).to_have_attribute("data-reading", "true")
    expect(lived.page.locator('[data-part="reading"]')).to_have_text("reading the journal")
    expect(lived.fact("events-appended")).to_have_text("15")
    held[0].continue_()
    lived.page.unroute("**/journal?*")
    expect(lived.root).to_have_attribute("data-reading", "false")
    lived.settled()
    assert lived.seconds() == 2.0


def test_that_the_journal_cannot_be_read_is_said_until_it_is_tried_again(lived: Stage) -> None:
    def refuse(route: Route) -> None:
        route.abort()

    lived.page.route("**/journal?*", refuse)
    reading = lived.page.locator('[data-part="reading"]')
    lived.page.evaluate("""() => {
        window.toldOfReading = [];
        const place = document.querySelector('[data-part="reading"]');
        const note = () => window.toldOfReading.push(`${Math.round(performance.now())} ${place.textContent}`);
        new MutationObserver(note).observe(place, {childList: true});
    }""")
    lived.scrub.evaluate("(input) => { input.value = 2000; input.dispatchEvent(new Event('input')); }")
    expect(reading).to_contain_text("the past cannot be read just now")
    expect(lived.root).to_have_attribute("data-reading", "false")
    lived.page.unroute("**/journal?*")
    lived.settled()
    assert lived.seconds() == 2.0
    expect(reading).to_have_text("")
    said = [(int(one.split(" ")[0]), one.partition(" ")[2]) for one in lived.page.evaluate("window.toldOfReading")]
    told_ms = next(at_ms for at_ms, words in said if words.startswith("the past cannot"))
    soon = [words for at_ms, words in said if told_ms < at_ms < told_ms + 1_500]  # it is tried again after two seconds
    assert "reading the journal" not in soon


# --- marks ----------------------------------------------------------------------------------------------------------


def test_keys_lead_from_one_notable_event_to_the_next(lived: Stage) -> None:
    expect(lived.marks.first).to_be_attached()
    times = {kind: mark_us(lived, kind) for kind in ("broker_crashed", "broker_started")}
    while lived.mark_label.is_hidden() or "broker 2 crashed" not in lived.mark_label.inner_text():
        lived.page.keyboard.press("p")
        lived.settled()
    expect(lived.mark_label).to_have_text(f"broker 2 crashed · {times['broker_crashed'] // 100_000 / 10:.1f} s")
    expect(lived.broker(2)).to_have_attribute("data-alive", "false")
    expect(lived.narration).to_have_text("Broker 2 crashed: its partitions cannot be read or written.")
    assert "broker 2 crashed" in (lived.scrub.get_attribute("aria-valuetext") or "")
    while "broker 2 came back" not in (lived.scrub.get_attribute("aria-valuetext") or ""):
        lived.next_mark.click()
        lived.settled()
    expect(lived.broker(2)).to_have_attribute("data-alive", "true")


def test_what_happens_now_gets_its_mark(stage: Stage) -> None:
    stage.open().at_speed(4)
    stage.press("Metrics B", "Crash")
    expect(stage.page.locator('.mark[data-family="trouble"]')).not_to_have_count(0)
    expect(stage.page.locator('.mark[data-family="sharing"]')).not_to_have_count(0, timeout=20_000)


def test_a_mark_under_the_pointer_is_named(lived: Stage) -> None:
    expect(lived.marks.first).to_be_attached()
    box = lived.scrub.bounding_box()
    crash = lived.page.locator('.mark[data-family="trouble"]').first.bounding_box()
    assert box
    assert crash
    lived.page.mouse.move(crash["x"] + 1, box["y"] + box["height"] / 2)
    expect(lived.mark_label).to_contain_text("broker 2 crashed")
    expect(lived.page.locator(".mark[data-named]")).to_have_count(1)
    expect(lived.root).to_have_attribute("data-view", "live")
    lived.page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    expect(lived.mark_label).to_contain_text("begins")
    label, narration = lived.mark_label.bounding_box(), lived.narration.bounding_box()
    assert label
    assert narration
    assert narration["x"] + narration["width"] <= label["x"], "what is said stays readable"


# --- playing the past -----------------------------------------------------------------------------------------------

NOTE_THAT_IT_RUNS = """() => {
    const stage = document.querySelector("[data-stage]");
    new MutationObserver(() => { window.ran ||= stage.dataset.running === "true" && stage.dataset.view === "past"; })
        .observe(stage, {attributes: true});
}"""


def test_the_past_is_played_at_its_own_speed_until_it_is_the_present(lived: Stage) -> None:
    lived.scrub_to(1_000_000)
    lived.page.keyboard.press(">")
    expect(lived.speed).to_have_value("2")
    assert lived.facts()["clock"]["speed"] == 1.0, "the room's own speed is not touched"
    lived.page.evaluate(NOTE_THAT_IT_RUNS)
    lived.pause.click()
    expect(lived.root).to_have_attribute("data-view", "live")
    assert lived.page.evaluate("() => window.ran"), "it did not leap there"
    expect(lived.speed).to_have_value("1")
    assert lived.facts()["clock"]["paused"] is True


def test_a_moment_of_the_past_is_frozen_with_what_was_in_flight(lived: Stage) -> None:
    sent = next(one for one in api(lived, "/journal", at_us=0)["events"] if one["event"] == "batch_sent")
    lived.scrub_to((sent["at_us"] + 3 * sent["due_us"]) // 4_000 * 1_000)
    expect(lived.flights("batch")).to_have_count(1)
    expect(lived.flights("batch").locator(".flight-detail")).to_be_visible()
    place = lived.flights("batch").evaluate("(node) => node.style.transform")
    lived.page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
    assert lived.flights("batch").evaluate("(node) => node.style.transform") == place


def test_keys_change_the_speed_of_the_room_while_it_is_live(stage: Stage) -> None:
    stage.open()
    stage.page.keyboard.press(">")
    stage.settled()
    assert stage.facts()["clock"]["speed"] == 2.0
    for _ in range(9):
        stage.page.keyboard.press("<")
        stage.settled()
    assert stage.facts()["clock"]["speed"] == 0.1


# --- acting -----------------------------------------------------------------------------------------------------------

BACK = "You acted in the present, and the page is back there"


def test_an_act_goes_to_the_present_and_takes_the_page_there(lived: Stage) -> None:
    lived.scrub_to(1_000_000)
    expect(lived.root).to_have_attribute("data-view", "past")
    lived.broker(2).get_by_role("button", name="Crash").click()
    expect(lived.root).to_have_attribute("data-view", "live")
    lived.has_said(BACK)
    expect(lived.broker(2)).to_have_attribute("data-alive", "false")
    expect(lived.scrub).to_have_value(lived.scrub.get_attribute("max") or "")
    lived.step.click()
    expect(lived.narration).not_to_contain_text(BACK)

    lived.scrub_to(1_000_000)
    lived.drag_bookmark(2, 612)
    expect(lived.root).to_have_attribute("data-view", "live")
    expect(lived.outcome).to_have_attribute("data-command", "seek")
    expect(lived.outcome).to_have_attribute("data-ok", "true")

    lived.scrub_to(1_000_000)
    lived.page.get_by_label("Partition key").press("Enter")
    expect(lived.root).to_have_attribute("data-view", "live")


def test_a_refusal_is_shown_where_its_reason_is_and_the_controls_of_time_stay_in_the_past(lived: Stage) -> None:
    lived.command("stop_broker", broker=3)
    lived.scrub_to(1_000_000)
    lived.page.locator("body").press(">")
    lived.page.locator("body").press(".")
    lived.settled()
    expect(lived.root).to_have_attribute("data-view", "past")
    lived.broker(3).get_by_role("button", name="Crash").click()
    expect(lived.root).to_have_attribute("data-view", "live")
    expect(lived.outcome).to_have_attribute("data-ok", "false")
    expect(lived.broker(3)).to_have_attribute("data-alive", "false")
