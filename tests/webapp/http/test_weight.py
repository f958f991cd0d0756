"""The size of what a visitor has to fetch before the page works: markup, style sheets, htmx and modules."""

import gzip
import re

from flask.testing import FlaskClient

from tests.webapp.support import ROOT
from webapp.http.answer.assets import JOINED

STATIC = ROOT / "static"
BYTES_AT_MOST = 150_000
IMPORT = re.compile(r'^(?:import|export)\b[^;"]*"(\.[^"]+)";', re.MULTILINE)


def fetched_at_once(module: str) -> set[str]:
    """Return the paths in ``static`` of a module and of all its direct and indirect imports."""
    found: set[str] = set()
    left = [STATIC / module]
    while left:
        one = left.pop().resolve()
        if one.relative_to(STATIC).as_posix() not in found:
            found.add(one.relative_to(STATIC).as_posix())
            left += [one.parent / name for name in IMPORT.findall(one.read_text(encoding="utf-8"))]
    return found


def test_the_first_page_stays_within_its_size_limit(client: FlaskClient) -> None:
    page = client.get("/")
    (base,) = re.findall(r'src="([^"]+/)js/main\.js"', page.text)
    modules = fetched_at_once("js/main.js")
    assert len(modules) > 40, "the imports were read"
    weight = len(gzip.compress(page.data, 6))
    for name in (JOINED, "vendor/htmx/htmx.min.js", *modules):
        with client.get(base + name) as answer:
            assert answer.status_code == 200
            weight += len(gzip.compress(answer.data, 6))
    assert weight < BYTES_AT_MOST
