"""Links to a moment of a room's history."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.pages.prepared_rooms import api
from tests.browser.pages.stage import METRICS, Stage


def copied(page: Page, stage: Stage) -> str:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stage.copy_link.click()
    expect(stage.outcome).to_contain_text("The link is copied")
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def test_a_copied_link_opens_the_same_moment_selection_and_theme(
    page: Page, recorded: Stage, fresh: BrowserContext
) -> None:
    recorded.open(f"/rooms/{recorded.room}?theme=dark")
    sent = next(one for one in api(recorded, "/journal", at_us=0)["events"] if one["event"] == "batch_sent")
    at_us = (sent["at_us"] + sent["due_us"]) // 2_000 * 1_000
    recorded.scrub_to(at_us)
    recorded.record(0, 215).locator("a").click()
    expect(recorded.inspector).to_contain_text("p0 at offset 215")
    link = copied(page, recorded)
    other = Stage(fresh.new_page(), recorded.base_url)
    other.page.goto(link)
    other.settled()
    expect(other.root).to_have_attribute("data-view", "past")
    expect(other.scrub).to_have_value(str(at_us // 1_000))
    expect(other.flights("batch")).to_have_count(1)
    expect(other.fact("events-appended")).to_have_text("12")
    expect(other.inspector).to_contain_text("p0 at offset 215")
    expect(other.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(other.outcome).to_contain_text("Live, or the key End, leads to the present")
    other.live.click()
    expect(other.root).to_have_attribute("data-view", "live")
    assert "#" not in other.page.url


@pytest.mark.parametrize(
    ("hash_", "sentence"),
    [
        ("#at=3", "no event starts at offset 3"),
        ("#at=999999999", "999999999"),
        ("#at=soon", "This link does not name a moment"),
        ("#us=121500000000", "121500.000 s lies in the future: the room is at "),
    ],
)
def test_an_invalid_link_shows_a_sentence_and_the_present(recorded: Stage, hash_: str, sentence: str) -> None:
    room = recorded.room
    recorded.page.goto("about:blank")
    recorded.open(f"/rooms/{room}{hash_}")
    expect(recorded.outcome).to_contain_text(sentence)
    expect(recorded.outcome).to_contain_text("this is the present")
    expect(recorded.root).to_have_attribute("data-view", "live")
    assert "#" not in recorded.page.url


def test_a_link_to_a_time_before_a_reset_shows_it_and_says_so(recorded: Stage) -> None:
    end = recorded.facts()["journal"]["end_offset"]
    recorded.command("reset")
    room = recorded.room
    recorded.page.goto("about:blank")
    recorded.open(f"/rooms/{room}#at={end}")
    expect(recorded.outcome).to_contain_text("It was reset since")
    expect(recorded.fact("events-appended")).to_have_text("15")


def test_a_link_to_a_room_that_is_gone_says_so(stage: Stage) -> None:
    answer = stage.page.goto(f"{stage.base_url}/rooms/aaaabbbbcccc#at=100")
    assert answer
    assert answer.status == 404
    expect(stage.page.get_by_role("heading")).to_contain_text("there is no room")
    expect(stage.page.locator("main")).to_contain_text("unused rooms expire")


def test_the_back_button_returns_to_the_previous_moment(recorded: Stage) -> None:
    recorded.open(f"/rooms/{recorded.room}")
    recorded.page.evaluate("() => { window.location.hash = 'us=1000000'; }")
    expect(recorded.root).to_have_attribute("data-view", "past")
    recorded.settled()
    assert recorded.seconds() == 1.0
    recorded.page.go_back()
    expect(recorded.root).to_have_attribute("data-view", "live")
    recorded.page.go_forward()
    expect(recorded.root).to_have_attribute("data-view", "past")
    expect(recorded.consumer("Metrics A", METRICS)).to_be_visible()
