"""Pages, style sheets and scripts are compressed for clients that accept it."""

import gzip

import pytest
from flask.testing import FlaskClient

GZIP = {"Accept-Encoding": "gzip, deflate"}


@pytest.mark.parametrize("path", ["/static/css/layout.css", "/static/js/main.js"])
def test_a_static_file_is_sent_compressed_with_the_same_content(client: FlaskClient, path: str) -> None:
    plain, packed = client.get(path, buffered=True), client.get(path, headers=GZIP, buffered=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 2
    assert int(packed.headers["Content-Length"]) == len(packed.data)
    assert "Content-Encoding" not in plain.headers
    assert "Accept-Encoding" in plain.headers["Vary"]
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_a_compressed_file_that_the_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    etag = client.get("/static/js/main.js", headers=GZIP, buffered=True).headers["ETag"]
    assert etag.startswith("W/")
    again = client.get("/static/js/main.js", headers={**GZIP, "If-None-Match": etag}, buffered=True)
    assert (again.status_code, again.data) == (304, b"")


def test_a_page_is_sent_compressed_unless_it_holds_a_key(client: FlaskClient) -> None:
    page = client.get("/", headers=GZIP, buffered=True)
    assert b"<!doctype html>" in gzip.decompress(page.data)
    embed = client.get("/embed/pageviews", headers=GZIP, buffered=True)
    assert "Content-Encoding" not in embed.headers


def test_ranges_and_api_responses_are_not_compressed(client: FlaskClient) -> None:
    part = client.get("/static/js/main.js", headers={**GZIP, "Range": "bytes=0-9"}, buffered=True)
    assert (part.status_code, len(part.data)) == (206, 10)
    assert "Content-Encoding" not in client.get("/healthz", headers=GZIP, buffered=True).headers
    refused = client.get("/static/js/main.js", headers={"Accept-Encoding": "gzip;q=0"}, buffered=True)
    assert "Content-Encoding" not in refused.headers
