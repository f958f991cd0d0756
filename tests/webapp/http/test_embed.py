"""The stage in an iframe."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.webapp.http.test_pages import room_of


def test_every_load_makes_a_new_room_whose_key_is_in_the_page_and_not_in_a_cookie(client: FlaskClient) -> None:
    first, second = client.get("/embed/pageviews"), client.get("/embed/pageviews")
    assert room_of(first) != room_of(second)
    assert not first.headers.getlist("Set-Cookie")
    key = re.search(r"Bearer ([A-Za-z0-9_-]{32,})", first.text)
    assert key
    headers = {"Authorization": f"Bearer {key.group(1)}", "HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
    assert client.post(f"/rooms/{room_of(first)}/controls/reset", headers=headers).status_code == 200
    assert client.post(f"/rooms/{room_of(second)}/controls/reset", headers=headers).status_code == 403


@pytest.mark.parametrize(("query", "standing"), [("", True), ("?autoplay=0", True), ("?autoplay=1", False)])
def test_autoplay_starts_time_at_once(client: FlaskClient, query: str, standing: bool) -> None:
    room = room_of(client.get(f"/embed/pageviews{query}"))
    assert client.get(f"/api/rooms/{room}").json["clock"]["standing"] is standing


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/embed/nothing", 404),
        ("/embed/pageviews?theme=neon", 400),
        ("/embed/pageviews?controls=maybe", 400),
        ("/embed/pageviews?autopaly=1", 400),
    ],
)
def test_an_error_page_of_an_embed_may_be_framed(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == status
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert client.get("/healthz").json["rooms"] == 0


def test_only_embeds_may_be_framed(app: Flask, client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    for path in ("/", f"/rooms/{room}", f"/api/rooms/{room}", "/healthz", "/nothing", "/embedded"):
        headers = client.get(path).headers
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    headers = client.get("/embed/pageviews").headers
    assert "X-Frame-Options" not in headers
    assert "frame-ancestors *" in headers["Content-Security-Policy"]
