"""How soon a moment of a long life is shown, and what it costs to look at a flood's past."""

import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from benchmarks.page.stage import Room, on_stage, serving
from webapp.room.command_log import CommandLog, LoggedCommand
from webapp.room.folders import RoomFolders
from webapp.room.record import RoomRecord, hash_key, new_presenter_key, new_room_id

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
FLOOD_US = 4 * SECOND_US
MOMENTS = 40
FLOODED_MOMENTS = 12
PLAYED_S = 3.0
PAUSE: Mapping[str, Any] = {"command": "clock", "action": "pause"}
TWENTY_A_SECOND: Mapping[str, Any] = {"command": "set_producer", "rate_per_second": 20}
FLOOD: Mapping[str, Any] = {
    "command": "set_producer",
    "rate_per_second": 10_000,
    "batch_messages": 3,
    "queue_messages": 4_000,
}

# Puts the slider at a part of the room's life, and says how long it took until that moment was drawn.
SCRUB = """async (part) => {
    const scrub = document.querySelector('[data-testid="control-scrub"]');
    const begin_ms = performance.now();
    scrub.value = Math.round(Number(scrub.max) * part);
    scrub.dispatchEvent(new Event("input", {bubbles: true}));
    await window.offsetscope.settled();
    return performance.now() - begin_ms;
}"""
PLAY = """() => document.querySelector('[data-testid="control-pause"]').click()"""


@dataclass(frozen=True, slots=True)
class RoomKey:
    """A room's id, and the key with which it may be changed."""

    room: str
    key: str


def scrubbing(browser: Browser, directory: Path) -> dict[str, Any]:
    """An hour in which 20 messages a second were sent: moments all over it, none of them near the one before."""
    with _lived(directory, TWENTY_A_SECOND, HOUR_US) as room:
        watched = on_stage(browser, room)
        watched.page.evaluate("() => window.offsetscope.settled()")
        first_ms = watched.page.evaluate(SCRUB, 0.5)
        watched.watched()
        with watched.main_threads() as threads:
            shown_ms = sorted(watched.page.evaluate(SCRUB, part) for part in _scattered(MOMENTS))
        long_tasks = watched.watched()["long_tasks"]
        watched.close()
    return {
        "moments": len(shown_ms),
        "first_ms": first_ms,
        "median_ms": statistics.median(shown_ms),
        "percentile_95_ms": shown_ms[int(len(shown_ms) * 0.95)],
        **threads.longest(long_tasks),
    }


def flooded_past(browser: Browser, directory: Path) -> dict[str, Any]:
    """Some seconds of 10,000 messages a second in small batches: scrubbed, and played at their own speed."""
    with _lived(directory, FLOOD, FLOOD_US) as room:
        watched = on_stage(browser, room)
        watched.page.evaluate("() => window.offsetscope.settled()")
        watched.page.evaluate(SCRUB, 0.5)
        watched.watched()
        before = watched.counters()
        with watched.main_threads() as scrubbed_by:
            shown_ms = [watched.page.evaluate(SCRUB, part) for part in _scattered(FLOODED_MOMENTS)]
        after, scrubbed = watched.counters(), watched.watched()
        watched.page.evaluate(SCRUB, 0.1)
        watched.watched()
        begin, begin_s = watched.counters(), time.monotonic()
        with watched.main_threads() as played_by:
            watched.page.evaluate(PLAY)
            watched.page.wait_for_timeout(PLAYED_S * 1_000)
        played, end, passed_s = watched.watched(), watched.counters(), time.monotonic() - begin_s
        heap_bytes = watched.heap_bytes()
        watched.close()
    return {
        "moments": len(shown_ms),
        "median_ms": statistics.median(shown_ms),
        "main_thread_a_moment_ms": _main_thread_ms(before, after) / len(shown_ms),
        **scrubbed_by.longest(scrubbed["long_tasks"]),
        "frames_per_second": played["frames"] / passed_s,
        "main_thread_ms": _main_thread_ms(begin, end) / max(1, played["frames"]),
        **played_by.longest(played["long_tasks"], "_played"),
        "heap_bytes": heap_bytes,
    }


def _main_thread_ms(before: Mapping[str, float], after: Mapping[str, float]) -> float:
    return 1_000 * (after["TaskDuration"] - before["TaskDuration"])


def _scattered(count: int) -> Sequence[float]:
    """Parts of a life, far from one to the next, and spread over all of it (multiples of the golden section)."""
    return [(number * 0.618_034) % 1 for number in range(1, count + 1)]


def write_life(directory: Path, command: Mapping[str, Any], lives_us: int) -> RoomKey:
    """The files of a room that has got one command at its beginning and was paused later; serve it to restore it."""
    room_id, key = new_room_id(), new_presenter_key()
    folder = directory / "rooms" / room_id
    folder.mkdir(parents=True)
    commands = CommandLog.open(RoomFolders(folder).commands, now_us=lambda: 0)
    commands.append([LoggedCommand(0, command), LoggedCommand(lives_us, PAUSE)])
    commands.close()
    RoomRecord(room_id, "pageviews", 1, "running", hash_key(key), int(time.time())).write(folder)
    return RoomKey(room_id, key)


@contextmanager
def _lived(directory: Path, command: Mapping[str, Any], lives_us: int) -> Iterator[Room]:
    """A served room with such a life, restored."""
    life = write_life(directory, command, lives_us)
    with serving(directory) as server:
        room = Room(server.base_url, life.room, life.key)
        room.act("clock", action="pause")
        yield room
