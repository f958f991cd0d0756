"""The Python examples of docs/engine.md and the README run unchanged."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(example: str, folder: Path) -> str:
    """Run a program in an empty folder, as a reader would; return what it prints."""
    ran = subprocess.run(
        [sys.executable, "-c", example],
        cwd=folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout


def example_in(document: str) -> str:
    """Return the only Python program in a document."""
    (example,) = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text(encoding="utf-8"), re.DOTALL)
    return example


def test_the_library_example_runs_and_prints_what_it_read(tmp_path: Path) -> None:
    assert run(example_in("docs/engine.md"), tmp_path) == "0 28 [b'/home', b'/cart']\n"


def test_the_readme_session_appends_reads_and_seeks_in_ten_lines(tmp_path: Path) -> None:
    example = example_in("README.md")
    assert len([line for line in example.splitlines() if line]) <= 10
    assert run(example, tmp_path) == "[b'/cart', b'/item/9']\n"
