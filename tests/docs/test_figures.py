"""The figures in the documents show what the engine does today."""

from pathlib import Path

import pytest

from docs.figures.__main__ import FIGURES, FOLDER
from docs.figures.sequence import Arrow, Note, Scene, draw


@pytest.mark.parametrize("name", FIGURES)
def test_the_committed_figures_match_what_the_engine_draws(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == draw(FIGURES[name]()), "run: python -m docs.figures"


def test_every_figure_is_used_in_the_document() -> None:
    text = (Path(FOLDER).parent / "engine.md").read_text(encoding="utf-8")
    assert [name for name in FIGURES if f"figures/{name}" not in text] == []


def test_text_is_escaped_and_long_pauses_are_labelled() -> None:
    picture = draw(Scene("<b>", ["a"], [Arrow("a", "a", 0, 10, "x<y")], [Note("a", 9_000_000, "&")]))
    assert "&lt;b&gt;" in picture
    assert "x&lt;y" in picture
    assert "9.0 s pass" in picture
