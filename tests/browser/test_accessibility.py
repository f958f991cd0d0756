"""Accessibility: for people who do not see the picture, use no mouse, or want no motion."""

import re
from dataclasses import fields
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from engine.config import ConsumerSettings, ProducerSettings
from tests.browser.conftest import ServerProcess
from tests.browser.pages.stage import WAREHOUSE, Stage

CONTRAST = """() => {
    const context = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
    const channels = (color) => {
        context.clearRect(0, 0, 1, 1); context.fillStyle = color; context.fillRect(0, 0, 1, 1);
        return [...context.getImageData(0, 0, 1, 1).data];
    };
    const luminance = (rgb) => {
        const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (node) => {
        for (let at = node; at; at = at.parentElement) {
            const color = channels(getComputedStyle(at).backgroundColor);
            if (color[3] > 250) return color.slice(0, 3);
        }
        return [255, 255, 255];
    };
    const poor = new Map();
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    let seen = 0;
    while (walker.nextNode()) {
        const node = walker.currentNode.parentElement;
        if (!walker.currentNode.textContent.trim() || !node.checkVisibility({visibilityProperty: true})) continue;
        if (node.closest("button:disabled, .unseen, template, script, noscript")) continue;
        seen += 1;
        const [text, ground] = [luminance(channels(getComputedStyle(node).color).slice(0, 3)), luminance(behind(node))];
        const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
        const name = `${node.className || node.tagName}: ${walker.currentNode.textContent.trim().slice(0, 30)}`;
        if (ratio < 4.5) poor.set(name, ratio.toFixed(2));
    }
    return {seen, poor: [...poor]};
}"""


@pytest.mark.parametrize("theme", ["light", "dark", "projector"])
def test_text_has_contrast_in_every_theme(stage: Stage, theme: str) -> None:
    stage.page.emulate_media(reduced_motion="reduce")  # or a button may be checked during a transition of its colour
    stage.open(f"/?theme={theme}").at_speed(16)
    stage.press("Metrics B", "Crash")
    stage.add_consumer()
    stage.add_consumer()
    expect(stage.consumer("Metrics B")).to_have_attribute("data-state", "gone")
    stage.settled()
    found = stage.page.evaluate(CONTRAST)
    assert found["seen"] > 80
    assert found["poor"] == []


def test_the_auto_theme_follows_the_system(page: Page, server: ServerProcess) -> None:
    stage = Stage(page, server.base_url)
    background = "() => getComputedStyle(document.body).backgroundColor"
    page.emulate_media(color_scheme="light")
    stage.open()
    light = page.evaluate(background)
    page.emulate_media(color_scheme="dark")
    dark = page.evaluate(background)
    page.goto(f"{server.base_url}/?theme=light")
    assert light != dark
    assert page.evaluate(background) == light


def test_the_narration_is_a_polite_live_region_of_one_short_sentence(stage: Stage) -> None:
    stage.open()
    expect(stage.narration).to_have_attribute("aria-live", "polite")
    stage.batch_send.click()
    stage.has_announced("The producer sends 3 messages as one batch of 386 B to p0.")
    stage.command("set_producer", rate_per_second=1)  # there is always more to announce
    sentences = stage.page.evaluate("""async () => {
        const said = [];
        const place = document.querySelector('[data-part="narration"]');
        new MutationObserver(() => said.push([performance.now(), place.textContent])).observe(place, {childList: true});
        await new Promise((resolve) => {
            const wait = () => (said.length >= 3 ? resolve() : requestAnimationFrame(wait));
            wait();
        });
        return said;
    }""")
    assert all(second[0] - first[0] > 1_000 for first, second in pairwise(sentences))
    assert all(len(sentence) < 140 for _, sentence in sentences)


