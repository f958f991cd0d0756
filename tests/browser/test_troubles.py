"""Failures as the stage shows them: in words, at those concerned, and in what is spoken."""

from playwright.sync_api import expect

from tests.browser.pages.stage import METRICS, Stage

METRICS_B = f"consumer:{METRICS}/Metrics B"


def test_an_acknowledgement_travels_back_to_the_producer(stage: Stage) -> None:
    stage.open()
    stage.command("set_producer", acknowledgement="broker")
    stage.batch_send.click()
    tick = stage.flights("ack")
    expect(tick).to_have_attribute("data-failed", "false")
    expect(tick.locator(".flight-label")).to_have_text("at 860")
    expect(stage.narration).to_contain_text("acknowledges: the batch is at offset 860 of p0")


def test_a_batch_waits_for_a_slow_disk(stage: Stage) -> None:
    stage.open()
    stage.command("set_disk", broker=1, delay_ms=6_000)
    expect(stage.broker(1).locator(".broker-state")).to_have_text("disk slow: 6.0 s a batch")
    stage.batch_send.click()
    expect(stage.flights("disk").locator(".flight-label")).to_have_text("waits for the disk")
    expect(stage.page.get_by_label("partition p0 of pageviews, 1 batch waits for the disk")).to_be_visible()
    expect(stage.narration).to_contain_text("waits 6.0 s for it")
    stage.command("set_disk", broker=1, full=True)
    expect(stage.broker(1).locator(".broker-state")).to_have_text("disk full: halts at the next append")


def test_a_crashed_broker_shows_how_long_its_session_lasts(stage: Stage) -> None:
    stage.open().let_time_run()
    stage.broker(3).get_by_role("button", name="Crash").click()
    expect(stage.broker(3).locator(".broker-state")).to_have_text("crashed: the registry does not know yet")
    expect(stage.broker(3).locator(".countdown")).to_be_visible()
    stage.at_speed(16)
    expect(stage.broker(3).locator(".broker-state")).to_have_text("down")
    expect(stage.broker(3).locator(".countdown")).to_be_hidden()


def test_a_link_in_trouble_is_told_by_both_ends_and_by_the_servers_picture(stage: Stage) -> None:
    stage.open()
    stage.command("clock", action="pause")
    stage.command("set_link", **{"from": METRICS_B, "to": "broker:2", "cut": True})
    stage.command("set_link", **{"from": "broker:1", "to": "producer", "loss_percent": 25, "delay_ms": 1500})

    def told() -> list[str]:
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
    assert told() == words
    stage.page.route("**/js/main.js", lambda route: route.abort())
    stage.page.goto(f"{stage.base_url}/rooms/{stage.room}")
    assert told() == words


def test_a_message_lost_on_the_wire_fades_where_it_was(stage: Stage) -> None:
    stage.open()
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
    expect(stage.narration).to_contain_text("reached nobody")
    stage.settled()
    seen = stage.page.evaluate("() => [...window.faded]")
    assert len(seen) > 3
    assert all(one.endswith("lost") for one in seen)


def test_a_frozen_consumer_stands_still_for_so_long(stage: Stage) -> None:
    stage.open().let_time_run()
    stage.command("freeze_consumer", group=METRICS, consumer="Metrics C", duration_ms=3_000)
    card = stage.consumer("Metrics C")
    expect(card.locator(".consumer-state")).to_have_text("stands still")
    expect(card.locator(".countdown")).to_be_visible()
    expect(stage.narration).to_contain_text("Metrics C stands still for 3.0 s")
    expect(card.locator(".consumer-state")).to_have_text("running")
    expect(card.locator(".countdown")).to_be_hidden()


def test_the_producers_queue_is_told_while_something_is_in_it(stage: Stage) -> None:
    stage.open()
    expect(stage.page.locator(".producer-state")).to_have_text("")
    stage.command("clock", action="pause")
    stage.command("set_producer", sending="async", acknowledgement="broker", batch_messages=2)
    for _ in range(3):
        stage.command("produce", count=2)
    expect(stage.page.locator(".producer-state")).to_contain_text("in the queue")


def test_a_damaged_message_is_told_at_the_bookmark(stage: Stage) -> None:
    stage.open()
    stage.command("corrupt", partition=0, offset=430)
    stage.at_speed(16).let_time_run()
    row = stage.partition(0).locator(f'.bookmark-row[data-group="{METRICS}"]')
    expect(row.locator(".row-name")).to_have_text("damaged message at 430: reads no further")
    expect(stage.bookmark(0)).to_have_attribute(
        "aria-valuetext", "offset 430 of 860; damaged message at 430: reads no further"
    )


def test_a_consumer_is_paused_and_resumed_on_its_card(stage: Stage) -> None:
    stage.open().let_time_run()
    stage.press("Metrics A", "Pause")
    expect(stage.consumer("Metrics A").locator(".consumer-state")).to_have_text("paused")
    expect(stage.narration).to_contain_text("Metrics A is paused")
    stage.press("Metrics A", "Resume")
    expect(stage.consumer("Metrics A").locator(".consumer-state")).to_have_text("running")
