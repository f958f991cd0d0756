"""A server of its own, a browser, and a stage in it, as a benchmark needs them."""

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.page.processor import MainThreads, Task

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 60

# Counts frames and long tasks, and notes how long after it left the producer each batch was drawn, at 1x: of the last
# frames of the feed the one that took the shortest way tells which moment of the page's time a virtual time is.
WATCH = """
    const afresh = () => ({frames: 0, long_tasks: [], bytes: 0, drawn_after_ms: []});
    const ways_ms = [];
    window.watched = afresh();
    window.takeWatched = () => {
        const {watched} = window;
        window.watched = afresh();
        return watched;
    };
    const note = (list) => list.getEntries().forEach(({startTime, duration}) => {
        window.watched.long_tasks.push({at_ms: performance.timeOrigin + startTime, duration_ms: duration});
    });
    new PerformanceObserver(note).observe({type: "longtask"});
    const count = () => { window.watched.frames += 1; requestAnimationFrame(count); };
    requestAnimationFrame(count);
    const sentAtMs = new Map();
    const Real = window.WebSocket;
    window.WebSocket = class extends Real {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", ({data}) => {
                const {events = [], clock} = JSON.parse(data);
                window.watched.bytes += data.length;
                ways_ms.push(performance.now() - clock.now_us / 1000);
                if (ways_ms.length > 16) ways_ms.shift();
                for (const {event, batch, at_us} of events) {
                    if (event === "batch_sent") sentAtMs.set(`batch:${batch}`, at_us / 1000);
                }
            });
        }
    };
    addEventListener("DOMContentLoaded", () => {
        const layer = document.querySelector('[data-part="flights"]');
        if (!layer) return;
        new MutationObserver((changes) => changes.forEach(({addedNodes}) => addedNodes.forEach(({dataset}) => {
            const at_ms = sentAtMs.get(dataset?.flight);
            if (at_ms === undefined) return;
            window.watched.drawn_after_ms.push(performance.now() - at_ms - Math.min(...ways_ms));
        }))).observe(layer, {childList: true});
    });
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A server under measure: its address and its process."""

    base_url: str
    process_id: int


@dataclass(frozen=True, slots=True)
class Room:
    """A room of the server under measure."""

    base_url: str
    room: str
    key: str

    def act(self, command: str, **fields: object) -> None:
        """Apply a command."""
        address = f"{self.base_url}/api/rooms/{self.room}/commands"
        post(address, {"command": command, **fields}, {"Authorization": f"Bearer {self.key}"})


def post(address: str, body: object, headers: dict[str, str]) -> Any:
    """POST JSON and read JSON."""
    request = urllib.request.Request(
        address, json.dumps(body).encode(), {"Content-Type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


@contextmanager
def serving(data_dir: Path) -> Iterator[Server]:
    """``offsetscope serve`` in a process of its own."""
    command = [sys.executable, "-m", "webapp", "serve", "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    try:
        found = re.search(r"http://\S+?:\d+", process.stdout.readline())
        assert found, "the server did not say where it is"
        yield Server(found.group(0), process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE_S)
        process.stdout.close()


@contextmanager
def browsing(executable: Path) -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(executable))
        yield browser
        browser.close()


def make_room(base_url: str) -> Room:
    """A fresh room whose time runs."""
    made = post(f"{base_url}/api/rooms", {"scenario": "pageviews"}, {})
    return Room(base_url, made["room"], made["presenter_key"])


class Watched:
    """A page at 1280x720 with Chromium's own counters of its main thread; ``before`` are scripts that run first."""

    def __init__(self, browser: Browser, address: str, *, before: str = WATCH) -> None:
        self._browser = browser
        self.page: Page = browser.new_page(viewport={"width": 1280, "height": 720})
        self.page.add_init_script(before)
        self.page.goto(address)
        self._session: CDPSession = self.page.context.new_cdp_session(self.page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def counters(self) -> dict[str, float]:
        """Chromium's counters; durations are processor time of the main thread, in seconds."""
        return {one["name"]: one["value"] for one in self._session.send("Performance.getMetrics")["metrics"]}

    def watched(self) -> dict[str, Any]:
        """What the page counted since the last look."""
        found: dict[str, Any] = self.page.evaluate("() => window.takeWatched()")
        return {**found, "long_tasks": [Task(**task) for task in found["long_tasks"]]}

    def main_threads(self) -> MainThreads:
        """To be held while the page is measured: whether its main thread was kept waiting for a processor."""
        session = self._browser.new_browser_cdp_session()
        processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
        session.detach()
        return MainThreads(one["id"] for one in processes if one["type"] == "renderer")

    def heap_bytes(self) -> float:
        """What is in use when all that is unused is gone."""
        self._session.send("HeapProfiler.collectGarbage")
        return self.counters()["JSHeapUsedSize"]

    def close(self) -> None:
        self.page.close()


def on_stage(browser: Browser, room: Room, *, also: str = "") -> Watched:
    """A room's stage, as soon as it is alive; ``also`` is a script that runs before the page's own."""
    watched = Watched(browser, f"{room.base_url}/rooms/{room.room}", before=WATCH + also)
    watched.page.wait_for_function("() => window.offsetscope")
    return watched
