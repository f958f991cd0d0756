"""Exported pictures: they are self-contained, and look the same as on the page."""

import base64
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Page, expect

from tests.browser.pages.prepared_rooms import RoomControl
from tests.browser.pages.stage import METRICS, Stage

SVG = "{http://www.w3.org/2000/svg}"

TWO_FRAMES = "() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))"
UNLIKE = """async ([one, other]) => {
    const pixels = async (png) => {
        const image = new Image();
        image.src = `data:image/png;base64,${png}`;
        await image.decode();
        const canvas = new OffscreenCanvas(320, 180);
        const context = canvas.getContext("2d");
        context.imageSmoothingQuality = "high";
        context.drawImage(image, 0, 0, 320, 180);
        return context.getImageData(0, 0, 320, 180).data;
    };
    const [these, those] = [await pixels(one), await pixels(other)];
    let unlike = 0;
    for (let at = 0; at < these.length; at += 4) {
        if ([0, 1, 2].some((channel) => Math.abs(these[at + channel] - those[at + channel]) > 40)) unlike += 1;
    }
    return unlike / (these.length / 4);
}"""


def in_the_middle(stage: Stage, query: str = "") -> Stage:
    """Open a paused room with batches in flight, unflushed bytes and a crashed consumer."""
    control = RoomControl(stage.page, stage.base_url)
    control.command("set_producer", topic="pageviews", rate_per_second=5)
    control.run_until(12_000_000)
    control.command("crash_consumer", group=METRICS, consumer="Metrics C")
    control.show(stage, query)
    expect(stage.root).to_have_attribute("data-paused", "true")
    stage.page.evaluate("() => document.fonts.ready")
    return stage


def taken(stage: Stage, kind: str, folder: Path) -> Path:
    with stage.page.expect_download() as waiting:
        stage.page.get_by_role("button", name=kind.upper()).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


def unlike(page: Page, one: bytes, other: bytes) -> float:
    """Return the share of two pictures that clearly differs, blurred so that edges of letters do not count."""
    part: float = page.evaluate(UNLIKE, [base64.b64encode(png).decode() for png in (one, other)])
    return part


def looks(stage: Stage) -> bytes:
    stage.page.evaluate("() => window.scrollTo(0, 0)")
    return stage.page.screenshot(clip={"x": 0, "y": 0, "width": 1280, "height": 720})


def test_the_name_of_an_exported_picture_has_its_room_and_moment(stage: Stage, tmp_path: Path) -> None:
    in_the_middle(stage)
    facts = stage.facts()
    seconds = facts["clock"]["now_us"] / 1_000_000
    path = taken(stage, "svg", tmp_path)
    assert path.name == f"offsetscope-{stage.room}-{seconds:.3f}s-{facts['journal']['end_offset']}.svg"
    stage.focus(stage.scrub)
    stage.page.keyboard.press("Home")
    stage.settled()
    assert taken(stage, "png", tmp_path).name.startswith(f"offsetscope-{stage.room}-0.000s-")


def test_an_exported_svg_is_self_contained(stage: Stage, tmp_path: Path) -> None:
    in_the_middle(stage)
    spoken = {stage.narration.inner_text()}  # a queued sentence may appear while the picture is taken
    root = ElementTree.parse(taken(stage, "svg", tmp_path)).getroot()
    spoken.add(stage.narration.inner_text())
    assert (root.tag, root.get("width"), root.get("height")) == (f"{SVG}svg", "1280", "720")
    assert f"room {stage.room}" in (root.findtext(f"{SVG}title") or "")
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert names <= {"svg", "title", "defs", "clipPath", "pattern", "g", "path", "rect", "line", "circle", "text"}
    ids = {element.get("id") for element in root.iter()}
    for element in root.iter():
        assert not {"href", "style", "class"} & set(element.keys())
        for name in ("fill", "stroke", "clip-path"):
            value = element.get(name, "none")
            reference = re.fullmatch(r"url\(#(.*)\)", value)
            assert reference[1] in ids if reference else re.fullmatch(r"none|#[0-9a-f]{6}", value), value
    texts = root.findall(f".//{SVG}text")
    assert all(text.get("font-family") and float(text.get("textLength", "0")) > 0 for text in texts)
    said = " ".join(text.text or "" for text in texts)
    for words in (
        "pageviews",
        "Batch send",
        "Broker 2",
        "Metrics A",
        "p1",
        "not flushed",
    ):
        assert words in said
    assert any(words and words in said for words in spoken)
    assert stage.bookmark(0).get_attribute("data-offset") in said.split()


def test_a_fetch_keeps_its_arrowhead_in_an_exported_picture(stage: Stage, tmp_path: Path) -> None:
    stage.open().at_speed(0.1).resume_time()
    expect(stage.flights("fetch")).not_to_have_count(0)
    stage.command("clock", action="pause")
    stage.settled()
    root = ElementTree.parse(taken(stage, "svg", tmp_path)).getroot()
    heads = [path for path in root.findall(f".//{SVG}path") if re.fullmatch(r"M[\d. ]+l7 -4v8z", path.get("d", ""))]
    assert len(heads) == stage.flights("fetch").count() > 0


