"""The colours of tokens.css: readable text in each theme, and accents distinguishable with every colour vision."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from tests.support.colours import DEFICIENCIES, Colour, ciede2000

TOKENS = (Path(__file__).resolve().parents[2] / "static" / "css" / "tokens.css").read_text()
THEMES = ("light", "dark", "projector")
GROUNDS = ("paper", "card", "sunk", "cell")
ACCENTS = {"blue": "blue-text", "vermilion": "vermilion-text", "purple": "purple-text"}


def block(selector: str) -> dict[str, str]:
    found = re.search(rf"^{re.escape(selector)} {{(.*?)^}}", TOKENS, re.DOTALL | re.MULTILINE)
    assert found, f"tokens.css has no {selector}"
    return dict(re.findall(r"--([\w-]+): ([^;]+);", found.group(1)))


def palette(theme: str) -> dict[str, Colour]:
    tokens = {**block(":root"), **(block(':root[data-theme="projector"]') if theme == "projector" else {})}
    colours = {}
    for name, value in tokens.items():
        pair = re.fullmatch(r"light-dark\((#\w{6}), (#\w{6})\)", value)
        if pair:
            colours[name] = Colour.of_hex(pair.group(2 if theme == "dark" else 1))
        elif re.fullmatch(r"#\w{6}", value):
            colours[name] = Colour.of_hex(value)
    return colours


def shades_of_groups() -> list[list[str]]:
    """Return the names of the shades of the consumers of each group."""
    return [re.findall(r"--shade-\d: var\(--(\w+)\)", line) for line in TOKENS.splitlines() if "--shade-0: var" in line]


@pytest.mark.parametrize("theme", THEMES)
def test_text_has_enough_contrast_on_every_background(theme: str) -> None:
    colours = palette(theme)
    pairs = [(ink, ground) for ink in ("ink", "ink-soft", "danger") for ground in GROUNDS]
    pairs += [(text, ground) for text in ACCENTS.values() for ground in ("paper", "card")]
    pairs += [("on-button", "button"), ("on-button", "ink-soft"), *(("on-accent", accent) for accent in ACCENTS)]
    poor = {pair: round(colours[pair[0]].contrast(colours[pair[1]]), 2) for pair in pairs}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("theme", THEMES)
def test_marks_have_enough_contrast_with_their_background(theme: str) -> None:
    """3:1 for what has a meaning without words (WCAG 1.4.11): the marks of a group, the focus, edges."""
    colours = palette(theme)
    marks = [(mark, ground) for mark in (*ACCENTS, "focus", "danger") for ground in ("paper", "card")]
    marks += [("cell-edge", "cell"), ("rule-strong", "card")]
    poor = {pair: round(colours[pair[0]].contrast(colours[pair[1]]), 2) for pair in marks}
    assert {pair: ratio for pair, ratio in poor.items() if ratio < 3} == {}


@pytest.mark.parametrize("deficiency", ["none", *DEFICIENCIES])
@pytest.mark.parametrize("theme", THEMES)
def test_the_colours_of_groups_are_distinguishable_with_every_colour_vision(theme: str, deficiency: str) -> None:
    seen = as_seen(theme, deficiency)
    near = {pair: round(seen[pair[0]].distance(seen[pair[1]]), 1) for pair in combinations(ACCENTS, 2)}
    assert {pair: distance for pair, distance in near.items() if distance < 12} == {}


@pytest.mark.parametrize("deficiency", ["none", *DEFICIENCIES])
@pytest.mark.parametrize("theme", THEMES)
def test_the_colours_of_consumers_in_a_group_are_distinguishable_with_every_colour_vision(
    theme: str, deficiency: str
) -> None:
    """Their patterns and names differ too, so only neighbours in a group are compared."""
    seen = as_seen(theme, deficiency)
    for shades in shades_of_groups():
        assert len(shades) == 4
        near = {pair: round(seen[pair[0]].distance(seen[pair[1]]), 1) for pair in combinations(shades, 2)}
        assert {pair: distance for pair, distance in near.items() if distance < 9} == {}


def as_seen(theme: str, deficiency: str) -> dict[str, Colour]:
    return {
        name: colour if deficiency == "none" else colour.seen_with(deficiency)
        for name, colour in palette(theme).items()
    }


def test_colour_differences_and_contrasts_match_published_values() -> None:
    """Sharma, Wu and Dalal's test pairs; black on white is 21:1; grey stays grey with every colour vision."""
    assert ciede2000((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485)) == pytest.approx(2.0425, abs=1e-4)
    assert ciede2000((50.0, 0.0, 0.0), (50.0, -1.0, 2.0)) == pytest.approx(2.3669, abs=1e-4)
    assert ciede2000((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514)) == pytest.approx(0.9082, abs=1e-4)
    assert Colour.of_hex("#000000").contrast(Colour.of_hex("#ffffff")) == pytest.approx(21.0, abs=0.01)
    grey = Colour.of_hex("#808080")
    for deficiency in DEFICIENCIES:
        assert grey.distance(grey.seen_with(deficiency)) < 1
