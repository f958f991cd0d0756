"""One function a measurement: each gives figures, and judges nothing."""

import gzip
import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Response

from benchmarks.page.stage import Room, Watched, make_room, on_stage
from engine.commands import apply, parse_command
from engine.journal.journal import Journal
from engine.scenarios import build

LOADS = 7
SECONDS = 12.0
AT_REST_MS = 5_000
BATCHES = 60
BATCH_EVERY_MS = 170
TEXT_TYPES = ("text/html", "text/css", "javascript", "json")

FIRST_TEXTS = """() => [...document.querySelectorAll("[data-testid]")]
    .map((node) => [node.dataset.testid, node.tagName === "INPUT" ? "" : node.innerText])"""
READY = "async () => { await window.offsetscope.settled(); return performance.now(); }"
MARKS = """() => document.querySelectorAll(".flight").length
    + Number(document.querySelector('[data-part="crowd"]').dataset.marks ?? 0)"""
FIRST_PAINT = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


@dataclass(frozen=True, slots=True)
class Minute:
    """Events of a journal up to ``next_offset``."""

    events: list[dict[str, Any]]
    next_offset: int


def weight(browser: Browser, base_url: str) -> dict[str, float]:
    """Bytes of HTML, CSS and JavaScript of the first page: as they are, compressed, and as the server sent them.

    Counted is all that comes before it is alive, and within the seconds after without any input.
    """
    responses: list[Response] = []
    page = browser.new_page()

    def note(response: Response) -> None:
        responses.append(response)

    page.on("response", note)
    page.goto(base_url + "/")
    page.wait_for_function("() => window.offsetscope")
    page.evaluate(READY)
    page.wait_for_timeout(AT_REST_MS)
    plain = compressed = sent = files = 0
    for response in responses:
        if not any(kind in response.headers.get("content-type", "") for kind in TEXT_TYPES[:3]):
            continue
        body = response.body()
        files += 1
        plain += len(body)
        compressed += len(gzip.compress(body, 6))
        sent += response.request.sizes()["responseBodySize"]
    page.close()
    return {"files": files, "plain_bytes": plain, "gzip_bytes": compressed, "sent_bytes": sent}


def loading(browser: Browser, base_url: str) -> dict[str, Any]:
    """How soon the page is painted and interactive, each time for a new visitor; and what is there without a script."""
    paints, ready = [], []
    for _ in range(LOADS):
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        page = context.new_page()
        page.goto(base_url + "/")
        page.wait_for_function("() => window.offsetscope")
        ready.append(page.evaluate(READY))
        paints.append(page.evaluate(FIRST_PAINT))
        alive = page.evaluate(FIRST_TEXTS)
        context.close()
    context = browser.new_context(viewport={"width": 1280, "height": 720}, java_script_enabled=False)
    page = context.new_page()
    page.goto(base_url + "/")
    still = {one.get_attribute("data-testid") for one in page.locator("[data-testid]").all()}
    context.close()
    missing = sorted({name for name, _ in alive} - still)
    return {
        "first_paint_ms": statistics.median(paints),
        "interactive_ms": statistics.median(ready),
        "missing_without_script": missing,
    }


def empty_page(browser: Browser) -> dict[str, float]:
    """The most that can be had on this machine: a page on which nothing is, and nothing moves."""
    watched = Watched(browser, "about:blank")
    found = frames(watched, SECONDS)
    watched.close()
    return found


def frames(watched: Watched, seconds: float) -> dict[str, float]:
    """Frames a second, and processor time of the main thread for each, while the stage is left alone."""
    watched.watched()
    before, begin_s = watched.counters(), time.monotonic()
    with watched.main_threads() as threads:
        watched.page.wait_for_timeout(seconds * 1_000)
    found, after, passed_s = watched.watched(), watched.counters(), time.monotonic() - begin_s
    each = 1_000 / max(1, found["frames"])
    return {
        "frames_per_second": found["frames"] / passed_s,
        "main_thread_ms": (after["TaskDuration"] - before["TaskDuration"]) * each,
        "script_ms": (after["ScriptDuration"] - before["ScriptDuration"]) * each,
        "style_and_layout_ms": each
        * sum(after[name] - before[name] for name in ("RecalcStyleDuration", "LayoutDuration")),
        "long_tasks": len(found["long_tasks"]),
        **threads.longest(found["long_tasks"]),
        "bytes_per_second": found["bytes"] / passed_s,
        "nodes": after["Nodes"],
        "listeners": after["JSEventListeners"],
    }


