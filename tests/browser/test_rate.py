"""A producer at any rate: what is drawn, what it costs, and what is announced."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.pages.stage import Stage

LISTEN = """
    window.received = [];
    const Real = window.WebSocket;
    window.WebSocket = class extends Real {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", ({data}) => {
                const frame = JSON.parse(data);
                window.received.push({at_ms: performance.now(), bytes: data.length, digest: Boolean(frame.digest)});
            });
        }
    };
"""
TWO_FRAMES = "() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
# The places of the grains of all bands; a new band has none yet.
GRAINS = """(flow) => {
    const offsets = [...flow.querySelectorAll('.band-grains')].map((grains) => grains.style.strokeDashoffset);
    return [...new Set(offsets.filter(Boolean))];
}"""
MOVED = f"(before) => ({GRAINS})(document.querySelector('.flow')).every((grains) => !before.includes(grains))"
# How often the counter of messages changed in sixty frames, and how long they took.
CHANGES = """async (counter) => {
    const begin_ms = performance.now();
    let [changes, text] = [0, counter.textContent];
    for (let frame = 0; frame < 60; frame += 1) {
        await new Promise(requestAnimationFrame);
        if (counter.textContent !== text) changes += 1;
        text = counter.textContent;
    }
    return [changes, performance.now() - begin_ms];
}"""
MANY = """() => Number(document.querySelector('[data-testid="fact-events-appended"]').textContent) > 20_000"""
# How many texts the end of each tape and the figures of lags had during a drag of the slider, a moment a frame.
DRAGGED = """async (scrub) => {
    const nodes = [...document.querySelectorAll('.partition [data-part="next"], .group > header [data-part="behind"]')];
    const texts = nodes.map(() => new Set());
    for (let frame = 0; frame < 30; frame += 1) {
        scrub.value = String(Number(scrub.value) - 10);
        scrub.dispatchEvent(new Event("input", {bubbles: true}));
        await new Promise(requestAnimationFrame);
        nodes.forEach((node, index) => texts[index].add(node.textContent));
    }
    return texts.map(({size}) => size);
}"""
COVERED = """() => new Promise((resolve) => {
    const covered = new Set();
    let frames = 0;
    const look = () => {
        const loads = [...document.querySelectorAll('.flight[data-kind="batch"] .load')];
        if (loads.length) frames += 1;
        for (const name of document.querySelectorAll(".broker-name, .partition-name")) {
            const range = document.createRange();
            range.selectNodeContents(name);
            const two = range.getBoundingClientRect();
            for (const load of loads) {
                const one = load.getBoundingClientRect();
                const [x, y] = [Math.min(one.right, two.right) - Math.max(one.left, two.left),
                    Math.min(one.bottom, two.bottom) - Math.max(one.top, two.top)];
                if (x > 4 && y > two.height / 2) covered.add(name.textContent);
            }
        }
        if (frames < 90) requestAnimationFrame(look);
        else resolve([...covered]);
    };
    look();
})"""


def flood(stage: Stage, **more: Any) -> None:
    """Send ten thousand messages a second until the stage shows them as flow."""
    stage.open().resume_time()
    stage.command("set_producer", rate_per_second=10_000, batch_messages=20, queue_messages=4_000, **more)
    expect(stage.root).to_have_attribute("data-level", "flow", timeout=45_000)


def calm(stage: Stage) -> None:
    stage.command("set_producer", rate_per_second=0)
    expect(stage.root).to_have_attribute("data-level", "messages", timeout=45_000)


def test_a_flood_is_drawn_as_flow_with_counters_and_names_its_level(stage: Stage) -> None:
    flood(stage)
    expect(stage.level).to_contain_text("flow")
    expect(stage.level).to_contain_text("messages/s")
    expect(stage.flights()).to_have_count(0)
    for partition in range(3):
        expect(stage.page.locator(f'[data-band="producer pageviews-{partition}"]')).to_be_attached()
        expect(stage.partition(partition).locator(".tape-rate")).to_contain_text("B/s", timeout=45_000)
        expect(stage.records(partition)).to_have_count(0)
    widths = stage.bands.evaluate_all(
        "(bands) => bands.map((band) => [Number(band.dataset.rate), parseFloat(band.style.getPropertyValue('--band'))])"
    )
    ordered = [width for _, width in sorted(widths)]
    assert ordered == sorted(ordered)
    stage.has_announced("a second are appended")


def test_a_flood_costs_a_viewer_less_than_50_kilobytes_a_second(stage: Stage) -> None:
    stage.page.add_init_script(LISTEN)
    flood(stage)
    stage.page.wait_for_function("() => window.received.filter(({digest}) => digest).length > 20", timeout=45_000)
    frames = stage.page.evaluate("() => window.received.slice(window.received.findIndex(({digest}) => digest) + 1)")
    seconds = (frames[-1]["at_ms"] - frames[0]["at_ms"]) / 1_000
    assert sum(frame["bytes"] for frame in frames[1:]) / seconds < 50_000


def test_a_pause_at_a_high_rate_shows_the_exact_state_and_stops_all_grains(stage: Stage) -> None:
    flood(stage)
    expect(stage.bands).not_to_have_count(0)
    flow = stage.page.locator(".flow")
    stage.page.wait_for_function(f"() => ({GRAINS})(document.querySelector('.flow')).length")
    stage.page.wait_for_function(MOVED, arg=flow.evaluate(GRAINS))
    stage.command("clock", action="pause")
    stage.settled()
    assert stage.fact("events-appended").inner_text() == str(stage.facts()["topics"][0]["events_appended"])
    grains = flow.evaluate(GRAINS)
    stage.page.evaluate(TWO_FRAMES)
    assert flow.evaluate(GRAINS) == grains


def test_after_a_flood_every_message_is_drawn_and_the_picture_is_exact(stage: Stage) -> None:
    flood(stage)
    calm(stage)
    expect(stage.bands).to_have_count(0)
    stage.command("produce", records=[{"value": "/home"}])
    stage.settled()
    facts = stage.facts()["topics"][0]
    assert stage.fact("events-appended").inner_text() == str(facts["events_appended"])
    for partition in facts["partitions"]:
        drawn = stage.offsets(partition["partition"])
        assert drawn
        assert drawn == partition["message_offsets"][-len(drawn) :]


def test_the_page_does_not_grow_during_a_flood(stage: Stage) -> None:
    stage.page.add_init_script(LISTEN)
    flood(stage)
    counts = []
    for digests in (8, 20):
        stage.page.wait_for_function(
            "(count) => window.received.filter(({digest}) => digest).length > count", arg=digests, timeout=45_000
        )
        counts.append(stage.page.evaluate("() => document.querySelectorAll('*').length"))
    assert abs(counts[1] - counts[0]) < 40
    stage.scrub_to(stage.facts()["clock"]["now_us"] // 2_000 * 1_000)
    expect(stage.root).to_have_attribute("data-level", "flow")
    stage.pause.click()
    changes, passed_ms = stage.fact("events-appended").evaluate(CHANGES)
    assert 1 <= changes <= passed_ms / 220 + 1, "the past of a flood plays at the rate of live digests"


def test_nothing_moves_in_the_bands_with_reduced_motion(stage: Stage) -> None:
    stage.page.emulate_media(reduced_motion="reduce")
    flood(stage)
    flow = stage.page.locator(".flow")
    stage.page.wait_for_function(f"() => ({GRAINS})(document.querySelector('.flow')).length")
    grains = flow.evaluate(GRAINS)
    stage.page.evaluate(TWO_FRAMES)
    assert flow.evaluate(GRAINS) == grains


def test_dragging_through_the_past_of_a_flood_updates_every_tape_and_figure(stage: Stage) -> None:
    flood(stage)
    stage.page.wait_for_function(MANY, timeout=45_000)
    stage.scrub_to(stage.facts()["clock"]["now_us"] // 2_000 * 1_000)
    expect(stage.root).to_have_attribute("data-level", "flow")
    assert min(stage.scrub.evaluate(DRAGGED)) > 3


def test_more_than_200_messages_in_flight_are_drawn_as_batches_with_a_count(stage: Stage) -> None:
    stage.open().resume_time()
    stage.command("set_producer", rate_per_second=450, batch_messages=20)
    expect(stage.root).to_have_attribute("data-level", "batches", timeout=45_000)
    block = stage.page.locator('.flight[data-kind="batch"][data-bundled="true"] .flight-label').first
    expect(block).to_have_text("20")
    expect(stage.level).to_contain_text("batches")


@pytest.mark.parametrize(("rate", "batch_messages"), [(30, 3), (450, 20)])
def test_batches_pass_beside_the_names_of_brokers_and_partitions(stage: Stage, rate: int, batch_messages: int) -> None:
    stage.open().resume_time()
    stage.command("set_producer", rate_per_second=rate, batch_messages=batch_messages)
    expect(stage.flights("batch").first).to_be_attached()
    assert stage.page.evaluate(COVERED) == []
