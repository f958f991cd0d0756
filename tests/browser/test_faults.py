"""Faults as the stage shows them: in words at the parties concerned, and in announcements."""

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import METRICS, Stage

METRICS_B = f"consumer:{METRICS}/Metrics B"


def test_an_acknowledgement_travels_back_to_the_producer(stage: Stage) -> None:
    stage.open()
    stage.command("set_producer", acknowledgement="broker")
    stage.pause_time()
    stage.batch_send.click()
    tick = stage.flights("ack")
    stage.step_until(tick)
    expect(tick).to_have_attribute("data-failed", "false")
    expect(tick.locator(".flight-label")).to_have_text("at 860")
    stage.at_speed(4).resume_time()
    stage.has_announced("acknowledges: the batch is at offset 860 of p0")


def test_a_batch_waits_for_a_slow_disk(stage: Stage) -> None:
    stage.open()
    stage.command("set_disk", broker=1, delay_ms=60_000)
    expect(stage.broker(1).locator(".broker-state")).to_have_text("disk slow: 60.0 s a batch")
    stage.batch_send.click()
    expect(stage.flights("disk").locator(".flight-label")).to_have_text("waits for the disk")
    expect(stage.page.get_by_label("partition p0 of pageviews, 1 batch waits for the disk")).to_be_visible()
    stage.has_announced("waits 60.0 s for it")
    stage.command("set_disk", broker=1, full=True)
    expect(stage.broker(1).locator(".broker-state")).to_have_text("disk full: halts at the next append")


def test_a_crashed_broker_counts_down_to_the_end_of_its_session(stage: Stage) -> None:
    stage.open().at_speed(0.25).resume_time()
    stage.broker(3).get_by_role("button", name="Crash").click()
    expect(stage.broker(3).locator(".broker-state")).to_have_text("crashed: the registry does not know yet")
    expect(stage.broker(3).locator(".countdown")).to_be_visible()
    stage.at_speed(16)
    expect(stage.broker(3).locator(".broker-state")).to_have_text("down")
    expect(stage.broker(3).locator(".countdown")).to_be_hidden()


def test_a_faulty_link_is_shown_at_both_ends_and_by_the_server(stage: Stage) -> None:
    stage.open()
    stage.pause_time()
    stage.command("set_link", **{"from": METRICS_B, "to": "broker:2", "cut": True})
    stage.command("set_link", **{"from": "broker:1", "to": "producer", "loss_percent": 25, "delay_ms": 1500})

    def shown() -> list[str]:
        places = [stage.consumer("Metrics B").locator(".consumer-doing"), stage.broker(2).locator(".broker-state")]
        places += [stage.broker(1).locator(".broker-state"), stage.page.locator(".producer-state")]
        return [place.inner_text() for place in places]

    slow = "loses 25 % to and from {}, 1.5 s slower to {}"
    words = [
        "no link to broker 2",
        "no link to Metrics B",
        slow.format(*["the producer"] * 2),
        slow.format(*["broker 1"] * 2),
    ]
    expect(stage.ribbon(1)).to_have_attribute("data-link", "cut")
    assert shown() == words
    stage.page.route("**/js/main.js", lambda route: route.abort())
    stage.page.goto(f"{stage.base_url}/rooms/{stage.room}")
    assert shown() == words


def test_a_message_lost_on_a_link_fades_where_it_was(stage: Stage) -> None:
    stage.open().at_speed(0.3)
    stage.command("set_link", **{"from": "producer", "to": "broker:1", "cut": True})
    stage.page.evaluate("""() => {
        window.faded = new Set();
        new MutationObserver(() => {
            const mark = document.querySelector('.flight[data-lost="true"][data-kind="batch"]');
            if (mark) window.faded.add(getComputedStyle(mark).opacity
                + mark.querySelector(".flight-label").textContent);
        }).observe(document.querySelector(".flights"),
            {subtree: true, childList: true, attributes: true});
    }""")
    stage.batch_send.click()
    stage.page.wait_for_function("() => window.faded.size > 3")
    stage.at_speed(16)
    stage.has_announced("is lost. A sender that asks for no acknowledgement")
    stage.settled()
    seen = stage.page.evaluate("() => [...window.faded]")
    assert all(one.endswith("lost") for one in seen)


def test_a_frozen_consumer_is_shown_as_suspended_with_a_countdown(stage: Stage) -> None:
    stage.open().at_speed(0.25).resume_time()
    stage.command("freeze_consumer", group=METRICS, consumer="Metrics C", duration_ms=3_000)
    card = stage.consumer("Metrics C")
    expect(card.locator(".consumer-state")).to_have_text("suspended")
    expect(card.locator(".countdown")).to_be_visible()
    stage.has_announced("Metrics C is suspended for 3.0 s")
    stage.at_speed(8)
    expect(card.locator(".consumer-state")).to_have_text("running")
    expect(card.locator(".countdown")).to_be_hidden()


def test_the_queue_of_the_producer_is_shown_while_it_is_not_empty(stage: Stage) -> None:
    stage.open()
    expect(stage.page.locator(".producer-state")).to_have_text("")
    stage.pause_time()
    stage.command("set_producer", sending="async", acknowledgement="broker", batch_messages=2)
    for _ in range(3):
        stage.command("produce", count=2)
    expect(stage.page.locator(".producer-state")).to_contain_text("queued")