def two_hundred_marks(browser: Browser, base_url: str) -> dict[str, float]:
    """Nearly two hundred marks in the air: single messages, slowed down so that the feed still tells each of them."""
    room = make_room(base_url)
    room.act("clock", action="speed", speed=0.3)
    room.act("set_producer", rate_per_second=175, batch_messages=1)
    watched = on_stage(browser, room)
    watched.page.wait_for_function(f"() => ({MARKS})() > 150", timeout=60_000)
    found = frames(watched, SECONDS)
    found["marks"] = watched.page.evaluate(MARKS)
    watched.close()
    return found


def flood(browser: Browser, base_url: str, *, batch_messages: int) -> dict[str, float]:
    """Ten thousand messages a second; the engine's own pace beside what the page makes of it."""
    room = make_room(base_url)
    room.act("set_producer", rate_per_second=10_000, batch_messages=batch_messages, queue_messages=4_000)
    watched = on_stage(browser, room)
    watched.page.wait_for_selector('[data-stage][data-level="flow"]', timeout=60_000)
    watched.page.wait_for_timeout(3_000)
    heap_bytes = watched.heap_bytes()
    begin = _appended(watched)
    found = frames(watched, SECONDS)
    found["messages_per_second"] = (_appended(watched) - begin) / SECONDS
    found["heap_growth_bytes"] = watched.heap_bytes() - heap_bytes
    watched.close()
    room.act("clock", action="pause")
    return found


def _appended(watched: Watched) -> int:
    return int(watched.page.get_by_test_id("fact-events-appended").inner_text())


def event_to_mark(browser: Browser, base_url: str) -> dict[str, float]:
    """How long after a batch left the producer its mark is there, at 1x: those of commands, and those of a rate."""
    room = make_room(base_url)
    watched = on_stage(browser, room)
    for _ in range(BATCHES):
        room.act("produce", count=1)
        watched.page.wait_for_timeout(BATCH_EVERY_MS)
    asked = watched.watched()["drawn_after_ms"]
    room.act("set_producer", rate_per_second=1_000 / BATCH_EVERY_MS, batch_messages=1)
    watched.page.wait_for_timeout(BATCHES * BATCH_EVERY_MS)
    regular = watched.watched()["drawn_after_ms"]
    watched.close()
    late = sorted([*asked, *regular])
    return {
        "batches": len(late),
        "median_ms": statistics.median(late),
        "percentile_95_ms": late[int(len(late) * 0.95)],
        "median_by_command_ms": statistics.median(asked),
        "median_by_rate_ms": statistics.median(regular),
    }


FOLD = """async ({address, state}) => {
    const { History } = await import(address);
    window.history_ = new History(state);
    window.fold = ({events, next_offset}) => window.history_.fold(events, next_offset, false);
}"""


def hour_of_journal(browser: Browser, room: Room, minutes: Iterator[Minute]) -> dict[str, Any]:
    """An hour of journal, a minute at a time, folded into the page's history: its heap after each five minutes."""
    watched = on_stage(browser, room)
    heaps, count = [], 0
    for number, minute in enumerate(minutes):
        if not number:
            address = f"{room.base_url}/static/js/state/history.js"
            watched.page.evaluate(FOLD, {"address": address, "state": minute.events[0]["state"]})
        count += len(minute.events)
        watched.page.evaluate("(minute) => window.fold(minute)", asdict(minute))
        if number % 5 == 4:
            heaps.append(watched.heap_bytes())
    instants = watched.page.evaluate("() => window.history_.instants.length")
    watched.close()
    return {
        "events": count,
        "instants_kept": instants,
        "heap_bytes": heaps,
        "growth_bytes": statistics.mean(heaps[-3:]) - statistics.mean(heaps[:3]),
    }


def an_hour(directory: Path) -> Iterator[Minute]:
    """What happens in an hour in which 20 messages a second are sent, a minute at a time, from an engine of its own."""
    journal = Journal.open(directory / "journal")
    cluster = build("pageviews", directory=directory / "cluster", seed=1, journal=journal, start_us=0, cause="start")
    apply(cluster, parse_command({"command": "set_producer", "rate_per_second": 20}))
    offset = 0
    for _ in range(60):
        cluster.run_until(cluster.now_us + 60_000_000)
        end_offset = cluster.publish()
        chunk = journal.read(offset, end_offset - offset)
        offset = chunk.next_offset
        yield Minute([json.loads(payload) for payload in chunk.payloads], offset)
    cluster.close()
    journal.close()
