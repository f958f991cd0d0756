"""Measure the page, hold it against what the project has set itself, and keep the figures and their picture."""

import json
import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.machine import calibrate, describe
from benchmarks.page import busy, flooded, measures, past
from benchmarks.page.stage import browsing, make_room, serving
from benchmarks.plot import STYLE

Limit = tuple[str, float, str, tuple[str, str]]
LIMITS: tuple[Limit, ...] = (
    ("HTML, CSS and JavaScript, compressed", 150_000, "bytes", ("weight", "gzip_bytes")),
    ("the same, as the server sends them", 150_000, "bytes", ("weight", "sent_bytes")),
    ("interactive on loopback", 1_000, "ms", ("loading", "interactive_ms")),
    ("event to drawn mark, 95th percentile at 1x", 100, "ms", ("event_to_mark", "percentile_95_ms")),
    ("main thread a frame, 200 marks", 8, "ms", ("two_hundred_marks", "main_thread_ms")),
    ("main thread a frame, 10,000 messages/s", 8, "ms", ("flood", "main_thread_ms")),
    ("main thread a frame, 10,000 messages/s in small batches", 8, "ms", ("flood_of_small_batches", "main_thread_ms")),
    ("page's own longest task, 10,000 messages/s", 50, "ms", ("flood", "longest_own_task_ms")),
    ("page's own longest task, the same in small batches", 50, "ms", ("flood_of_small_batches", "longest_own_task_ms")),
    ("bytes to a viewer a second, 10,000 messages/s", 50_000, "bytes", ("flood", "bytes_per_second")),
    (
        "bytes to a viewer a second, the same in small batches",
        50_000,
        "bytes",
        ("flood_of_small_batches", "bytes_per_second"),
    ),
    ("a moment of an hour shown, 95th percentile", 100, "ms", ("scrubbing", "percentile_95_ms")),
    ("page's own longest task, scrubbing an hour", 50, "ms", ("scrubbing", "longest_own_task_ms")),
    ("page's own longest task, scrubbing a flood's past", 50, "ms", ("flooded_past", "longest_own_task_ms")),
    ("page's own longest task, playing a flood's past", 50, "ms", ("flooded_past", "longest_own_task_played_ms")),
    ("main thread a frame, playing a flood's past", 8, "ms", ("flooded_past", "main_thread_ms")),
    ("server's own longest stretch, a flood beside restores", 50, "ms", ("restoring_beside_a_flood", "longest_own_ms")),
    ("server's own longest stretch, a flood beside forks", 50, "ms", ("forking_beside_a_flood", "longest_own_ms")),
    ("heap grown over an hour of journal", 5_000_000, "bytes", ("hour_of_journal", "growth_bytes")),
    ("page's heap grown over an hour of 10,000 messages/s", 5_000_000, "bytes", ("hour_of_flood", "growth_bytes")),
)
FRAMES_LEAST = 58.0
FRAMES_OF = ("two_hundred_marks", "flood", "flood_of_small_batches")
WIDTH, LEFT, SCALE, ROW = 900, 400, 280, 26


