"""The deployment pattern on the stage: two datacenters, the mirror between them, the warehouse, the audit's numbers."""

import pytest
from playwright.sync_api import expect

from tests.browser.pages.prepared_rooms import api
from tests.browser.pages.stage import METRICS, Stage

# The trends of lags and the messages that slid out of view are left out: only a page that was open then has them.
BOARD_TEXT = """() => {
    document.querySelectorAll('.trend').forEach((node) => node.replaceChildren());
    const number = (node, name) => Number(getComputedStyle(node).getPropertyValue(name));
    const originOf = (slide) => number(slide, '--slide') + number(slide.querySelector('.records'), '--base');
    const origin = (record) => originOf(record.closest('.slide'));
    [...document.querySelectorAll('.record')]
        .filter((record) => number(record, '--offset') + number(record, '--size') <= origin(record))
        .forEach((record) => record.remove());
    return [...document.querySelectorAll('.board .broker, .board .group, .end')]
    .map((node) => node.innerText.replace(/\\s+/g, ' ').trim());
}"""
AT_SPEED_16_MS = 60_000


@pytest.fixture
def deployed(stage: Stage) -> Stage:
    return stage.open_room("deployment")


def run(stage: Stage, seconds: float, speed: float = 16) -> None:
    """Let time run until the picture shows a virtual time, then pause it."""
    stage.at_speed(speed).resume_time()
    stage.page.wait_for_function(
        "(wanted) => parseFloat(document.querySelector('[data-part=now]').textContent) >= wanted",
        arg=seconds,
        timeout=AT_SPEED_16_MS,
    )
    stage.command("clock", action="pause")
    stage.settled()


def test_two_datacenters_are_drawn_apart_and_every_tape_names_its_topic(deployed: Stage) -> None:
    analysis = deployed.datacenter("analysis")
    expect(analysis.locator(".broker")).to_have_count(3)
    expect(deployed.page.locator('[data-part="brokers"]').first.locator(".broker")).to_have_count(3)
    expect(analysis.get_by_test_id("partition-live.pageviews-0")).to_be_visible()
    live = deployed.page.locator('[data-part="brokers"]').first.bounding_box()
    far = analysis.bounding_box()
    assert live
    assert far
    assert live["x"] + live["width"] < far["x"]
    topics = deployed.page.locator(".partition-topic")
    assert {text.replace("\u200b", "") for text in topics.all_inner_texts()} == {
        "pageviews",
        "audit",
        "live.pageviews",
        "live.audit",
    }


def test_a_tape_has_rows_only_for_the_groups_that_read_its_topic(deployed: Stage) -> None:
    def groups(partition: int, topic: str) -> list[str]:
        rows = deployed.rows(partition, topic)
        return [row.get_attribute("data-group") or "" for row in rows.all()]

    assert groups(0, "pageviews") == ["Mirror", METRICS]
    assert groups(0, "audit") == ["Mirror"]
    assert groups(0, "live.pageviews") == []
    loaded = deployed.facts()["deployment"]["loaders"][0]["partitions"][0]
    flag = deployed.named("bookmark-Loader-live.pageviews-0")
    expect(flag).to_have_attribute("data-offset", str(loaded["next_offset"]))


