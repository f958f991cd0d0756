"""What a flood tells one viewer, as the benchmark of the page feeds it."""

import json
from itertools import pairwise
from pathlib import Path

from benchmarks.page.flooded import FLOOD, frames_of_flood


def test_the_frames_of_a_flood_lead_from_one_to_the_next_and_tell_of_all_messages(tmp_path: Path) -> None:
    told = [(at_us, json.loads(text)) for at_us, text in frames_of_flood(tmp_path, 20)]
    assert all(one["next"] == other["offset"] for (_, one), (_, other) in pairwise(told))
    assert told[0][1]["events"][0]["event"] == "checkpoint"
    assert len([frame for _, frame in told if "digest" in frame]) > 60
    newest_us, newest = told[-1]
    appended = newest["digest"]["patch"]["topics"]["pageviews"]["events_appended"]
    assert appended > 0.9 * FLOOD["rate_per_second"] * newest_us / 1_000_000
