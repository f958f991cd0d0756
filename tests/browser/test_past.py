"""The whole history of a room: scrubbing, its marks, playback, and commands while the past is shown."""

from playwright.sync_api import Browser, Route, expect

from tests.browser.pages.prepared_rooms import api, mark_us
from tests.browser.pages.stage import Stage

# --- scrubbing ------------------------------------------------------------------------------------------------------


def test_the_bar_spans_the_whole_history_of_the_room(recorded: Stage) -> None:
    now_us = recorded.facts()["clock"]["now_us"]
    expect(recorded.scrub).to_have_attribute("min", "0")
    assert int(recorded.scrub.get_attribute("max") or 0) == -(-now_us // 1_000)
    recorded.scrub_to(0)
    expect(recorded.root).to_have_attribute("data-view", "past")
    expect(recorded.fact("events-appended")).to_have_text("12")
    recorded.scrub_to(mark_us(recorded, "broker_crashed") + 1_000)
    expect(recorded.broker(2)).to_have_attribute("data-alive", "false")
    expect(recorded.broker(2)).to_be_visible()


def test_the_narration_belongs_to_the_displayed_moment(recorded: Stage) -> None:
    crash_us, end_us = mark_us(recorded, "broker_crashed"), recorded.facts()["clock"]["now_us"]
    places = (end_us - 1_000, crash_us + 1_000, crash_us // 2_000 * 1_000, 0)
    there: dict[int, str] = {}
    for at_us in places:
        recorded.scrub_to(at_us)
        there[at_us] = recorded.narration.inner_text()
    assert there[crash_us + 1_000] == "Broker 2 crashed: its partitions cannot be read or written."
    assert len(set(there.values())) > 2
    for at_us in reversed(places):
        recorded.scrub_to(at_us)
        assert recorded.narration.inner_text() == there[at_us]
    recorded.live.click()
    recorded.settled()
    lately = recorded.narration.inner_text()
    recorded.scrub_to(0)
    recorded.live.click()
    recorded.settled()
    assert recorded.narration.inner_text() == lately != ""


def test_dragging_on_the_bar_with_the_mouse_shows_that_moment(recorded: Stage) -> None:
    box = recorded.scrub.bounding_box()
    assert box
    recorded.page.mouse.move(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    recorded.page.mouse.down()
    recorded.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=5)
    recorded.page.mouse.up()
    recorded.settled()
    middle_s = recorded.facts()["clock"]["now_us"] / 2e6
    assert abs(recorded.seconds() - middle_s) < 0.3
    expect(recorded.root).to_have_attribute("data-view", "past")


def test_arrow_keys_on_the_bar_move_by_a_second(recorded: Stage) -> None:
    recorded.focus(recorded.scrub)
    recorded.page.keyboard.press("ArrowLeft")
    recorded.page.keyboard.press("ArrowLeft")
    recorded.settled()
    assert recorded.seconds() == round(recorded.facts()["clock"]["now_us"] / 1e6 - 2, 1)
    for _ in range(3):
        recorded.page.keyboard.press("ArrowRight")
    expect(recorded.root).to_have_attribute("data-view", "live")


def test_a_touch_on_the_bar_shows_that_moment(recorded: Stage, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = Stage(context.new_page(), recorded.base_url).open(f"/rooms/{recorded.room}")
    box = phone.scrub.bounding_box()
    assert box
    assert box["width"] > 200
    assert box["height"] >= 36
    phone.page.touchscreen.tap(box["x"] + box["width"] * 0.25, box["y"] + box["height"] / 2)
    expect(phone.root).to_have_attribute("data-view", "past")
    phone.settled()
    assert abs(phone.seconds() - recorded.facts()["clock"]["now_us"] / 4e6) < 0.4
    phone.live.tap()
    expect(phone.root).to_have_attribute("data-view", "live")
    context.close()


def test_stepping_visits_every_instant_in_both_directions(recorded: Stage) -> None:
    events = api(recorded, "/journal", at_us=recorded.facts()["clock"]["now_us"])["events"]
    times = sorted({event["at_us"] for event in events})
    for at_us in times[-2:-6:-1]:
        recorded.page.keyboard.press(",")
        recorded.settled()
        expect(recorded.scrub).to_have_value(str(round(at_us / 1_000)))
    for at_us in times[-4:-1]:
        recorded.page.keyboard.press(".")
        recorded.settled()
        expect(recorded.scrub).to_have_value(str(round(at_us / 1_000)))
    recorded.page.keyboard.press(".")
    recorded.page.keyboard.press(".")
    expect(recorded.root).to_have_attribute("data-view", "live")


def test_stepping_back_crosses_a_reset(recorded: Stage) -> None:
    now_us = recorded.facts()["clock"]["now_us"]
    recorded.command("reset")
    recorded.settled()
    expect(recorded.scrub).to_have_attribute("min", str(now_us // 1_000))
    recorded.step_back.click()
    recorded.settled()
    expect(recorded.fact("events-appended")).to_have_text("15")
    expect(recorded.scrub).to_have_attribute("min", "0")
    recorded.page.keyboard.press(".")
    recorded.settled()
    expect(recorded.fact("events-appended")).to_have_text("12")


def test_the_page_says_that_it_is_reading_the_journal(recorded: Stage) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    recorded.page.route("**/journal?*", hold)
    recorded.scrub.evaluate("(input) => { input.value = 2000; input.dispatchEvent(new Event('input')); }")
    while not held:
        recorded.page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(recorded.root).to_have_attribute("data-reading", "true")
    expect(recorded.page.locator('[data-part="reading"]')).to_have_text("reading the journal")
    expect(recorded.fact("events-appended")).to_have_text("15")
    held[0].continue_()
    recorded.page.unroute("**/journal?*")
    expect(recorded.root).to_have_attribute("data-reading", "false")
    recorded.settled()
    assert recorded.seconds() == 2.0


def test_a_failed_read_of_the_journal_is_reported_until_it_is_retried(recorded: Stage) -> None:
    def refuse(route: Route) -> None:
        route.abort()

    recorded.page.route("**/journal?*", refuse)
    reading = recorded.page.locator('[data-part="reading"]')
    recorded.page.evaluate("""() => {
        window.toldOfReading = [];
        const place = document.querySelector('[data-part="reading"]');
        const note = () => window.toldOfReading.push(`${Math.round(performance.now())} ${place.textContent}`);
        new MutationObserver(note).observe(place, {childList: true});
    }""")
    recorded.scrub.evaluate("(input) => { input.value = 2000; input.dispatchEvent(new Event('input')); }")
    expect(reading).to_contain_text("the past cannot be read just now")
    expect(recorded.root).to_have_attribute("data-reading", "false")
    recorded.page.unroute("**/journal?*")
    recorded.settled()
    assert recorded.seconds() == 2.0
    expect(reading).to_have_text("")
    said = [(int(one.split(" ")[0]), one.partition(" ")[2]) for one in recorded.page.evaluate("window.toldOfReading")]
    told_ms = next(at_ms for at_ms, words in said if words.startswith("the past cannot"))
    soon = [
        words for at_ms, words in said if told_ms < at_ms < told_ms + 1_500
    ]  # the page tries again after two seconds
    assert "reading the journal" not in soon


# --- marks ----------------------------------------------------------------------------------------------------------


def test_keys_move_between_notable_events(recorded: Stage) -> None:
    expect(recorded.marks.first).to_be_attached()
    times = {kind: mark_us(recorded, kind) for kind in ("broker_crashed", "broker_started")}
    while recorded.mark_label.is_hidden() or "broker 2 crashed" not in recorded.mark_label.inner_text():
        recorded.page.keyboard.press("p")
        recorded.settled()
    expect(recorded.mark_label).to_have_text(f"broker 2 crashed · {times['broker_crashed'] // 100_000 / 10:.1f} s")
    expect(recorded.broker(2)).to_have_attribute("data-alive", "false")
    expect(recorded.narration).to_have_text("Broker 2 crashed: its partitions cannot be read or written.")
    assert "broker 2 crashed" in (recorded.scrub.get_attribute("aria-valuetext") or "")
    while "broker 2 came back" not in (recorded.scrub.get_attribute("aria-valuetext") or ""):
        recorded.next_mark.click()
        recorded.settled()
    expect(recorded.broker(2)).to_have_attribute("data-alive", "true")


def test_a_new_notable_event_gets_a_mark(stage: Stage) -> None:
    stage.open().at_speed(4)
    stage.press("Metrics B", "Crash")
    expect(stage.page.locator('.mark[data-family="trouble"]')).not_to_have_count(0)
    expect(stage.page.locator('.mark[data-family="sharing"]')).not_to_have_count(0, timeout=20_000)


def test_a_mark_under_the_pointer_is_named(recorded: Stage) -> None:
    expect(recorded.marks.first).to_be_attached()
    box = recorded.scrub.bounding_box()
    crash = recorded.page.locator('.mark[data-family="trouble"]').first.bounding_box()
    assert box
    assert crash
    recorded.page.mouse.move(crash["x"] + 1, box["y"] + box["height"] / 2)
    expect(recorded.mark_label).to_contain_text("broker 2 crashed")
    expect(recorded.page.locator(".mark[data-named]")).to_have_count(1)
    expect(recorded.root).to_have_attribute("data-view", "live")
    recorded.page.mouse.move(box["x"] + 10, box["y"] + box["height"] / 2)
    expect(recorded.mark_label).to_contain_text("begins")
    label, narration = recorded.mark_label.bounding_box(), recorded.narration.bounding_box()
    assert label
    assert narration
    assert narration["x"] + narration["width"] <= label["x"], "the narration stays readable"


# --- playing the past -----------------------------------------------------------------------------------------------

NOTE_THAT_IT_RUNS = """() => {
    const stage = document.querySelector("[data-stage]");
    new MutationObserver(() => { window.ran ||= stage.dataset.running === "true" && stage.dataset.view === "past"; })
        .observe(stage, {attributes: true});
}"""


def test_the_past_plays_at_its_own_speed_until_it_reaches_the_present(recorded: Stage) -> None:
    recorded.scrub_to(1_000_000)
    recorded.page.keyboard.press(">")
    expect(recorded.speed).to_have_value("2")
    assert recorded.facts()["clock"]["speed"] == 1.0, "the room's own speed is not touched"
    recorded.page.evaluate(NOTE_THAT_IT_RUNS)
    recorded.pause.click()
    expect(recorded.root).to_have_attribute("data-view", "live")
    assert recorded.page.evaluate("() => window.ran"), "it did not jump there"
    expect(recorded.speed).to_have_value("1")
    assert recorded.facts()["clock"]["paused"] is True


def test_a_moment_of_the_past_shows_its_flights_without_motion(recorded: Stage) -> None:
    sent = next(one for one in api(recorded, "/journal", at_us=0)["events"] if one["event"] == "batch_sent")
    recorded.scrub_to((sent["at_us"] + 3 * sent["due_us"]) // 4_000 * 1_000)
    expect(recorded.flights("batch")).to_have_count(1)
    expect(recorded.flights("batch").locator(".flight-detail")).to_be_visible()
    place = recorded.flights("batch").evaluate("(node) => node.style.transform")
    recorded.page.evaluate(
        "() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
    )
    assert recorded.flights("batch").evaluate("(node) => node.style.transform") == place


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


def test_a_command_acts_in_the_present_and_returns_the_page_there(recorded: Stage) -> None:
    recorded.scrub_to(1_000_000)
    expect(recorded.root).to_have_attribute("data-view", "past")
    recorded.broker(2).get_by_role("button", name="Crash").click()
    expect(recorded.root).to_have_attribute("data-view", "live")
    recorded.has_announced(BACK)
    expect(recorded.broker(2)).to_have_attribute("data-alive", "false")
    expect(recorded.scrub).to_have_value(recorded.scrub.get_attribute("max") or "")
    recorded.step.click()
    expect(recorded.narration).not_to_contain_text(BACK)

    recorded.scrub_to(1_000_000)
    recorded.drag_bookmark(2, 612)
    expect(recorded.root).to_have_attribute("data-view", "live")
    expect(recorded.outcome).to_have_attribute("data-command", "seek")
    expect(recorded.outcome).to_have_attribute("data-ok", "true")

    recorded.scrub_to(1_000_000)
    recorded.page.get_by_label("Partition key").press("Enter")
    expect(recorded.root).to_have_attribute("data-view", "live")


def test_a_refused_command_returns_to_the_present_and_time_controls_stay_in_the_past(recorded: Stage) -> None:
    recorded.command("stop_broker", broker=3)
    recorded.scrub_to(1_000_000)
    recorded.page.locator("body").press(">")
    recorded.page.locator("body").press(".")
    recorded.settled()
    expect(recorded.root).to_have_attribute("data-view", "past")
    recorded.broker(3).get_by_role("button", name="Crash").click()
    expect(recorded.root).to_have_attribute("data-view", "live")
    expect(recorded.outcome).to_have_attribute("data-ok", "false")
    expect(recorded.broker(3)).to_have_attribute("data-alive", "false")
