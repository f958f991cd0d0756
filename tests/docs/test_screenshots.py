"""One command takes screenshots of every state of the stage, each produced by the engine."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.chromium import VARIABLE, find_chromium

ROOT = Path(__file__).resolve().parents[2]
JUDGED_BY = ("at-rest", "mid-append", "mid-pull", "mid-rebalance", "paused", "behind", "high-rate", "empty", "refused")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "docs.screenshots", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, VARIABLE: str(find_chromium())},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.browser
def test_a_screenshot_has_the_requested_state_size_and_theme(tmp_path: Path) -> None:
    done = run("--folder", str(tmp_path), "--state", "mid-append", "--size", "390x844", "--theme", "dark")
    assert done.returncode == 0, done.stderr
    picture = (tmp_path / "mid-append-390x844-dark.png").read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(picture[16:20]) == 390
    assert int.from_bytes(picture[20:24]) == 844


def test_every_state_that_the_stage_is_judged_by_can_be_requested() -> None:
    offered = run("--help").stdout
    assert [state for state in JUDGED_BY if state not in offered] == []


def test_an_unknown_state_is_refused(tmp_path: Path) -> None:
    done = run("--folder", str(tmp_path), "--state", "heaven")
    assert done.returncode == 2
    assert "heaven" in done.stderr
