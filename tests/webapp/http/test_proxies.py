"""The server behind reverse proxies: TLS, other hosts, and paths below a prefix."""

import re
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.app import create_app
from webapp.errors import PublicUrlInvalid
from webapp.http.request.context import EXTENSION
from webapp.settings import Settings

FORWARDED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "example.org",
    "X-Forwarded-Prefix": "/demo",
}


@pytest.fixture
def app_with(settings: Settings) -> Iterator[Callable[..., Flask]]:
    apps: list[Flask] = []

    def build(**changes: object) -> Flask:
        apps.append(create_app(replace(settings, **changes)))  # type: ignore[arg-type]
        apps[-1].extensions[EXTENSION].start()
        return apps[-1]

    yield build
    for one in apps:
        one.extensions[EXTENSION].stop()


def own_addresses(text: str) -> set[str]:
    """Return the addresses in a page, without those of other sites and of places within the page."""
    found = re.findall(r'(?:href|src|action|formaction|hx-post|hx-get|data-feed|data-api|data-page)="([^"]+)"', text)
    return {address for address in found if not address.startswith(("https://www", "#", "data:"))}


def test_the_feed_address_in_a_page_has_no_scheme(client: FlaskClient) -> None:
    feed = re.search(r'data-feed="([^"]+)"', client.get("/").text)
    assert feed is not None
    assert feed[1].startswith("/api/rooms/")


@pytest.mark.parametrize("path", ["/", "/embed/pageviews", "/embed/deployment"])
@pytest.mark.parametrize(
    ("changes", "headers", "prefix"),
    [
        ({"trusted_proxies": 1}, FORWARDED, ""),
        ({"public_url": "https://example.org/demo"}, {}, ""),
        ({"public_url": "https://example.org/demo/"}, {}, "/demo"),
        ({"public_url": "https://example.org/demo", "trusted_proxies": 1}, {"X-Forwarded-For": "203.0.113.7"}, "/demo"),
    ],
)
def test_every_address_of_a_page_is_below_the_public_prefix(
    app_with: Callable[..., Flask], changes: dict[str, object], headers: dict[str, str], prefix: str, path: str
) -> None:
    client = app_with(**changes).test_client()
    page = client.get(prefix + path, headers=headers)
    assert page.status_code == 200
    addresses = own_addresses(page.text)
    assert len(addresses) > 20
    assert {address for address in addresses if not address.startswith(("/demo/", "https://example.org/demo"))} == set()


def test_the_api_returns_public_addresses(app_with: Callable[..., Flask]) -> None:
    client = app_with(public_url="https://example.org:8443/demo").test_client()
    urls = client.post("/api/rooms", json={}).json["urls"]
    assert urls["stage"].startswith("https://example.org:8443/demo/rooms/")
    assert urls["feed"].startswith("wss://example.org:8443/demo/api/rooms/")


def test_cookies_are_secure_behind_tls_and_stay_below_the_prefix(app_with: Callable[..., Flask]) -> None:
    client = app_with(public_url="https://example.org/demo").test_client()
    cookies = client.get("/").headers.getlist("Set-Cookie")
    assert cookies
    for cookie in cookies:
        assert "Secure" in cookie
        assert "Path=/demo/" in cookie


def test_a_command_from_the_public_origin_is_accepted_if_the_proxy_changes_the_host(
    app_with: Callable[..., Flask],
) -> None:
    client = app_with(public_url="https://example.org").test_client(use_cookies=False)
    page = client.get("/")
    cookies = "; ".join(cookie.split(";")[0] for cookie in page.headers.getlist("Set-Cookie"))
    room = re.search(r'data-room="(\w+)"', page.text)
    assert room is not None
    statuses = [
        client.post(
            f"/rooms/{room[1]}/controls/produce",
            headers={"Origin": origin, "Host": "127.0.0.1:8000", "Cookie": cookies},
        ).status_code
        for origin in ("https://example.org", "https://elsewhere.org", "http://127.0.0.1:8000")
    ]
    assert statuses == [303, 403, 403]


def test_forwarded_headers_count_only_from_trusted_proxies(app_with: Callable[..., Flask]) -> None:
    untrusting = app_with()
    urls = untrusting.test_client().post("/api/rooms", json={}, headers=FORWARDED).json["urls"]
    assert urls["stage"].startswith("http://localhost/rooms/")


@pytest.mark.parametrize(
    ("trusted_proxies", "client_address"), [(0, "127.0.0.1"), (1, "203.0.113.7"), (2, "198.51.100.4")]
)
def test_the_client_is_the_address_that_the_outermost_trusted_proxy_saw(
    app_with: Callable[..., Flask], trusted_proxies: int, client_address: str
) -> None:
    app = app_with(trusted_proxies=trusted_proxies)
    seen: list[str] = []
    make = app.extensions[EXTENSION].rooms.make

    def noting(*arguments: object, address: str) -> object:
        seen.append(address)
        return make(*arguments, address=address)

    app.extensions[EXTENSION].rooms.make = noting
    app.test_client().post("/api/rooms", json={}, headers={"X-Forwarded-For": "spoofed, 198.51.100.4, 203.0.113.7"})
    assert seen == [client_address]


@pytest.mark.parametrize(
    "public_url",
    ["example.org", "ftp://example.org", "https://", "https://a b", "https://example.org/?x", "https://u@x"],
)
def test_an_invalid_public_address_is_refused_at_the_start(app_with: Callable[..., Flask], public_url: str) -> None:
    with pytest.raises(PublicUrlInvalid):
        app_with(public_url=public_url)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("demo.localhost:8000", 200),
        ("127.0.0.1:8000", 200),
        ("192.168.1.7:8000", 200),
        ("[::1]:8000", 200),
        ("[::1]", 200),
        (socket.gethostname(), 200),
        (f"{socket.gethostname()}.local:8000", 200),
        ("rebinding.example.org:8000", 421),
        ("localhost.example.org", 421),
        ("127.0.0.1.example.org", 421),
    ],
)
def test_a_local_server_does_not_answer_under_foreign_names(client: FlaskClient, host: str, status: int) -> None:
    answer = client.get("/healthz", headers={"Host": host})
    assert answer.status_code == status
    if status == 421:
        assert answer.json["code"] == "foreign_host"
        assert "--public-url" in answer.json["remedy"]


def test_a_server_behind_a_proxy_answers_under_the_names_that_the_proxy_passes(app_with: Callable[..., Flask]) -> None:
    client = app_with(trusted_proxies=1).test_client()
    assert client.get("/healthz", headers={"Host": "example.org"}).status_code == 200


def test_a_server_answers_under_the_name_that_it_listens_at(app_with: Callable[..., Flask]) -> None:
    client = app_with(host="Classroom.example.org").test_client()
    assert client.get("/healthz", headers={"Host": "classroom.example.org:8000"}).status_code == 200
    assert client.get("/healthz", headers={"Host": "elsewhere.example.org"}).status_code == 421
