"""Many marks that move at once are drawn on one canvas, and look the same there as they do as nodes."""

import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Route, expect

from tests.browser.pages.stage import Stage

SVG = "{http://www.w3.org/2000/svg}"

MARKS = """() => Number(document.querySelector('[data-part="crowd"]').dataset.marks ?? 0)"""
GROUP = "Warehouse loader"
CROWD_LAYER = '.flights [data-part="crowd"]'

# Draws every kind of mark in every look, each in a field of its own; forty-eight marks are a crowd.
LAID_OUT = """async () => {
    const {paintFlights} = await import("/static/js/view/flights.js");
    const {Crowd} = await import("/static/js/view/crowd.js");
    const stage = document.querySelector("[data-stage]");
    const layer = Object.assign(document.createElement("div"), {className: "flights"});
    layer.style.cssText = "position: fixed; inset: 0; z-index: 100; background: var(--paper)";
    const canvas = Object.assign(document.createElement("canvas"), {className: "crowd", hidden: true});
    layer.append(canvas);
    document.querySelector(".board").append(layer);
    const mark = {label: "", detail: "", group: "0", idle: false, width: 0, cells: 0};
    const kinds = [
        {kind: "batch", width: 16, cells: 1}, {kind: "batch", width: 48, cells: 5},
        {kind: "batch", width: 32, bundled: true}, {kind: "answer", width: 32}, {kind: "answer", width: 0, idle: true},
        {kind: "fetch"}, {kind: "fetch", idle: true}, {kind: "commit"}, {kind: "watch"},
        {kind: "ack"}, {kind: "ack", failed: true}, {kind: "disk"}, {kind: "load", cells: 6},
    ];
    window.fields = Array.from({length: 52}, (_, index) => ({
        ...mark, ...kinds[index % 13], group: String(index % 3), key: `batch:${index}`,
        x: 40 + 80 * (index % 13), y: 40 + 60 * Math.floor(index / 13),
    }));
    const crowd = new Crowd(layer, canvas);
    while (!crowd.fits) await new Promise(requestAnimationFrame);
    window.paintMarks = (as_nodes) =>
        paintFlights(layer, window.fields, {moves: true, crowd, as_nodes, indexOf: Number});
    window.crowdCanvas = canvas;
}"""

# The canvas is drawn in a worker: waits until something is visible on it.
IS_DRAWN = """(canvas) => {
    const small = new OffscreenCanvas(canvas.width, canvas.height);
    const context = small.getContext("2d");
    context.drawImage(canvas, 0, 0);
    return context.getImageData(0, 0, small.width, small.height).data.some((value) => value > 0);
}"""

# The brightness of the brightest drawn pixels.
BRIGHTNESS = """(canvas) => {
    const small = new OffscreenCanvas(canvas.width, canvas.height);
    const context = small.getContext("2d");
    context.drawImage(canvas, 0, 0);
    const values = [...context.getImageData(0, 0, small.width, small.height).data];
    const solid = values.filter((_, at) => at % 4 === 1 && values[at + 2] === 255);
    return solid.reduce((sum, value) => sum + value, 0) / Math.max(1, solid.length);
}"""

# For each field: how many blurred pixels are drawn, and how many of them differ in the other picture.
UNLIKE_BY_FIELD = """async ([one, other]) => {
    const drawn = async (png) => {
        const image = new Image();
        image.src = `data:image/png;base64,${png}`;
        await image.decode();
        const context = new OffscreenCanvas(image.width / 4, image.height / 4).getContext("2d");
        context.imageSmoothingQuality = "high";
        context.drawImage(image, 0, 0, image.width / 4, image.height / 4);
        return context;
    };
    const [these, those] = [await drawn(one), await drawn(other)];
    return window.fields.map(({kind, x, y}) => {
        const [a, b] = [these, those].map((context) => context.getImageData(x / 4 - 8, y / 4 - 6, 16, 12).data);
        let [unlike, ink] = [0, 0];
        for (let at = 0; at < a.length; at += 4) {
            const differs = (pixels, from, limit) =>
                [0, 1, 2].some((channel) => Math.abs(pixels[at + channel] - from[channel]) > limit);
            if (differs(a, a, 12)) ink += 1;
            if (differs(a, b.slice(at, at + 3), 30)) unlike += 1;
        }
        return [kind, ink, unlike];
    });
}"""


