"""Modules are sent without their comments, with the same code on each line and a source map."""

import re
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from tests.webapp.support import ROOT
from webapp.http.answer.as_sent import source_map, without_comments

MODULES = sorted((ROOT / "static" / "js").rglob("*.js"))
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("// a word\nlet a;", "\nlet a;"),
        ("/** a\n * word */\nlet a;", "\n\nlet a;"),
        ("/* a word */ let a;", "/* a word */ let a;"),
        ("/* a\n word */ let a;", "\n let a;"),
        ("  /** @type {any} */ (a).b();", "  /** @type {any} */ (a).b();"),
        ("let a; // a word", "let a; // a word"),
        ('let a = "http://a"; /* a\n // word\n */', 'let a = "http://a"; /* a\n\n */'),
        ("/* // */\nlet a = /\\/*b/;", "\nlet a = /\\/*b/;"),
    ],
)
def test_lines_that_hold_only_a_comment_become_empty(written: str, sent: str) -> None:
    assert without_comments(written) == sent


def code_of(text: str) -> list[str]:
    """Return the lines that hold code."""
    lines = (line.strip() for line in COMMENT.sub("", text).split("\n"))
    return [line for line in lines if line and not line.startswith("//")]


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.stem)
def test_modules_lose_only_comments_and_keep_their_line_numbers(file: Path) -> None:
    written = file.read_text(encoding="utf-8")
    lines, sent = written.split("\n"), without_comments(written).split("\n")
    assert len(sent) == len(lines)
    assert all(after in (before, "") for before, after in zip(lines, sent, strict=True))
    left_out = "\n".join(before if after != before else "" for before, after in zip(lines, sent, strict=True))
    assert code_of(left_out) == []
    assert not [line for line in code_of(written) if line.count("`") % 2], "a template string over several lines"


def test_a_source_map_leads_developer_tools_to_the_original_module(client: FlaskClient) -> None:
    (address,) = re.findall(r'src="([^"]+js/main\.js)"', client.get("/").text)
    sent = client.get(address.replace("main.js", "ui/player.js"))
    assert not re.findall(r"^\s*/\*\*$", sent.text, re.MULTILINE)
    (name,) = re.findall(r"^//# sourceMappingURL=(\S+)$", sent.text, re.MULTILINE)
    found = client.get(address.replace("main.js", f"ui/{name}"))
    assert found.json
    (source,) = found.json["sources"]
    with client.get(source) as written:
        assert written.text.count("\n") == sent.text.count("\n") - 1
        assert "@typedef" in written.text
    assert found.json["mappings"].count(";") == written.text.count("\n")


def test_a_source_map_maps_each_line_to_the_same_line() -> None:
    assert '"mappings": "AAAA;AACA;AACA"' in source_map("/a.js", 3)


@pytest.mark.parametrize("path", ["js/nothing.js", "js/nothing.js.map", "js/../../pyproject.js", "js/ui/player.map"])
def test_a_path_that_is_not_a_module_is_not_found(client: FlaskClient, path: str) -> None:
    with client.get(f"/static/v-0/{path}") as answer:
        assert answer.status_code == 404
