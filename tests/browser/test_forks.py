"""Forks of a room: at the displayed moment, by presenters and spectators, with and without JavaScript."""

from playwright.sync_api import Browser, BrowserContext, Route, expect

from tests.browser.pages.prepared_rooms import api, mark_us
from tests.browser.pages.stage import Stage


def forked(stage: Stage) -> Stage:
    """Press the button, and wait for the page of the new room."""
    origin = stage.room
    stage.fork.click()
    stage.page.wait_for_url(lambda url: "/rooms/" in url and origin not in url)
    stage.settled()
    return stage


def test_a_fork_begins_exactly_at_the_displayed_moment(recorded: Stage) -> None:
    origin, at_us = recorded.room, mark_us(recorded, "broker_crashed") + 500_000
    was = api(recorded, "/journal", at_us=at_us)
    recorded.scrub_to(at_us // 1_000 * 1_000)
    under_way: list[Route] = []
    asked: list[str] = []

    def hold(route: Route) -> None:
        under_way.append(route)

    def answer_progress(route: Route) -> None:
        asked.append(route.request.method)
        progress = {"state": "repeating", "journal_bytes": 14_411_776, "journal_bytes_in_all": 34_313_597}
        route.fulfill(json=progress)

    recorded.page.route("**/controls/fork", hold)
    recorded.page.route("**/forks/*", answer_progress)
    recorded.fork.click()
    expect(recorded.outcome).to_contain_text("Forking this room")
    expect(recorded.fork_form).to_have_attribute("aria-busy", "true")
    while not under_way:  # the page sends the request after the next paint
        recorded.page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(recorded.fork_progress).to_contain_text("42 %, 14.4 of 34.3 MB of its journal")
    bar = recorded.fork_progress.get_by_role("progressbar", name="how much of the fork is done")
    assert bar.evaluate("(bar) => [bar.value, bar.max]") == [14_411_776, 34_313_597]
    recorded.fork_progress.get_by_role("button", name="Cancel").click()
    recorded.page.wait_for_function("() => document.querySelector('[data-part=give-up]').disabled")
    under_way.pop().fulfill(status=409, body="")
    expect(recorded.outcome).to_contain_text("The fork was cancelled")
    expect(recorded.fork).to_be_focused()
    assert asked[0] == "GET"
    assert asked.count("DELETE") == 1
    expect(recorded.fork_form).not_to_have_attribute("aria-busy", "true")
    recorded.page.unroute("**/controls/fork")
    recorded.page.unroute("**/forks/*")
    forked(recorded)
    expect(recorded.root).to_have_attribute("data-presenter", "true")
    expect(recorded.page.locator(".origin")).to_have_text(f"forked from {origin} at {at_us / 1e6:.1f} s")
    assert recorded.facts()["clock"]["now_us"] == at_us // 1_000 * 1_000
    journal = api(recorded, "/journal", at_us=0)
    same = [event for event in was["events"] if event["at_us"] <= at_us]
    assert len(journal["events"]) == len(same)
    assert all(one == other for one, other in zip(journal["events"], same, strict=True)), "the fork has the same events"
    assert recorded.facts()["brokers"][1]["alive"] is False
    recorded.batch_send.click()
    expect(recorded.outcome).to_have_attribute("data-ok", "true")


def test_a_spectator_becomes_the_presenter_of_the_fork(recorded: Stage, fresh: BrowserContext) -> None:
    origin = recorded.room
    other = Stage(fresh.new_page(), recorded.base_url).open(f"/rooms/{origin}?theme=projector")
    expect(other.root).to_have_attribute("data-presenter", "false")
    lags = {one["group"]: sum(part["lag_bytes"] for part in one["partitions"]) for one in recorded.facts()["groups"]}
    furthest = max(lags, key=lambda group: lags[group])
    expect(other.narration).to_contain_text(f"{furthest} is {lags[furthest]:,} B behind.")
    assert other.narration.inner_text().startswith("Time is paused at 4.")
    other.scrub_to(1_000_000)
    expect(other.narration).not_to_contain_text("Time is paused")
    other.live.click()
    other.settled()
    other.page.keyboard.press("f")
    other.page.wait_for_url(lambda url: "/rooms/" in url and origin not in url)
    other.settled()
    expect(other.root).to_have_attribute("data-presenter", "true")
    expect(other.page.locator("html")).to_have_attribute("data-theme", "projector")
    assert other.facts()["clock"]["now_us"] == recorded.facts()["clock"]["now_us"]


def test_the_present_can_be_forked_without_script(recorded: Stage, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{recorded.base_url}/rooms/{recorded.room}?theme=projector")
    page.get_by_test_id("control-fork").click()
    expect(page.locator(".origin")).to_contain_text(recorded.room)
    expect(page.locator("[data-stage]")).to_have_attribute("data-presenter", "true")
    expect(page.locator("html")).to_have_attribute("data-theme", "projector")
    context.close()