def test_the_facts_are_also_a_table(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.settled()
    stage.page.get_by_text("The same as a table").click()
    table = stage.page.get_by_role("table").first
    expect(table.get_by_role("columnheader", name="consumer bookmark")).to_be_visible()
    row = table.get_by_role("row").filter(has_text="Real-time metrics").filter(has_text="Broker 1")
    partition = stage.facts()["topics"][0]["partitions"][0]
    expect(row).to_contain_text(", ".join(str(offset) for offset in partition["message_offsets"]))
    expect(row).to_contain_text("Metrics A")


def test_the_table_of_groups_is_updated_while_it_is_open(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.page.get_by_text("The same as a table").click()
    groups = stage.page.get_by_role("region", name="every consumer, as a table")
    stage.page.get_by_label("name of a new group").fill("Third")
    stage.page.get_by_role("button", name="Add group").click()
    expect(groups).to_contain_text("Third")
    expect(groups).to_contain_text("nobody yet")
    stage.press("Metrics B", "Stop")
    expect(groups.get_by_role("row").filter(has_text="Metrics B")).to_contain_text("stopped")


def test_the_tables_contain_everything_that_the_picture_shows(stage: Stage) -> None:
    stage.open()
    stage.page.get_by_text("The same as a table").click()
    stage.pause_time()
    stage.batch_send.click()
    expect(stage.flights("batch")).to_have_count(1)
    stage.step_until(stage.flights("fetch"))
    way = stage.page.get_by_role("region", name="what is on its way, as a table")
    expect(way.get_by_role("row").filter(has_text="batch")).to_contain_text("the producer")
    expect(way.get_by_role("row").filter(has_text="batch")).to_contain_text("pageviews-0 on broker 1")
    expect(way.get_by_role("row").filter(has_text="batch")).to_contain_text("3 messages, 386 B")
    expect(way.get_by_role("row")).to_have_count(1 + stage.flights().count())
    consumers = stage.page.get_by_role("region", name="every consumer, as a table")
    expect(consumers.get_by_role("row").filter(has_text="Metrics A")).to_contain_text("at most 1,024 B a pull")
    partitions = stage.page.get_by_role("region", name="facts of every partition")
    row = partitions.get_by_role("row").filter(has_text="Broker 2").filter(has_text=WAREHOUSE)
    expect(row).to_contain_text("00000000000000000000.kafka 752 B")
    expect(row).to_contain_text("752 B · 4 messages")


def test_the_tables_show_the_displayed_moment_of_the_past(stage: Stage) -> None:
    stage.open().at_speed(16)
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    stage.press("Metrics B", "Stop")
    expect(stage.consumer("Metrics B")).to_have_attribute("data-state", "closed")
    stage.page.get_by_text("The same as a table").click()
    row = stage.page.get_by_role("region", name="every consumer, as a table").get_by_role("row")
    expect(row.filter(has_text="Metrics B")).to_contain_text("stopped")
    stage.focus(stage.scrub)
    stage.page.keyboard.press("Home")
    expect(row.filter(has_text="Metrics B")).to_contain_text("running")


def test_a_message_is_labelled_with_its_offset_its_size_and_whether_it_is_flushed(stage: Stage) -> None:
    stage.open()
    cell = stage.record(0, 860).get_by_role("link")
    stage.pause_time()
    stage.batch_send.click()
    stage.step_until(cell)
    expect(cell).to_have_attribute("aria-label", re.compile(r"^offset 860, 1\d\d bytes, not flushed yet: "))
    stage.at_speed(16).resume_time()
    expect(cell).to_have_attribute("aria-label", re.compile(r"^offset 860, 1\d\d bytes: "))


def test_announcements_keep_their_distance_at_high_speed(stage: Stage) -> None:
    stage.open()
    stage.command("set_producer", rate_per_second=30, batch_messages=3)
    stage.resume_time().at_speed(16)
    said = stage.page.evaluate("""() => new Promise((resolve) => {
        const said = [];
        const note = (changes) => {
            said.push([performance.now(), changes[0].target.textContent]);
            if (said.length === 4) resolve(said);
        };
        for (const place of document.querySelectorAll("[aria-live], [role=status], [role=alert]")) {
            new MutationObserver(note).observe(place, {childList: true, subtree: true, characterData: true});
        }
    })""")
    of_lags = [at_ms for at_ms, text in said if "lag of" in text or "caught up" in text]
    sentences = [at_ms for at_ms, text in said if at_ms not in of_lags]
    assert all(second - first > 11_000 for first, second in pairwise(of_lags)), said
    assert all(second - first > 1_000 for first, second in pairwise(sentences)), said


def test_the_clock_is_not_a_live_region(stage: Stage) -> None:
    """An ``output`` element is a live region: a screen reader would announce it six times a second."""
    stage.open()
    expect(stage.now).to_have_role("timer")
    outputs = stage.page.locator("[data-stage] output:not([role=timer])")
    expect(outputs).to_have_count(0)


@pytest.mark.parametrize("width", [390, 820, 1280])
def test_stop_crash_and_start_can_be_used_with_the_keyboard_at_every_width(stage: Stage, width: int) -> None:
    stage.page.set_viewport_size({"width": width, "height": 800})
    stage.open().at_speed(16)
    for verb in ("Stop", "Crash"):
        button = stage.broker(2).get_by_role("button", name=verb)
        expect(button).to_be_visible()
        assert button.evaluate("(node) => getComputedStyle(node.parentElement).opacity") == "1"
    stage.focus(stage.broker(2).get_by_role("button", name="Crash"))
    stage.page.keyboard.press("Enter")
    expect(stage.broker(2)).to_have_attribute("data-alive", "false")
    stage.focus(stage.broker(2).get_by_role("button", name="Start"))
    stage.page.keyboard.press("Enter")
    expect(stage.broker(2)).to_have_attribute("data-alive", "true")


def test_every_setting_of_the_engine_has_a_field(stage: Stage) -> None:
    stage.open()
    for panel, settings in (
        ("producer", ProducerSettings),
        ("consumer?group=Real-time+metrics&consumer=Metrics+A", ConsumerSettings),
    ):
        markup = stage.page.request.get(f"{stage.base_url}/rooms/{stage.room}/panels/{panel}").text()
        assert {field.name for field in fields(settings)} - set(re.findall(r' name="(\w+)"', markup)) == set()


def test_every_control_has_an_accessible_name(stage: Stage) -> None:
    stage.open()
    nameless = stage.page.evaluate("""() => [...document.querySelectorAll(
        "button, a[href], input:not([type=hidden]), select, [role=slider]")]
        .filter((node) => node.checkVisibility())
        .filter((node) => !(node.textContent.trim() || node.getAttribute("aria-label") || node.labels?.length))
        .map((node) => node.outerHTML)""")
    assert nameless == []


def test_arrow_keys_move_the_focus_along_messages(stage: Stage) -> None:
    stage.open()
    stage.focus(stage.record(0, 645).get_by_role("link"))
    stage.page.keyboard.press("ArrowLeft")
    expect(stage.record(0, 430).get_by_role("link")).to_be_focused()
    stage.page.keyboard.press("Enter")
    expect(stage.inspector).to_contain_text("p0 at offset 430")
    stage.page.keyboard.press("Escape")
    expect(stage.record(0, 430).get_by_role("link")).to_be_focused()


def test_tab_reaches_the_bookmarks_and_one_message_of_each_tape(stage: Stage) -> None:
    stage.open()
    reached = stage.page.evaluate("""() => [...document.querySelectorAll(".partition")].map((tape) =>
        ['.cell[tabindex="0"]', '.bookmark[tabindex="0"]'].map((kind) => tape.querySelectorAll(kind).length))""")
    assert reached == [[1, 2], [1, 2], [1, 2]]


def test_with_reduced_motion_a_batch_does_not_move(stage: Stage) -> None:
    stage.page.emulate_media(reduced_motion="reduce")
    stage.open()
    stage.page.evaluate("""() => {
        window.places = new Set();
        const layer = document.querySelector(".flights");
        const note = () => {
            for (const node of layer.querySelectorAll('[data-kind="batch"]')) window.places.add(node.style.transform);
        };
        new MutationObserver(note).observe(layer, {subtree: true, childList: true, attributes: true});
    }""")
    stage.batch_send.click()
    expect(stage.fact("events-appended")).to_have_text("15")
    assert len(stage.page.evaluate("() => [...window.places]")) == 1
    assert stage.page.evaluate("() => document.getAnimations().length") == 0
