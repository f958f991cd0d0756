"""The layers of the browser's scripts hold, some words stay in their layers, and templates escape everything.

The tables *are* the architecture: a layer imports those that are named for it, and nothing else.
"""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

BROWSER = {
    "wire": set(),
    "state": set(),
    "scene": {"state"},
    "view": {"state", "scene"},
    "ui": {"state", "scene", "view"},
    "main": {"wire", "state", "scene", "view", "ui"},
}
BROWSER_WORDS = {
    "WebSocket": {"wire"},
    "document": {"view", "ui", "main"},
    "window": {"wire", "view", "ui", "main"},
    "Date": set(),
    "Math.random": set(),
    "innerHTML": set(),
    "outerHTML": set(),
    "insertAdjacentHTML": set(),
    "eval": set(),
}


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


# --- JavaScript -----------------------------------------------------------------------------------------------------

SCRIPT_TOKENS = re.compile(
    r"(?P<template>`(?:\\.|[^`\\])*`)"
    r"|(?P<comment>//[^\n]*|/\*.*?\*/)"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')",
    re.DOTALL,
)
SCRIPT_IMPORT = re.compile(r"\bfrom\s*[\"']([^\"']+)[\"']|\bimport\s*\(?\s*[\"']([^\"']+)[\"']")


def scripts() -> list[Path]:
    return sorted((ROOT / "static" / "js").rglob("*.js"))


def layer(file: Path) -> str:
    """Return the layer of a script: the folder or file right under static/js."""
    return file.relative_to(ROOT / "static" / "js").parts[0].removesuffix(".js")


def code(source: str, *, keep_strings: bool) -> str:
    """Return the source without comments, and without plain strings unless they are wanted."""

    def kept(match: re.Match[str]) -> str:
        if match.lastgroup == "template" or (keep_strings and match.lastgroup == "string"):
            return match.group()
        return " "

    return SCRIPT_TOKENS.sub(kept, source)


def script_imports(file: Path) -> list[Path]:
    """Return the scripts that a script imports at run time (types named in comments are not)."""
    names = [first or second for first, second in SCRIPT_IMPORT.findall(code(text(file), keep_strings=True))]
    for name in names:
        assert name.startswith("."), f"{file.relative_to(ROOT)} imports {name}: write a relative path"
    return [(file.parent / name).resolve() for name in names]


def test_every_script_belongs_to_a_layer() -> None:
    assert scripts(), "static/js is empty"
    assert [str(file.relative_to(ROOT)) for file in scripts() if layer(file) not in BROWSER] == []


def test_scripts_import_only_the_layers_below() -> None:
    faults = [
        f"{file.relative_to(ROOT)} imports {other.relative_to(ROOT)}"
        for file in scripts()
        for other in script_imports(file)
        if layer(other) not in {layer(file), *BROWSER[layer(file)]}
    ]
    assert faults == []


@pytest.mark.parametrize("word", BROWSER_WORDS)
def test_scripts_name_browser_globals_only_where_they_may(word: str) -> None:
    spoken = re.compile(rf"(?<![\w.$]){re.escape(word)}\b" if word[0].isupper() else rf"(?<![\w$]){re.escape(word)}\b")
    faults = [
        str(file.relative_to(ROOT))
        for file in scripts()
        if layer(file) not in BROWSER_WORDS[word] and spoken.search(code(text(file), keep_strings=False))
    ]
    assert faults == []


def test_scripts_opt_in_to_type_checking() -> None:
    assert [str(file.relative_to(ROOT)) for file in scripts() if "@ts-check" not in text(file)] == []


# --- templates ------------------------------------------------------------------------------------------------------


def test_templates_never_switch_escaping_off() -> None:
    templates = sorted((ROOT / "templates").rglob("*.html"))
    assert templates
    unsafe = re.compile(r"\|\s*safe\b|autoescape\s+false")
    assert [str(file.relative_to(ROOT)) for file in templates if unsafe.search(text(file))] == []
