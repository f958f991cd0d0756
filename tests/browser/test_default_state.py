"""The first picture: the same facts from the server and from the feed, with and without JavaScript."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import METRICS, WAREHOUSE, Stage

MESSAGES = ([0, 215, 430, 645], [0, 188, 376, 564], [0, 204, 408, 612])
BOOKMARKS = (215, 188, 204)
ENDS = (860, 752, 816)


def expect_default_state(stage: Stage) -> None:
    expect(stage.fact("topic")).to_have_text("pageviews")
    expect(stage.fact("parallelism")).to_have_text("3 partitions")
    expect(stage.fact("delivery")).to_have_text("pull + offsets")
    expect(stage.fact("events-appended")).to_have_text("12")
    expect(stage.fact("next-append")).to_have_text("p0")
    for partition in range(3):
        expect(stage.broker(partition + 1)).to_contain_text(f"Broker {partition + 1}")
        expect(stage.broker(partition + 1).get_by_test_id(f"partition-pageviews-{partition}")).to_be_visible()
        assert stage.offsets(partition) == MESSAGES[partition]
        expect(stage.partition(partition).locator(".tape-end")).to_contain_text(str(ENDS[partition]))
        expect(stage.bookmark(partition)).to_have_attribute("data-offset", str(BOOKMARKS[partition]))
        expect(stage.bookmark(partition)).to_contain_text(f"consumer bookmark {BOOKMARKS[partition]}")
        expect(stage.owner(partition)).to_have_attribute("data-consumer", f"Metrics {'ABC'[partition]}")
        expect(stage.owner(partition)).to_contain_text(f"owner Metrics {'ABC'[partition]}")
        expect(stage.bookmark(partition, WAREHOUSE)).to_have_attribute("data-offset", "0")
        expect(stage.owner(partition, WAREHOUSE)).to_have_attribute("data-consumer", "Loader A")
    for group in (METRICS, WAREHOUSE):
        expect(stage.group(group)).to_contain_text(f"{group} group")
        expect(stage.group(group)).to_contain_text("own offset, same topic")


def test_the_page_opens_exactly_at_the_default_state(stage: Stage) -> None:
    stage.open()
    expect_default_state(stage)
    expect(stage.batch_send).to_have_text("Batch send")
    expect(stage.page.get_by_label("Partition key")).to_be_visible()


def test_without_javascript_the_page_shows_the_same_facts(browser: Browser, server: ServerProcess) -> None:
    context = browser.new_context(java_script_enabled=False)
    stage = Stage(context.new_page(), server.base_url)
    stage.page.goto(server.base_url)
    expect_default_state(stage)
    context.close()


def test_without_javascript_the_forms_still_work(browser: Browser, server: ServerProcess) -> None:
    context = browser.new_context(java_script_enabled=False)
    stage = Stage(context.new_page(), server.base_url)
    stage.page.goto(server.base_url)
    stage.batch_send.click()
    expect(stage.fact("next-append")).to_have_text("p1")
    context.close()


def test_time_on_a_new_page_stands_until_the_first_command(stage: Stage) -> None:
    stage.open()
    expect(stage.root).to_have_attribute("data-standing", "true")
    expect(stage.narration).to_contain_text("is paused until you act")
    expect(stage.spark().locator(".spark-line")).to_have_attribute("d", "M59 1.00L60 1.00")
    expect(stage.flights()).to_have_count(0)
    end_offset = stage.facts()["journal"]["end_offset"]
    # the feed sends a heartbeat each second: after two of them nothing has been appended
    with stage.page.expect_websocket() as waiting:
        stage.page.reload()
    for _ in range(3):
        waiting.value.wait_for_event("framereceived")
    assert stage.facts()["journal"]["end_offset"] == end_offset
    assert stage.facts()["clock"]["now_us"] == 0


def test_javascript_draws_the_same_picture_as_the_server(page: Page, server: ServerProcess) -> None:
    """The first paint has the places and words of the picture from the feed: nothing moves when the script starts."""
    stage = Stage(page, server.base_url)
    page.route("**/js/main.js*", lambda route: route.abort())
    page.goto(server.base_url)
    before = picture(page)
    page.unroute("**/js/main.js*")
    stage.open()
    assert picture(page) == before


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_server_and_javascript_draw_a_long_log_alike(stage: Stage, compression: str) -> None:
    stage.open()
    stage.command("clock", action="pause")
    stage.command("set_producer", compression=compression)
    for _ in range(12):
        stage.command("produce", count=9)
    stage.command("clock", action="speed", speed=16)
    stage.command("clock", action="resume")
    expect(stage.fact("events-appended")).to_have_text("120")
    stage.settled()
    stage.command("clock", action="pause")
    stage.settled()
    alive = picture(stage.page)
    stage.page.route("**/js/main.js*", lambda route: route.abort())
    stage.page.reload()
    assert picture(stage.page) == alive


def picture(page: Page) -> list[str]:
    """Return every mark on the tapes and cards, with its place in bytes and its words.

    The trends of lags and the messages that slid out of view are left out: only a page that was open then has them.
    """
    marks: list[str] = page.evaluate("""() => {
        const chosen = ".partition, .record, .segment, .bookmark, .fetch-position, .again, .owner, .earlier, "
            + ".consumer, .group, .facts dd, "
            + ".slide, .segments, .records, .unflushed, .tape-end, .tape-fill, .bookmark-rows";
        const number = (node, name) => Number(getComputedStyle(node).getPropertyValue(name));
        const originOf = (slide) => number(slide, "--slide") + number(slide.querySelector(".records"), "--base");
        const hasSlidOut = (record) => record && number(record, "--offset") + number(record, "--size")
            <= originOf(record.closest(".slide"));
        const parts = (node) => [...node.querySelectorAll("[data-part]:not([data-part=trend])")]
            .filter((part) => !part.firstElementChild && !hasSlidOut(part.closest(".record")))
            .map((part) => part.textContent.replace(/\\s+/g, " ").trim());
        const places = (node) => ["--offset", "--size", "--origin", "--passed", "--base", "--slide", "--rows"]
            .map((name) => node.style.getPropertyValue(name)).join(" ");
        const shown = [...document.querySelectorAll(chosen)]
            .filter((node) => !node.matches(".record") || !hasSlidOut(node));
        const window_bytes = getComputedStyle(document.querySelector(".partition")).getPropertyValue("--window");
        return [window_bytes, ...shown.map((node) => [
            node.className, node.dataset.testid ?? "", node.hidden,
            node.dataset.crowded ?? "", node.dataset.pinned ?? "", node.dataset.consumerIndex ?? "",
            places(node), parts(node).join("|"),
        ].join(" / "))];
    }""")
    return marks
