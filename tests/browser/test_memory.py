"""The memory of a page over a long history of a room: it stays bounded."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Page

from benchmarks.page.flooded import FED
from engine.commands import apply, parse_command
from engine.journal.journal import Journal
from engine.scenarios import build
from tests.browser.conftest import ServerProcess

SECOND_US = 1_000_000
MINUTES = 16
MESSAGES_A_SECOND = 5
FULL_AFTER = 10  # minutes; then the page keeps as many samples for its charts as it ever will
AT_MOST_MORE_BYTES = 1_500_000
FRAMES_A_PICTURE = 10


def frames_by_minute(directory: Path) -> Iterator[list[dict[str, Any]]]:
    """Yield the frames of a feed minute by minute, a frame a second, of a room in which messages are sent."""
    journal = Journal.open(directory / "journal")
    cluster = build("pageviews", directory=directory / "cluster", seed=1, journal=journal, start_us=0, cause="start")
    apply(cluster, parse_command({"command": "set_producer", "rate_per_second": MESSAGES_A_SECOND}))
    offset = 0
    for _ in range(MINUTES):
        frames = []
        for _ in range(60):
            cluster.run_until(cluster.now_us + SECOND_US)
            end_offset = cluster.publish()
            chunk = journal.read(offset, end_offset - offset)
            clock = {"now_us": cluster.now_us, "speed": 1, "paused": False, "standing": False}
            events = [json.loads(payload) for payload in chunk.payloads]
            frames.append({"offset": offset, "next": end_offset, "end": end_offset, "events": events, "clock": clock})
            offset = end_offset
        yield frames
    cluster.close()
    journal.close()


def heap_bytes(session: CDPSession) -> int:
    """Return the size of the heap after a garbage collection."""
    session.send("HeapProfiler.collectGarbage")
    return int(session.send("Runtime.getHeapUsage")["usedSize"])


def test_the_memory_of_a_page_stays_bounded_over_a_long_time(
    page: Page, server: ServerProcess, page_faults: list[str], tmp_path: Path
) -> None:
    page.add_init_script(FED)
    page.goto(server.base_url)
    page.wait_for_function("() => window.offsetscope && window.fed")
    session = page.context.new_cdp_session(page)
    heaps, nodes = [], []
    for minute in frames_by_minute(tmp_path):
        encoded = [json.dumps(frame) for frame in minute]
        page.evaluate("([frames, each]) => window.feed(frames, each)", [encoded, FRAMES_A_PICTURE])
        page.evaluate("(offset) => window.offsetscope.drawn(offset)", minute[-1]["next"])
        heaps.append(heap_bytes(session))
        nodes.append(page.evaluate("() => document.querySelectorAll('*').length"))
    assert int(page.get_by_test_id("fact-events-appended").inner_text()) > 0.99 * MINUTES * 60 * MESSAGES_A_SECOND
    assert max(heaps[-3:]) - min(heaps[FULL_AFTER : FULL_AFTER + 3]) < AT_MOST_MORE_BYTES, heaps
    assert abs(nodes[-1] - nodes[FULL_AFTER]) < 200, nodes
