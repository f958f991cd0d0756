"""Links to a moment of a room's life."""

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.pages.lives import api
from tests.browser.pages.stage import METRICS, Stage


def copied(page: Page, stage: Stage) -> str:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    stage.copy_link.click()
    expect(stage.outcome).to_contain_text("The link is copied")
    return str(page.evaluate("() => navigator.clipboard.readText()"))


def test_a_link_opens_the_same_moment_with_the_same_selection_and_theme(
    page: Page, lived: Stage, fresh: BrowserContext
) -> None:
    lived.open(f"/rooms/{lived.room}?theme=dark")
    sent = next(one for one in api(lived, "/journal", at_us=0)["events"] if one["event"] == "batch_sent")
    at_us = (sent["at_us"] + sent["due_us"]) // 2_000 * 1_000
    lived.scrub_to(at_us)
    lived.record(0, 215).locator("a").click()
    expect(lived.inspector).to_contain_text("p0 at offset 215")
    link = copied(page, lived)
    other = Stage(fresh.new_page(), lived.base_url)
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
def test_a_link_to_nowhere_is_answered_with_a_sentence_and_the_present(lived: Stage, hash_: str, sentence: str) -> None:
    room = lived.room
    lived.page.goto("about:blank")
    lived.open(f"/rooms/{room}{hash_}")
    expect(lived.outcome).to_contain_text(sentence)
    expect(lived.outcome).to_contain_text("this is the present")
    expect(lived.root).to_have_attribute("data-view", "live")
    assert "#" not in lived.page.url


def test_a_link_into_a_history_that_was_reset_says_so_and_shows_it(lived: Stage) -> None:
    end = lived.facts()["journal"]["end_offset"]
    lived.command("reset")
    room = lived.room
    lived.page.goto("about:blank")
    lived.open(f"/rooms/{room}#at={end}")
    expect(lived.outcome).to_contain_text("It was reset since")
    expect(lived.fact("events-appended")).to_have_text("15")


def test_a_link_to_a_room_that_is_gone_says_so(stage: Stage) -> None:
    answer = stage.page.goto(f"{stage.base_url}/rooms/aaaabbbbcccc#at=100")
    assert answer
    assert answer.status == 404
    expect(stage.page.get_by_role("heading")).to_contain_text("there is no room")
    expect(stage.page.locator("main")).to_contain_text("rooms nobody uses expire")


def test_the_back_button_leads_back_to_where_one_was(lived: Stage) -> None:
    lived.open(f"/rooms/{lived.room}")
    lived.page.evaluate("() => { window.location.hash = 'us=1000000'; }")
    expect(lived.root).to_have_attribute("data-view", "past")
    lived.settled()
    assert lived.seconds() == 1.0
    lived.page.go_back()
    expect(lived.root).to_have_attribute("data-view", "live")
    lived.page.go_forward()
    expect(lived.root).to_have_attribute("data-view", "past")
    expect(lived.consumer("Metrics A", METRICS)).to_be_visible()
