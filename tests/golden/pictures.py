"""Pictures of golden journals: the page's own pure modules, run in an empty page without a server."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tests.golden.walks import HERE, WALKS

ROOT = HERE.parents[1]
ORIGIN = "http://golden.invalid"


@contextmanager
def empty_page(browser: Browser) -> Iterator[Page]:
    """Open an empty page whose modules come from this checkout."""
    page = browser.new_page()
    page.route(f"{ORIGIN}/**", _serve)
    page.goto(f"{ORIGIN}/")
    yield page
    page.close()


def _serve(route: Route) -> None:
    path = route.request.url.removeprefix(ORIGIN)
    if path == "/":
        route.fulfill(body="<!doctype html><title>golden</title>", content_type="text/html")
    else:
        route.fulfill(path=ROOT / path.lstrip("/"), content_type="text/javascript")


def evaluate(page: Page, events: list[Any], expression: str, argument: object = None) -> Any:
    """Evaluate a JavaScript function of ``(golden, history, argument)``: picture.js, and the folded journal."""
    code = f"""async ([events, argument]) => {{
        const golden = await import("/tests/golden/picture.js");
        return ({expression})(golden, golden.folded(events), argument);
    }}"""
    return page.evaluate(code, [events, argument])


def events_of(journal: str) -> list[Any]:
    """Return the events of a journal of one event a line."""
    return [json.loads(line) for line in journal.splitlines()]


def pictures_of(page: Page, name: str, journal: str) -> dict[Path, str]:
    """Draw each picture of a walk; return them by the file they are kept in."""
    start_us = events_of(journal)[0]["at_us"]
    found = {}
    for at_ms in WALKS[name].drawn_at_ms:
        expression = "(golden, history, at_us) => golden.svgAt(history, at_us)"
        file = HERE / name / f"{at_ms:05d}.svg"
        found[file] = str(evaluate(page, events_of(journal), expression, start_us + at_ms * 1_000))
    return found
