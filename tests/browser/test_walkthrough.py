"""The walkthrough of docs/playwright.md, run unchanged."""

import re
import subprocess
import sys
from pathlib import Path

from tests.browser.conftest import ROOT, ServerProcess
from tests.support.chromium import find_chromium

DOCUMENT = ROOT / "docs" / "playwright.md"


def python_blocks() -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_documented_walkthrough_runs_unchanged(server: ServerProcess, tmp_path: Path) -> None:
    script = tmp_path / "walkthrough.py"
    script.write_text(python_blocks()[0], encoding="utf-8")
    command = [sys.executable, str(script), f"{server.base_url}/", str(find_chromium())]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    said = ran.stdout.splitlines()
    assert said[0] == "12 events, next append p0"
    assert said[1] == "a batch landed on p0 at 860, next append p1"
    assert said[-3] in ("p1 now belongs to Metrics A", "p1 now belongs to Metrics C")
    assert said[-2:] == ["at the start there were 12 events", "now there are 16"]


def test_the_walkthrough_contains_no_timed_waits() -> None:
    for block in python_blocks():
        assert "sleep" not in block
        assert "wait_for_timeout" not in block