def test_the_acknowledgement_of_mirrors_is_set_in_the_inspector_which_shows_its_past_value(deployed: Stage) -> None:
    origin, deployed.headers = deployed.room, {}  # of the fork, this browser is the presenter
    deployed.fork.click()
    deployed.page.wait_for_url(lambda url: "/rooms/" in url and origin not in url)
    deployed.settled()
    deployed.group("Mirror").get_by_role("link", name="Settings of Mirror").click()
    asked = deployed.inspector.get_by_label("acknowledgement")
    expect(asked).to_have_value("none")
    asked.select_option("broker")
    deployed.command("clock", action="step")
    before_us = deployed.facts()["clock"]["now_us"]
    deployed.inspector.get_by_role("button", name="Apply").click()
    expect(deployed.outcome).to_have_attribute("data-ok", "true")
    deployed.command("clock", action="step")
    deployed.scrub_to((before_us - 1) // 1_000 * 1_000)  # the step may have ended on a whole millisecond
    expect(asked).to_have_value("none")
    expect(asked).to_be_disabled()
    expect(deployed.inspector).to_contain_text("only the present can be changed")
    expect(deployed.inspector).to_contain_text("copies pageviews to live.pageviews, audit to live.audit")
    deployed.live.click()
    expect(asked).to_have_value("broker")
    expect(deployed.group(METRICS).get_by_role("link", name="Settings of")).to_be_hidden()


def test_a_group_of_the_analysis_datacenter_uses_the_registry_of_that_datacenter(deployed: Stage) -> None:
    deployed.command("add_group", group="Reports", topic="live.pageviews")
    deployed.command("add_consumer", group="Reports", consumer="Reports A")
    expect(deployed.datacenter("analysis").get_by_test_id("group-Reports")).to_be_visible()
    run(deployed, 20)
    expect(deployed.owner(1, "Reports", "live.pageviews")).to_have_attribute("data-consumer", "Reports A")
    expect(deployed.ribbon(1, "Reports", "live.pageviews")).to_have_count(1)
    facts = next(one for one in deployed.facts()["groups"] if one["group"] == "Reports")
    assert facts["partitions"][0]["committed_offset"] > 0
    for one in facts["partitions"]:
        bookmark = deployed.bookmark(one["partition"], "Reports", "live.pageviews")
        expect(bookmark).to_have_attribute("data-offset", str(one["committed_offset"]))


def test_the_audit_and_the_latency_are_those_of_the_engine_and_a_loss_is_announced(deployed: Stage) -> None:
    deployed.command("set_link", **{"from": "producer", "to": "broker:2", "cut": True})
    run(deployed, 66)
    facts = deployed.facts()["deployment"]
    lost = [row for row in facts["audit"] if row["lost"]]
    assert lost
    table = deployed.named("audit").locator("tbody")
    newest = max(lost, key=lambda row: (row["window_start_us"], row["tier"] == "live"))
    start, end = newest["window_start_us"] // 1_000_000, newest["window_end_us"] // 1_000_000
    row = table.locator(f'[data-window="{1_000_000 * start} {1_000_000 * end} pageviews"]')
    cell = row.locator("td").nth(1)
    expect(cell).to_have_attribute("data-kind", "lost")
    expect(cell).to_contain_text(f"{newest['lost']} lost")
    latency = facts["latency"][-1]
    shown = deployed.named("latency").locator("dd").all_inner_texts()
    assert shown == [f"{latency[name] / 1_000_000:.1f} s" for name in ("average_us", "percentile_95_us")]
    expect(deployed.named("warehouse")).to_contain_text(f"{facts['loaders'][0]['rows']} rows in the table")


def test_messages_between_the_parties_are_drawn(deployed: Stage) -> None:
    run(deployed, 20)
    events = api(deployed, "/journal", at_us=deployed.facts()["clock"]["now_us"], max_bytes=1 << 20)["events"]
    for kind, sent in {
        "batch": "batch_sent",
        "fetch": "fetch_sent",
        "answer": "fetch_answered",
        "multi_fetch": "multi_fetch_sent",
        "multi_fetch_answer": "multi_fetch_answered",
        "load": "load_begun",
        "commit": "commit_sent",
    }.items():
        event = next(one for one in events if one["event"] == sent)
        deployed.scrub_to((event["at_us"] + event["due_us"]) // 2_000 * 1_000)
        expect(deployed.page.locator(f'.flight[data-flight^="{kind}:"]')).not_to_have_count(0)


def test_the_card_of_a_crashed_loader_says_so_and_restarts_it(stage: Stage) -> None:
    stage.open("/embed/deployment")
    stage.loader().get_by_role("button", name="Crash").click()
    expect(stage.loader()).to_have_attribute("data-state", "crashed")
    stage.has_announced("Loader crashed")
    stage.loader().get_by_role("button", name="Start again").click()
    expect(stage.loader()).to_have_attribute("data-state", "waiting")
    stage.has_announced("starts at the bookmarks in the warehouse")


def test_the_server_and_javascript_draw_the_deployment_alike(deployed: Stage) -> None:
    deployed.command("set_link", **{"from": "auditor:analysis", "to": "broker:12", "cut": True})
    run(deployed, 40)
    deployed.page.reload()
    deployed.settled()
    deployed.drawn(deployed.facts()["journal"]["end_offset"])
    drawn = deployed.page.evaluate(BOARD_TEXT)
    deployed.page.route("**/js/main.js", lambda route: route.abort())
    deployed.page.reload()
    assert deployed.page.evaluate(BOARD_TEXT) == drawn
    assert any("no link to broker 12" in text for text in drawn)


@pytest.mark.parametrize("width", [390, 1024, 1280, 1440, 1920])
def test_the_deployment_fits_the_width_of_the_window(stage: Stage, width: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 800})
    stage.open_room("deployment")
    inside = "() => document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert stage.page.evaluate(inside)


@pytest.mark.parametrize("width", [1100, 1440])
def test_a_batch_stays_on_the_page_when_it_is_sent(stage: Stage, width: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 900})
    deployed = stage.open_room("deployment")
    deployed.command("clock", action="pause")
    deployed.command("produce", topic="pageviews", count=3, size=150)
    deployed.settled()
    batch = deployed.flights("batch").first.bounding_box()
    assert batch
    assert batch["x"] >= 0