@pytest.mark.parametrize("theme", ["light", "dark", "projector"])
def test_an_exported_picture_looks_like_the_page(stage: Stage, tmp_path: Path, theme: str) -> None:
    in_the_middle(stage, f"?theme={theme}")
    page_png = looks(stage)
    png = taken(stage, "png", tmp_path).read_bytes()
    assert (int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")) == (2560, 1440)
    svg = taken(stage, "svg", tmp_path)
    alone = stage.page.context.new_page()
    alone.set_viewport_size({"width": 1280, "height": 720})
    alone.goto(svg.as_uri())
    alone.evaluate(TWO_FRAMES)  # a page that has not been painted yet has no screenshot
    svg_png = alone.screenshot()
    alone.close()
    assert unlike(stage.page, page_png, svg_png) < 0.025, "the SVG in a page of its own"
    assert unlike(stage.page, page_png, png) < 0.025, "a PNG"


def test_the_comparison_of_pictures_tells_two_moments_apart(stage: Stage, tmp_path: Path) -> None:
    """It shows that the comparison above can fail."""
    stage.open()
    before = taken(stage, "png", tmp_path).read_bytes()
    stage.command("produce", topic="pageviews", count=30, size=80)
    stage.settled()
    assert unlike(stage.page, before, taken(stage, "png", tmp_path).read_bytes()) > 0.04


def test_a_long_narrow_page_is_exported_completely_with_its_bar_below(stage: Stage, tmp_path: Path) -> None:
    stage.page.set_viewport_size({"width": 390, "height": 844})
    stage.open()
    root = ElementTree.parse(taken(stage, "svg", tmp_path)).getroot()
    height: Any = stage.page.locator(".screen").evaluate("(node) => node.getBoundingClientRect().height")
    assert float(root.get("height", "0")) == pytest.approx(height, abs=1)
    said = {text.text: float(text.get("y", "0")) for text in root.iter(f"{SVG}text")}
    assert said["Live"] > said["Loader A"] > said["p2"]


def test_hostile_text_is_escaped_in_an_exported_picture(stage: Stage, tmp_path: Path) -> None:
    stage.open()
    value = "<b>&amp;]]>\u0001 \u05e9\u05dc\u05d5\u05dd \U0001f600" + " and more" * 30
    stage.command("produce", topic="pageviews", records=[{"key": "k", "value": value}])
    stage.command("add_group", group="<script>alert(1)")
    stage.settled()
    root = ElementTree.parse(taken(stage, "svg", tmp_path)).getroot()
    said = [text.text or "" for text in root.iter(f"{SVG}text")]
    assert "<script>alert(1)" in said
    assert any(words.startswith("<b>") for words in said)


def test_right_to_left_text_keeps_its_direction_in_an_exported_picture(stage: Stage, tmp_path: Path) -> None:
    name, long_name = "\u05e9\u05dc\u05d5\u05dd 45 abc", "\u05d0\u05d1\u05d2 " * 14 + "\u05d3"
    stage.page.set_viewport_size({"width": 1280, "height": 1400})  # all of it above the bar
    stage.open()
    for group in (name, long_name):
        stage.command("add_group", group=group)
    stage.command("add_consumer", group=name, consumer=long_name)
    stage.settled()
    stage.command("clock", action="pause")
    stage.settled()
    page_png = looks(stage)
    svg = taken(stage, "svg", tmp_path)
    texts = ElementTree.parse(svg).getroot().findall(f".//{SVG}text")
    turned = [text for text in texts if name in (text.text or "")]
    assert turned
    assert {(text.get("direction"), text.get("text-anchor")) for text in turned} == {("rtl", "end")}
    cut = [text.text or "" for text in texts if "\u2026" in (text.text or "") and "\u05d2" in (text.text or "")]
    assert cut
    assert all(words.startswith("\u05d0\u05d1\u05d2") and words.endswith("\u2026") for words in cut)
    assert {text.get("direction") for text in texts if text.text == "pageviews"} == {None}
    alone = stage.page.context.new_page()
    alone.set_viewport_size({"width": 1280, "height": 720})
    alone.goto(svg.as_uri())
    svg_png = alone.screenshot()
    alone.close()
    assert unlike(stage.page, page_png, svg_png) < 0.025


def test_a_clipped_registry_value_ends_with_an_ellipsis_in_an_exported_picture(stage: Stage, tmp_path: Path) -> None:
    stage.open()
    root = ElementTree.parse(taken(stage, "svg", tmp_path)).getroot()
    line: Any = stage.node("/brokers/ids/1").bounding_box()
    value = next(text for text in root.iter(f"{SVG}text") if (text.text or "").startswith("broker1-"))
    assert (value.text or "").endswith("\u2026")
    assert float(value.get("x", "0")) + float(value.get("textLength", "0")) <= line["x"] + line["width"]


def test_the_page_links_to_the_files_of_its_room(stage: Stage) -> None:
    stage.open()
    stage.page.get_by_role("link", name="Files of this room").click()
    link = stage.inspector.get_by_role("link", name="events as lines of JSON")
    expect(link).to_be_visible()
    with stage.page.expect_download() as waiting:
        link.click()
    assert waiting.value.suggested_filename.endswith(".jsonl")
    assert Path(waiting.value.path()).read_text(encoding="utf-8").startswith('{"event":"checkpoint"')
