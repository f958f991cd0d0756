"""The contract for scripts: test ids and the hooks of the page."""

import pytest
from playwright.sync_api import Route, expect

from tests.browser.pages.stage import METRICS, Stage

TEST_IDS = [
    *(f"broker-{number}" for number in (1, 2, 3)),
    *(f"partition-pageviews-{partition}" for partition in range(3)),
    "record-pageviews-0@215",
    f"bookmark-{METRICS}-pageviews-2",
    f"owner-{METRICS}-pageviews-1",
    f"consumer-{METRICS}-Metrics C",
    *(f"fact-{name}" for name in ("topic", "parallelism", "delivery", "events-appended", "next-append")),
    "action-batch-send",
    "action-keyed-send",
    *(f"control-{name}" for name in ("pause", "step", "step-back", "speed", "scrub", "live")),
]


@pytest.mark.parametrize("path", ["/", "/embed/pageviews"])
def test_every_documented_test_id_exists_once(stage: Stage, path: str) -> None:
    stage.open(path)
    for testid in TEST_IDS:
        expect(stage.named(testid)).to_have_count(1)
        expect(stage.named(testid)).to_be_visible()


def test_a_record_sent_over_the_api_appears_in_the_browser(stage: Stage) -> None:
    stage.open().at_speed(16)
    applied = stage.command("produce", records=[{"key": "user-17", "value": "from the API"}])
    assert applied["journal_offset"] > 0
    expect(stage.page.locator(".record", has_text="from the API")).to_be_attached()


def test_settled_waits_for_a_batch_to_land(stage: Stage) -> None:
    stage.open().at_speed(4)
    stage.batch_send.click()
    stage.settled()
    assert stage.fact("events-appended").inner_text() == "15"
    assert stage.flights("batch").count() == 0


def test_settled_waits_for_the_rebalance_after_a_crash(stage: Stage) -> None:
    stage.open().at_speed(8)
    stage.press("Metrics B", "Crash")
    stage.settled()
    assert stage.consumer("Metrics B").get_attribute("data-state") == "gone"
    assert "Metrics B" not in stage.owners()
    assert "" not in stage.owners()


def test_settled_resolves_if_a_form_was_removed_before_its_response_arrived(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.press("Metrics B", "Stop")
    expect(stage.consumer("Metrics B")).to_have_attribute("data-state", "closed")
    stage.settled()

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        expect(stage.consumer("Metrics B")).to_have_count(0)
        route.fulfill(response=answer)

    stage.page.route("**/controls/**", answer_late)
    stage.press("Metrics B", "Remove")
    expect(stage.outcome).to_contain_text("no longer listed")
    stage.settled()


def test_settled_does_not_wait_for_empty_fetches(stage: Stage) -> None:
    stage.open().at_speed(8).resume_time()
    expect(stage.bookmark(0, "Warehouse loader")).to_have_attribute("data-offset", "860")
    expect(stage.bookmark(2, "Warehouse loader")).to_have_attribute("data-offset", "816")
    for _ in range(3):
        stage.settled()
    assert stage.facts()["clock"]["paused"] is False


def test_drawn_resolves_when_everything_below_an_offset_is_painted(stage: Stage) -> None:
    stage.open()
    stage.command("clock", action="pause")
    end_offset = stage.facts()["journal"]["end_offset"]
    stage.drawn(end_offset)
    pending = stage.page.evaluate(
        "(offset) => Promise.race([offsetscope.drawn(offset).then(() => 'drawn'),"
        " offsetscope.drawn(0).then(() => 'not yet')])",
        end_offset + 100_000,
    )
    assert pending == "not yet"


def test_the_page_sends_no_request_to_another_host(stage: Stage) -> None:
    asked: list[str] = []
    stage.page.on("request", lambda request: asked.append(request.url))
    stage.open().at_speed(16)
    stage.batch_send.click()
    stage.settled()
    assert asked
    assert [url for url in asked if not url.startswith((stage.base_url, "data:"))] == []