# In ninety frames: how often the counter changed, and how often less than seven frames after its last change; how
# often a tape changed, and how often two in one frame; and how often the figure of a lag changed.
CHANGED_SOON = """async (counter) => {
    const tapes = [...document.querySelectorAll('.partition [data-part="next"]')];
    const nodes = [counter, document.querySelector('.group [data-part="behind"]'), ...tapes];
    let [changed, soon, moved, together, behind, last] = [0, 0, 0, 0, 0, -Infinity];
    let texts = nodes.map((node) => node.textContent);
    for (let frame = 0; frame < 90; frame += 1) {
        await new Promise(requestAnimationFrame);
        const [counts, lags, ...moves] = nodes.map((node, index) => node.textContent !== texts[index]);
        texts = nodes.map((node) => node.textContent);
        if (counts) {
            changed += 1;
            if (frame - last < 7) soon += 1;
            last = frame;
        }
        if (lags) behind += 1;
        const count = moves.filter(Boolean).length;
        moved += count;
        if (count > 1) together += 1;
    }
    return [changed, soon, moved, together, behind];
}"""
WRITTEN = ", ".join(
    ['[data-part="behind"]', ".node-value", ".owner"]
    + [f'.bookmark-row [data-part="{name}"]' for name in ("offset", "fetch-offset", "group")]
)


def crowd(stage: Stage) -> None:
    """Send ever more messages, so that marks of single messages are in flight."""
    stage.resume_time().at_speed(0.3)
    stage.command("set_producer", rate_per_second=175, batch_messages=1)


def drawn_crowd(stage: Stage, *, marks: int = 60) -> None:
    crowd(stage)
    stage.page.wait_for_function(f"() => ({MARKS})() > {marks}", timeout=45_000)
    stage.page.wait_for_function(f"() => ({IS_DRAWN})(document.querySelector('{CROWD_LAYER}'))")


@pytest.mark.parametrize("theme", ["light", "dark", "projector"])
def test_a_mark_in_a_crowd_looks_as_it_does_as_a_node(stage: Stage, theme: str) -> None:
    stage.open(f"/?theme={theme}")
    stage.page.evaluate(LAID_OUT)
    stage.page.evaluate("() => window.paintMarks(true)")
    expect(stage.page.locator(f"{CROWD_LAYER}:visible")).to_have_count(0)
    expect(stage.page.locator('.flight[data-kind="load"] i')).to_have_count(4 * 6)  # a line for each row
    nodes = stage.page.screenshot()
    stage.page.evaluate("() => window.paintMarks(false)")
    stage.page.wait_for_function(f"() => ({IS_DRAWN})(window.crowdCanvas)")
    canvas = stage.page.screenshot()
    fields = stage.page.evaluate(UNLIKE_BY_FIELD, [base64.b64encode(png).decode() for png in (nodes, canvas)])
    assert [kind for kind, ink, unlike in fields if ink < 4 or unlike > 0.3 * ink] == []


def test_moving_crowds_are_drawn_on_a_canvas_and_paused_ones_as_nodes(stage: Stage) -> None:
    stage.open()
    drawn_crowd(stage)
    canvas = stage.page.locator(CROWD_LAYER)
    expect(canvas).to_be_visible()
    assert stage.flights().count() < 48
    stage.command("clock", action="pause")
    stage.settled()
    expect(canvas).to_be_hidden()
    assert stage.flights().count() > 48


def test_an_exported_picture_has_the_marks_of_a_crowd(stage: Stage, tmp_path: Path) -> None:
    stage.open()
    stage.page.get_by_role("button", name="SVG").focus()  # its module comes
    drawn_crowd(stage)
    with stage.page.expect_download() as waiting:
        stage.page.get_by_role("button", name="SVG").click()
    path = tmp_path / "crowd.svg"
    waiting.value.save_as(path)
    card = stage.page.locator(".producer").evaluate("(node) => getComputedStyle(node).backgroundColor")
    root = ElementTree.parse(path).getroot()
    hexadecimal = "#" + "".join(f"{int(part):02x}" for part in card.removeprefix("rgb(").removesuffix(")").split(","))
    boxes = [element for element in root.iter(f"{SVG}path") if element.get("fill") == hexadecimal]
    assert len(boxes) > 60
    expect(stage.page.locator(CROWD_LAYER)).to_be_visible()  # the next picture of the page has it again
    assert stage.flights().count() < 48


def test_a_crowd_takes_the_colours_of_another_theme(stage: Stage) -> None:
    stage.open("/?theme=light")
    drawn_crowd(stage)
    canvas = stage.page.locator(CROWD_LAYER)
    before = canvas.evaluate(BRIGHTNESS)
    stage.theme.select_option("dark")
    stage.page.wait_for_function(
        f"(before) => ({BRIGHTNESS})(document.querySelector('{CROWD_LAYER}')) < before / 2", arg=before
    )


def test_stepping_back_from_a_crowd_shows_the_past_and_its_controls(stage: Stage) -> None:
    stage.open()
    drawn_crowd(stage)
    stage.step_back.click()
    expect(stage.root).to_have_attribute("data-view", "past")
    stage.settled()
    expect(stage.live).to_be_enabled()
    expect(stage.page.locator(CROWD_LAYER)).to_be_hidden()
    stage.live.click()
    expect(stage.root).to_have_attribute("data-view", "live")
    expect(stage.page.locator(CROWD_LAYER)).to_be_visible()


