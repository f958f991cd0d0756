"""Responses that never change are computed once and then served from a cache."""

from collections.abc import Iterable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from webapp.http.answer.kept_answers import BYTES_AT_MOST, KEPT, KeptAnswers

FOR_EVER = {"Cache-Control": "public, max-age=1, immutable"}


class Counted:
    """An application that counts its responses, repeats the request in them, and notes when they are closed."""

    def __init__(self, headers: dict[str, str], *, status: int = 200, body: str = "") -> None:
        self.asked = 0
        self.closed = 0
        self._headers, self._status, self._body = headers, status, body

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked += 1
        request = Request(environ)
        response = Response(self._body or f"{request.full_path} {self.asked}", self._status, self._headers)
        response.call_on_close(self._close)
        return response(environ, start_response)

    def _close(self) -> None:
        self.closed += 1


def test_an_immutable_response_is_requested_once() -> None:
    inner = Counted({**FOR_EVER, "X-Said": "once"})
    client = Client(KeptAnswers(inner))
    first, again = client.get("/a"), client.get("/a")
    assert (first.text, again.text, again.headers["X-Said"]) == ("/a? 1", "/a? 1", "once")
    assert (inner.asked, inner.closed) == (1, 1)


def test_each_address_and_encoding_has_its_own_cached_response() -> None:
    client = Client(KeptAnswers(Counted(FOR_EVER)))
    texts = {
        client.get("/a").text,
        client.get("/b").text,
        client.get("/a", headers={"Accept-Encoding": "gzip"}).text,
    }
    assert len(texts) == 3
    brotli = client.get("/a", headers={"Accept-Encoding": "br, gzip;q=0.5"})
    assert brotli.text in texts


def test_other_responses_are_requested_each_time() -> None:
    for inner in (
        Counted({"Cache-Control": "no-cache"}),
        Counted(FOR_EVER, status=404),
        Counted({}),
        Counted(FOR_EVER, body="x" * (BYTES_AT_MOST + 1)),
    ):
        client = Client(KeptAnswers(inner))
        client.get("/a")
        client.get("/a")
        assert inner.asked == 2
    inner = Counted(FOR_EVER)
    client = Client(KeptAnswers(inner))
    client.get("/a")
    client.get("/a", headers={"If-None-Match": '"x"'})
    client.get("/a", headers={"Range": "bytes=0-1"})
    client.get("/a?b")
    client.post("/a")
    client.head("/a")
    assert inner.asked == 6


def test_the_number_of_cached_responses_is_limited() -> None:
    inner = Counted(FOR_EVER)
    client = Client(KeptAnswers(inner))
    for number in range(KEPT + 1):
        client.get(f"/{number}")
    client.get(f"/{KEPT}")
    assert inner.asked == KEPT + 1
    client.get("/0")
    assert inner.asked == KEPT + 2


def test_a_module_is_the_same_when_it_comes_from_the_cache(client: FlaskClient) -> None:
    address = client.get("/").text.split('rel="modulepreload" href="')[1].split('"')[0]
    first, again = (client.get(address, headers={"Accept-Encoding": "gzip"}) for _ in range(2))
    assert first.data == again.data
    assert "Date" not in again.headers, "the server sets the Date"
    assert {name: value for name, value in first.headers if name != "Date"} == dict(again.headers)
    assert again.headers["Content-Encoding"] == "gzip"
