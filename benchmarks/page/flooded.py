"""An hour of 10,000 messages a second, as the feed tells it, fed to a whole page: what stays in the page's memory?

The frames are those of a room that lives the hour on a clock moved by hand. The page gets them one after the other,
some for each picture that it draws, from what it takes for its WebSocket; all else is as ever.
"""

import statistics
import tempfile
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from benchmarks.page.stage import Room as ServedRoom
from benchmarks.page.stage import on_stage
from webapp.feed.frames import Frame, digest_frame, events_frame
from webapp.room.command_log import CommandLog
from webapp.room.commands import parse
from webapp.room.folders import RoomFolders
from webapp.room.record import RoomRecord
from webapp.room.room import Room
from webapp.room.timeline import Timeline

SLICE_US = 40_000
BUDGET_US = 10_000_000
FRAME_BYTES = 64 * 1024
HOUR_S = 3_600
PARTS = 12
FRAMES_A_PICTURE = 4
FRAMES_AT_ONCE = 240
FLOOD: Mapping[str, Any] = {
    "command": "set_producer",
    "rate_per_second": 10_000,
    "batch_messages": 400,
    "queue_messages": 4_000,
}

# What the page takes for its connection; it says nothing of its own, and hears what it is fed.
FED = """
    window.WebSocket = class extends EventTarget {
        static OPEN = 1;
        readyState = 1;
        constructor() {
            super();
            window.fed = this;
            setTimeout(() => this.dispatchEvent(new Event("open")));
        }
        send() {}
        close() {}
    };
    window.feed = async (frames, frames_a_picture) => {
        for (let index = 0; index < frames.length; index += frames_a_picture) {
            for (const data of frames.slice(index, index + frames_a_picture)) {
                window.fed.dispatchEvent(new MessageEvent("message", {data}));
            }
            await new Promise(requestAnimationFrame);
        }
    };
"""


def hour_of_flood(browser: Browser, served: ServedRoom) -> dict[str, Any]:
    """The page's heap after each five minutes of the hour, when all that is unused is gone."""
    watched = on_stage(browser, served, also=FED)
    heaps, frames_fed, bytes_fed = [], 0, 0
    with tempfile.TemporaryDirectory() as name:
        for part in _parts(frames_of_flood(Path(name), HOUR_S)):
            for texts in part:
                watched.page.evaluate("([frames, each]) => window.feed(frames, each)", [texts, FRAMES_A_PICTURE])
                frames_fed += len(texts)
                bytes_fed += sum(len(text) for text in texts)
            heaps.append(watched.heap_bytes())
    level = watched.page.locator("[data-stage]").get_attribute("data-level")
    drawn = int(watched.page.get_by_test_id("fact-events-appended").inner_text())
    nodes = watched.counters()["Nodes"]
    watched.close()
    assert level == "flow", "the page drew the flood"
    assert drawn > 0.99 * HOUR_S * FLOOD["rate_per_second"], "the page drew all of it"
    return {
        "frames": frames_fed,
        "bytes": bytes_fed,
        "messages": drawn,
        "nodes": nodes,
        "heap_bytes": heaps,
        "growth_bytes": statistics.mean(heaps[-3:]) - statistics.mean(heaps[1:4]),
    }


def _parts(frames: Iterator[tuple[int, str]]) -> Iterator[Iterator[list[str]]]:
    """Twelve parts of the hour, each in pieces that are fed at once."""
    for part in range(1, PARTS + 1):
        yield _pieces(frames, part * HOUR_S * 1_000_000 // PARTS)


def _pieces(frames: Iterator[tuple[int, str]], until_us: int) -> Iterator[list[str]]:
    while piece := list(islice(frames, FRAMES_AT_ONCE)):
        yield [text for _, text in piece]
        if piece[-1][0] >= until_us:
            return


def frames_of_flood(directory: Path, seconds: int) -> Iterator[tuple[int, str]]:
    """The frames that one viewer gets, and their virtual times."""
    wall_us = 1_000_000
    folders = RoomFolders(directory)
    record = RoomRecord("flooded", "pageviews", 1, "running", "", 0)
    timeline = Timeline(record, folders, wall_us=wall_us)
    commands = CommandLog.open(folders.commands, now_us=lambda: wall_us)
    room = Room(timeline, commands, wake=lambda room: None, wall_us=lambda: wall_us, bytes_at_most=1 << 40)
    offset, has_summary = 0, False
    room.submit(parse(FLOOD), FLOOD)
    while wall_us < (seconds + 1) * 1_000_000:
        room.slice(budget_us=BUDGET_US)
        frame = _next_frame(room, offset, has_summary=has_summary)
        if frame.cost_bytes:
            offset, has_summary = frame.next_offset, frame.is_summary
            yield wall_us - 1_000_000, frame.data[frame.data.index(b'{"offset"') :].decode()
        wall_us += SLICE_US
    room.close()


def _next_frame(room: Room, offset: int, *, has_summary: bool) -> Frame:
    """As the broadcaster: a viewer with a summary gets the exact state before it gets events again."""
    moment = room.moment()
    if not has_summary and not room.is_digested(offset):
        chunk = room.read_journal(offset, FRAME_BYTES)
        return events_frame(offset, chunk.next_offset, moment.end_offset, moment.clock, chunk.payloads)
    digest = room.digest_after(offset)
    return digest_frame(digest, moment.clock) if digest.body else events_frame(offset, offset, offset, moment.clock, ())