def test_a_damaged_message_is_reported_at_the_bookmark(stage: Stage) -> None:
    stage.open()
    stage.command("corrupt", partition=0, offset=430)
    stage.at_speed(16).resume_time()
    row = stage.partition(0).locator(f'.bookmark-row[data-group="{METRICS}"]')
    expect(row.locator(".row-name")).to_have_text("damaged message at 430: reads no further")
    expect(stage.bookmark(0)).to_have_attribute(
        "aria-valuetext", "offset 430 of 860; damaged message at 430: reads no further"
    )


def test_a_message_larger_than_a_fetch_is_not_reported_as_damaged(stage: Stage) -> None:
    stage.open()
    stage.command("produce", count=1, size=3_000)
    stage.at_speed(16).resume_time()
    row = stage.page.locator(f'.bookmark-row[data-group="{METRICS}"][data-error="invalid_message_size"]')
    words = "the message at 860 is larger than a pull{}: reads no further"
    expect(row.locator(".row-name")).to_have_text(words.format(" (1,024 B)"))
    expect(row.locator(".bookmark")).to_have_attribute(
        "aria-valuetext", re.compile(re.escape(words.format(" (1,024 B)")))
    )
    owner = row.locator(".owner").get_attribute("data-consumer")
    stage.pause_room()
    stage.page.route("**/js/main.js", lambda route: route.abort())
    stage.page.goto(f"{stage.base_url}/rooms/{stage.room}")
    expect(row.locator(".row-name")).to_have_text(words.format(" (1,024 B)"))
    expect(row.locator(".bookmark")).to_have_attribute(
        "aria-valuetext", re.compile(re.escape(words.format(" (1,024 B)")))
    )
    stage.page.unroute("**/js/main.js")
    stage.open(f"/rooms/{stage.room}")
    stage.command("set_consumer", group=METRICS, consumer=owner, fetch_bytes=4_096)
    expect(row).to_have_count(0)
    expect(stage.narration).to_contain_text(f"{owner} can read p0 again, and continues at offset 860.")


WHY_NOT = """async () => {
    const { errorInWords } = await import("/static/js/scene/troubles.js");
    const { sentence } = await import("/static/js/scene/narration.js");
    const log = { topic: "t", partition: 0, entries: [[860, 3009, 1, ""]] };
    const consumers = { "g/A": { settings: { fetch_bytes: 1024 } } };
    const state = { partitions: { "t-0": log }, topics: { t: {} }, consumers };
    const about = { group: "g", consumer: "A", topic: "t", partition: 0, offset: 860 };
    const errors = ["invalid_message", "invalid_message_size", "offset_out_of_range", "unsupported_codec",
        "unknown_server_fault", "unknown_partition"];
    return errors.map((error) => [
        errorInWords(state, log, { error, fetch_offset: 860, consumer: "A" }, "g"),
        sentence([{ event: "message_rejected", ...about, error }], state, {}).text,
    ]);
}"""


def test_each_reason_why_a_consumer_stops_reading_has_its_own_description(page: Page, server: ServerProcess) -> None:
    page.goto(f"{server.base_url}/healthz")
    too_large = (
        "The message at 860 of p0 is larger than a pull of A (1,024 B): it reads no further. Raise its bytes per pull."
    )
    assert page.evaluate(WHY_NOT) == [
        ["damaged message at 860: reads no further", "A met damaged bytes at 860 of p0 and reads no further."],
        [
            "the message at 860 is larger than a pull (1,024 B): reads no further",
            too_large,
        ],
        [
            "offset 860 is not in the log: reads no further",
            "Offset 860 is not in p0, and A may not choose another: it reads no further.",
        ],
        [
            "the message set at 860 has a codec that is not supported: reads no further",
            "The message set at 860 of p0 has a codec that A does not support: it reads no further.",
        ],
        [
            "the broker cannot read its log at 860: keeps asking",
            "The broker cannot read p0 from its disk at 860: A keeps asking.",
        ],
        ["unknown partition at 860", "A reads p0 no further than 860: unknown partition."],
    ]


def test_a_refusal_in_the_inspector_disappears_when_it_no_longer_applies(stage: Stage) -> None:
    stage.open()
    stage.pause_time()
    stage.command("produce", count=1)
    hatched = stage.page.locator('.record[data-flushed="false"]')
    while not hatched.count():
        stage.command("clock", action="step")
    hatched.get_by_role("link").press("Enter")
    refusal = stage.inspector.locator("#inspector-content .outcome")
    expect(refusal).to_contain_text("wait until the broker has flushed it")
    close, box = (
        stage.inspector.get_by_role("button", name="close the inspector").bounding_box(),
        refusal.bounding_box(),
    )
    assert close
    assert box
    assert close["y"] + close["height"] < box["y"]
    stage.resume_time()
    expect(stage.inspector.locator("h2")).to_have_text("p0 at offset 860")
    expect(refusal).to_have_count(0)


def test_a_consumer_is_paused_and_resumed_on_its_card(stage: Stage) -> None:
    stage.open().resume_time()
    stage.press("Metrics A", "Pause")
    expect(stage.consumer("Metrics A").locator(".consumer-state")).to_have_text("paused")
    stage.has_announced("Metrics A is paused")
    stage.press("Metrics A", "Resume")
    expect(stage.consumer("Metrics A").locator(".consumer-state")).to_have_text("running")
