"""The server behind a real nginx: TLS, a prefix that is kept or stripped, and the ``Host`` that nginx sends."""

import json
import re
import ssl
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.webapp.http.nginx import NGINX, free_port, nginx
from tests.webapp.support import TIMEOUT_S, server_process, watching

pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")

FORWARD_HOST = """
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-Forwarded-Host $http_host;
"""
PREFIX = "            proxy_set_header X-Forwarded-Prefix /demo;\n"


@dataclass
class Site:
    """The public site: its address, and the TLS context of its visitors."""

    address: str
    context: ssl.SSLContext

    def open(self, path: str, body: bytes = b"", **headers: str) -> tuple[str, list[str]]:
        """Return the text of a page, and its cookies."""
        request = urllib.request.Request(self.address + path, body or None, headers)
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=self.context) as answer:
            return answer.read().decode(), answer.headers.get_all("Set-Cookie") or []


@pytest.fixture(params=["root, default Host", "root, forwarded", "path kept", "path stripped", "prefix forwarded"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    port = free_port()
    path = "" if request.param.startswith("root") else "/demo"
    address = f"https://127.0.0.1:{port}{path}"
    is_forwarded = request.param.endswith("forwarded")
    options = ["--trusted-proxies", "1", *([] if is_forwarded else ["--public-url", address])]
    with server_process(tmp_path / "data", *options) as server:
        is_stripped = request.param in ("path stripped", "prefix forwarded")
        upstream = server.url + ("/" if is_stripped else "")
        headers = (FORWARD_HOST if is_forwarded else "") + (PREFIX if is_forwarded and path else "")
        with nginx(tmp_path, port, f"{path}/", upstream, headers) as context:
            yield Site(address, context)


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[0]


def test_a_visitor_opens_the_page_watches_the_feed_and_sends_a_command(site: Site) -> None:
    page, cookies = site.open("/")
    origin = found(r"https://[^/]+", site.address)
    assert all("Secure" in cookie for cookie in cookies)
    script, _ = Site(origin, site.context).open(found(r'(?<=type="module" src=")[^"]+', page))
    assert "import" in script
    room = found(r'(?<=data-room=")\w+', page)
    cookie = "; ".join(cookie.split(";")[0] for cookie in cookies)
    address = origin.replace("https", "wss") + found(r'(?<=data-feed=")[^"]+', page)
    with watching(address, sslopt={"context": site.context}, origin=origin) as viewer:
        viewer.pull("checkpoint")
        assert viewer.receive()["clock"]["standing"]
        site.open(f"/rooms/{room}/controls/produce", b"count=1", Origin=origin, Cookie=cookie, Accept="text/html")
        frame = viewer.receive()
        while frame["clock"]["standing"]:
            frame = viewer.receive()


def test_the_api_returns_public_addresses(site: Site) -> None:
    body, _ = site.open("/api/rooms", b"{}", **{"Content-Type": "application/json"})
    urls = json.loads(body)["urls"]
    assert urls["stage"].startswith(site.address + "/rooms/")
    assert urls["feed"].startswith(site.address.replace("https", "wss") + "/api/rooms/")
    text, _ = site.open(urls["stage"].removeprefix(site.address))
    assert "data-stage" in text
