"""docs/api.md: its examples run unchanged, and its tables are complete."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.commands import COMMANDS
from tests.webapp.support import ROOT, TIMEOUT_S, LiveServer
from webapp.errors import STATUSES
from webapp.room.commands import ACTIONS, PARSERS

DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
PYTHON_NAMES_ONLY = {  # no program receives these over HTTP
    "offsetscope_error",
    "log_gap",
    "log_closed",
    "unknown_name",
    "node_exists",
    "no_node",
    "session_expired",
    "data_directory_unusable",
    "public_url_invalid",
}


def example(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```", DOCUMENT, re.DOTALL | re.MULTILINE)
    return str(found)


def run(command: list[str], live: LiveServer) -> str:
    ended = subprocess.run(
        command,
        env={**os.environ, "OFFSETSCOPE": f"http://{live.host}"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_example_runs_unchanged(live: LiveServer, tmp_path: Path) -> None:
    script = tmp_path / "example.sh"
    script.write_text(example("sh"), encoding="utf-8")
    answer, facts, *dump, address = run(["sh", str(script)], live).splitlines()
    assert set(json.loads(answer)) == {"applied_at_us", "journal_offset"}
    assert json.loads(facts)["topics"][0]["topic"] == "pageviews"
    assert dump[0].startswith("0000000 00 00 00 d3 00")  # a length of 211, magic 0
    assert re.fullmatch(rf"http://{live.host}/rooms/\w+", address)


def test_the_python_example_runs_unchanged(live: LiveServer, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example("python"), encoding="utf-8")
    sent, landed = run([sys.executable, str(script)], live).splitlines()
    assert re.fullmatch(r"3 messages set out for p0: \d+ bytes", sent)
    size = int(sent.split()[-2])
    assert landed == f"they landed at offset 860; the next one goes to {860 + size}"


def test_the_documented_commands_are_exactly_the_existing_ones() -> None:
    table = DOCUMENT.split("| command | fields |")[1].split("\n\n")[0]
    documented = {name for line in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    assert documented == {*COMMANDS, *PARSERS}
    for action in ACTIONS:
        assert f"`{action}`" in table


def test_the_table_of_errors_lists_every_error_with_its_status() -> None:
    table = DOCUMENT.split("| status | codes |")[1].split("\n\n")[0]
    documented = dict.fromkeys(re.findall(r"`(\w+)`", table))
    codes = {error.code: status.value for error, status in STATUSES.items()}
    assert set(documented) >= set(codes) - PYTHON_NAMES_ONLY
    for line in table.splitlines()[2:]:
        statuses = {int(number) for number in re.findall(r"\d{3}", line.split("|")[1])}
        for code in re.findall(r"`(\w+)`", line.split("|")[2]):
            assert codes.get(code, 404 if code.startswith("unknown_") else 400) in statuses, code
