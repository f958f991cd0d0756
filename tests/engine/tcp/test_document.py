"""docs/broker.md: its program runs as it stands, its table matches the parser, its figures are the limits."""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

from engine.tcp.command import add_arguments
from engine.tcp.settings import ConnectionLimits
from tests.engine.tcp.support import PATIENCE_S, ROOT

DOCUMENT = (ROOT / "docs" / "broker.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    return str(found)


def test_the_program_runs_as_it_stands_and_prints_the_documented_output(tmp_path: Path) -> None:
    installed = Path(sys.executable).parent
    ended = subprocess.run(
        [sys.executable, "-c", block("python")],
        cwd=tmp_path,
        env={**os.environ, "PATH": f"{installed}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert ended.stdout == block("text"), ended.stderr
    assert ended.returncode == 0
    assert (tmp_path / "logs" / "pageviews-0").is_dir()


def test_the_table_of_options_matches_the_parser() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)
    documented = dict(re.findall(r"^\| `(--[a-z-]+) [A-Z]+` \|.*\| (.*?) ?\|$", DOCUMENT, re.MULTILINE))
    meant = {
        action.option_strings[0]: "" if action.default is None else str(action.default) for action in parser._actions
    }
    assert documented == meant


def test_the_documented_limits_are_those_in_effect() -> None:
    limits = ConnectionLimits()
    assert (limits.pace_bytes, limits.pace_s) == (128 * 1024, 10)
    assert limits.idle_s == 10 * 60
    assert limits.buffered_max_bytes == 256 << 20
    assert limits.connections == 1000
    for words in ("128 KiB in every ten seconds", "silent for ten minutes", "256 MiB", "more than a thousand"):
        assert words in " ".join(DOCUMENT.split())