def run(chromium: Path, output: Path) -> None:
    """Everything once, each in a page of its own."""
    loops = [calibrate() for _ in range(20)]
    with (
        tempfile.TemporaryDirectory() as name,
        serving(Path(name) / "rooms") as server,
        browsing(chromium) as browser,
    ):
        base_url = server.base_url
        figures: dict[str, Mapping[str, Any]] = {
            "weight": measures.weight(browser, base_url),
            "loading": measures.loading(browser, base_url),
            "event_to_mark": measures.event_to_mark(browser, base_url),
            "empty_page": measures.empty_page(browser),
            "two_hundred_marks": measures.two_hundred_marks(browser, base_url),
            "flood": measures.flood(browser, base_url, batch_messages=100),
            "flood_of_small_batches": measures.flood(browser, base_url, batch_messages=3),
            "hour_of_journal": measures.hour_of_journal(
                browser, make_room(base_url), measures.an_hour(Path(name) / "hour")
            ),
            "scrubbing": past.scrubbing(browser, Path(name) / "lived"),
            "flooded_past": past.flooded_past(browser, Path(name) / "flooded"),
            **busy.beside_a_flood(Path(name) / "busy"),
            "hour_of_flood": flooded.hour_of_flood(browser, make_room(base_url)),
        }
        chromium_version = browser.version
    loops += [calibrate() for _ in range(20)]
    report = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {**describe(output.parent), "chromium": chromium_version},
        "load_average": [round(one, 1) for one in os.getloadavg()],
        "calibration_ms": round(1_000 * median(loops), 2),
        "figures": figures,
        "goals": goals(figures),
    }
    output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    output.with_suffix(".svg").write_text(plot(report), encoding="utf-8")
    for goal in report["goals"]:
        verdict = "met   " if goal["met"] else "MISSED"
        print(f"{verdict} {goal['text']}: {goal['found']:,} (wanted {goal['wanted']:,} {goal['unit']})")


def goals(figures: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every goal with what was found; limits are kept, frame rates reached."""
    found = []
    for text, wanted, unit, (measure, name) in LIMITS:
        value = round(figures[measure][name], 2)
        found.append({"text": text, "wanted": wanted, "unit": unit, "found": value, "met": value <= wanted})
    empty = figures["empty_page"]["frames_per_second"]
    for measure in FRAMES_OF:
        value = round(figures[measure]["frames_per_second"], 1)
        text = f"frames a second, {measure.replace('_', ' ')} (an empty page: {empty:.1f})"
        found.append(
            {"text": text, "wanted": FRAMES_LEAST, "unit": "at least", "found": value, "met": value >= FRAMES_LEAST}
        )
    missing = len(figures["loading"]["missing_without_script"])
    text = "named things missing before any script"
    return [*found, {"text": text, "wanted": 0, "unit": "things", "found": missing, "met": missing == 0}]


def plot(report: Mapping[str, Any]) -> str:
    """A bar a limit: how much of it is used; the line is all of it."""
    bars = [goal for goal in report["goals"] if goal["wanted"] and goal["unit"] != "at least"]
    parts = [
        _text(16, 28, "Offsetscope: what the page costs", "title"),
        _text(
            16,
            46,
            f"{report['machine']['processor']}, Chromium {report['machine']['chromium']}, "
            f"load {report['load_average'][0]}, {report['measured_at'][:10]}",
            "small",
        ),
    ]
    for row, goal in enumerate(bars):
        y = 66 + row * ROW
        part = min(1.5, max(0.0, goal["found"]) / goal["wanted"])
        kind = "ours" if goal["met"] else "over"
        parts.append(_text(LEFT - 8, y + 13, goal["text"], "", anchor="end"))
        parts.append(
            f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{max(1.0, part * SCALE):.1f}" height="16" rx="2"/>'
        )
        label = f"{goal['found']:,} of {goal['wanted']:,} {goal['unit']}"
        parts.append(_text(LEFT + 8 + round(max(1.0, part) * SCALE), y + 13, label, "small"))
    bottom = 66 + len(bars) * ROW
    parts.append(f'<path class="middle" d="M{LEFT + SCALE} 60V{bottom}"/>')
    y = bottom
    for goal in report["goals"]:
        if goal not in bars:
            y += 20
            verdict = "met" if goal["met"] else "missed"
            parts.append(_text(24, y, f"{verdict}: {goal['text']}: {goal['found']} (wanted {goal['wanted']})", verdict))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 24}" role="img" '
        f'aria-label="Bars: how much of each limit the page uses">\n<style>{STYLE} .over {{ fill: #c53030 }}</style>\n'
        f'<rect class="page" width="{WIDTH}" height="{y + 24}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def _text(x: int, y: int, text: str, kind: str, *, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" class="{kind}" text-anchor="{anchor}">{escape(text)}</text>'
