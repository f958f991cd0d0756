"""The frames that a flood sends to one viewer, as the benchmark of the page feeds it."""

import json
from itertools import pairwise
from pathlib import Path

from benchmarks.page.flooded import FLOOD, frames_of_flood


def test_the_frames_of_a_flood_are_contiguous_and_report_its_messages(tmp_path: Path) -> None:
    frames = [(at_us, json.loads(text)) for at_us, text in frames_of_flood(tmp_path, 20)]
    assert all(one["next"] == other["offset"] for (_, one), (_, other) in pairwise(frames))
    assert frames[0][1]["events"][0]["event"] == "checkpoint"
    assert len([frame for _, frame in frames if "digest" in frame]) > 60
    newest_us, newest = frames[-1]
    appended = newest["digest"]["patch"]["topics"]["pageviews"]["events_appended"]
    assert appended > 0.9 * FLOOD["rate_per_second"] * newest_us / 1_000_000