def test_marks_are_nodes_until_the_canvas_worker_is_loaded(stage: Stage) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    stage.page.route("**/crowd_pen.js*", hold)
    stage.open()
    crowd(stage)
    expect(stage.flights().nth(60)).to_be_attached(timeout=45_000)
    while not held:
        stage.page.evaluate("() => new Promise(requestAnimationFrame)")
    held[0].continue_()
    expect(stage.page.locator(CROWD_LAYER)).to_be_visible()
    expect(stage.flights().nth(48)).not_to_be_attached()


def test_with_forced_colors_every_mark_is_a_node(stage: Stage) -> None:
    stage.page.emulate_media(forced_colors="active")
    stage.open()
    crowd(stage)
    expect(stage.flights().nth(60)).to_be_attached(timeout=45_000)
    expect(stage.page.locator(CROWD_LAYER)).to_be_hidden()


@pytest.mark.parametrize("missing", ["crowd.js", "crowd_pen.js"])
def test_a_crowd_is_drawn_as_nodes_if_its_module_fails_to_load(stage: Stage, missing: str) -> None:
    def refuse(route: Route) -> None:
        route.abort()

    stage.page.route(f"**/{missing}*", refuse)
    stage.open()
    crowd(stage)
    expect(stage.flights().nth(60)).to_be_attached(timeout=45_000)


def drawn_flood(stage: Stage) -> None:
    stage.resume_time()
    stage.command("set_producer", rate_per_second=10_000, batch_messages=20, queue_messages=4_000)
    expect(stage.root).to_have_attribute("data-level", "flow", timeout=45_000)


@pytest.mark.parametrize("busy", [partial(drawn_crowd, marks=150), drawn_flood], ids=["crowd", "flood"])
def test_at_high_load_a_state_is_painted_over_seven_frames_and_a_pause_shows_it_completely(
    stage: Stage, busy: Callable[[Stage], None]
) -> None:
    stage.open()
    busy(stage)
    changed, soon, moved, together, behind = stage.fact("events-appended").evaluate(CHANGED_SOON)
    assert changed > 2
    assert moved > 2
    assert behind > 2
    assert max(soon, together) <= changed / 2  # what moves boxes is painted at once
    stage.command("clock", action="pause")
    stage.settled()
    facts = stage.facts()["topics"][0]
    assert stage.fact("events-appended").inner_text() == str(facts["events_appended"])
    ends = [stage.partition(number).locator('[data-part="next"]').inner_text() for number in range(3)]
    assert ends == [str(one["next_offset"]) for one in facts["partitions"]]
    written = stage.page.locator(WRITTEN).all_inner_texts()
    stage.page.reload()
    stage.settled()
    assert stage.page.locator(WRITTEN).all_inner_texts() == written


def test_the_ribbon_of_a_consumer_that_joins_during_a_flood_reaches_its_card(stage: Stage) -> None:
    stage.open()
    drawn_flood(stage)
    stage.command("add_consumer", group=GROUP, consumer="Loader B")
    ribbon = stage.page.locator('.ribbon[data-consumer="Loader B"] .ribbon-line')
    expect(ribbon).to_have_count(1, timeout=45_000)
    card = stage.page.locator('.consumer[data-consumer="Loader B"]')
    end = ribbon.evaluate("""(line) => {
        const {x, y} = line.getPointAtLength(line.getTotalLength());
        return {x, y};
    }""")
    board = stage.page.locator(".board").bounding_box()
    box = card.bounding_box()
    assert board
    assert box
    assert end["x"] + board["x"] == pytest.approx(box["x"], abs=4)
    assert box["y"] < end["y"] + board["y"] < box["y"] + box["height"]
    tab = stage.page.locator(f'.bookmark-row[data-group="{GROUP}"] .owner[data-consumer="Loader B"]')
    begins = "(line) => line.getBoundingClientRect().left"
    assert ribbon.evaluate(begins) == pytest.approx(tab.evaluate("(tab) => tab.getBoundingClientRect().right"), abs=4)


def test_in_a_paused_crowd_every_mark_is_labelled_with_its_size_only(stage: Stage) -> None:
    stage.open()
    drawn_crowd(stage, marks=150)
    stage.command("clock", action="pause")
    stage.settled()
    labels = stage.page.locator('.flight[data-kind="batch"] .flight-label:visible')
    assert labels.count() > 3
    expect(stage.page.locator(".flight-detail:visible")).to_have_count(0)
    assert set(labels.evaluate_all("(nodes) => nodes.map((node) => /^\\d+ B$/.test(node.textContent))")) == {True}
