"""Forking a room: at a moment that is looked at, by whoever looks, with a script and without."""

from playwright.sync_api import Browser, BrowserContext, Route, expect

from tests.browser.pages.lives import api, mark_us
from tests.browser.pages.stage import Stage


def forked(stage: Stage) -> Stage:
    """Press the button, and be on the new room's page."""
    origin = stage.room
    stage.fork.click()
    stage.page.wait_for_url(lambda url: "/rooms/" in url and origin not in url)
    stage.settled()
    return stage


def test_a_fork_begins_exactly_at_the_moment_that_was_looked_at(lived: Stage) -> None:
    origin, at_us = lived.room, mark_us(lived, "broker_crashed") + 500_000
    was = api(lived, "/journal", at_us=at_us)
    lived.scrub_to(at_us // 1_000 * 1_000)
    under_way: list[Route] = []
    asked: list[str] = []

    def hold(route: Route) -> None:
        under_way.append(route)

    def tell(route: Route) -> None:
        asked.append(route.request.method)
        told = {"state": "repeating", "journal_bytes": 14_411_776, "journal_bytes_in_all": 34_313_597}
        route.fulfill(json=told)

    lived.page.route("**/controls/fork", hold)
    lived.page.route("**/forks/*", tell)
    lived.fork.click()
    expect(lived.outcome).to_contain_text("Forking this room")
    expect(lived.fork_form).to_have_attribute("aria-busy", "true")
    while not under_way:  # the page asks when it has been painted
        lived.page.evaluate("() => new Promise(requestAnimationFrame)")
    expect(lived.fork_progress).to_contain_text("42 %, 14.4 of 34.3 MB of its journal")
    bar = lived.fork_progress.get_by_role("progressbar", name="how much of the fork is done")
    assert bar.evaluate("(bar) => [bar.value, bar.max]") == [14_411_776, 34_313_597]
    lived.fork_progress.get_by_role("button", name="Cancel").click()
    lived.page.wait_for_function("() => document.querySelector('[data-part=give-up]').disabled")
    under_way.pop().fulfill(status=409, body="")
    expect(lived.outcome).to_contain_text("The fork was cancelled")
    expect(lived.fork).to_be_focused()
    assert asked[0] == "GET"
    assert asked.count("DELETE") == 1
    expect(lived.fork_form).not_to_have_attribute("aria-busy", "true")
    lived.page.unroute("**/controls/fork")
    lived.page.unroute("**/forks/*")
    forked(lived)
    expect(lived.root).to_have_attribute("data-presenter", "true")
    expect(lived.page.locator(".origin")).to_have_text(f"forked from {origin} at {at_us / 1e6:.1f} s")
    assert lived.facts()["clock"]["now_us"] == at_us // 1_000 * 1_000
    told = api(lived, "/journal", at_us=0)
    same = [event for event in was["events"] if event["at_us"] <= at_us]
    assert len(told["events"]) == len(same)
    assert all(one == other for one, other in zip(told["events"], same, strict=True)), "it has lived through the same"
    assert lived.facts()["brokers"][1]["alive"] is False
    lived.batch_send.click()
    expect(lived.outcome).to_have_attribute("data-ok", "true")


def test_a_spectator_becomes_the_presenter_of_the_fork(lived: Stage, fresh: BrowserContext) -> None:
    origin = lived.room
    other = Stage(fresh.new_page(), lived.base_url).open(f"/rooms/{origin}?theme=projector")
    expect(other.root).to_have_attribute("data-presenter", "false")
    lags = {one["group"]: sum(part["lag_bytes"] for part in one["partitions"]) for one in lived.facts()["groups"]}
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
    assert other.facts()["clock"]["now_us"] == lived.facts()["clock"]["now_us"]


def test_the_present_can_be_forked_without_script(lived: Stage, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{lived.base_url}/rooms/{lived.room}?theme=projector")
    page.get_by_test_id("control-fork").click()
    expect(page.locator(".origin")).to_contain_text(lived.room)
    expect(page.locator("[data-stage]")).to_have_attribute("data-presenter", "true")
    expect(page.locator("html")).to_have_attribute("data-theme", "projector")
    context.close()
