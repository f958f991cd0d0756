"""Static files are cached by their version, and the style sheets are sent as one."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from webapp.http.answer import assets
from webapp.http.answer.assets import LOOKED_AT_EVERY_S, SHEETS, StaticFiles


def test_a_page_addresses_static_files_with_a_version_and_those_may_be_cached(client: FlaskClient) -> None:
    address = re.findall(r'src="([^"]+js/main\.js)"', client.get("/").text)[0]
    with client.get(address) as kept:
        assert "immutable" in kept.headers["Cache-Control"]
        assert kept.mimetype == "text/javascript"
    with client.get(address.replace("js/main.js", "js/state/reduce.js")) as imported:
        assert "immutable" in imported.headers["Cache-Control"]
    with client.get(address.replace("js/main.js", "js/nothing.js")) as missing:
        assert missing.status_code == 404
        assert missing.headers["Cache-Control"] == "no-store"


def test_a_static_file_without_the_current_version_is_revalidated(client: FlaskClient) -> None:
    with client.get("/static/js/main.js") as plain:
        assert plain.headers["Cache-Control"] == "no-cache"
    with client.get("/static/js/main.js", headers={"If-None-Match": plain.headers["ETag"]}) as again:
        assert again.status_code == 304
    with client.get("/static/v-0/js/main.js") as stale:
        assert stale.headers["Cache-Control"] == "no-cache"


def test_the_version_changes_when_any_static_file_changes(tmp_path: Path) -> None:
    (tmp_path / "js").mkdir()
    file = tmp_path / "js" / "a.js"
    file.write_text("1")
    now_s = iter(range(10))
    files = StaticFiles(tmp_path, lambda: next(now_s))
    before = files.version()
    assert files.version() == before
    file.write_text("22")
    assert files.version() != before
    file.write_text("1")
    assert files.version() == before


def test_the_static_folder_is_not_scanned_for_each_file_of_a_page(tmp_path: Path) -> None:
    file = tmp_path / "a.js"
    file.write_text("1")
    now_s = [100.0]
    files = StaticFiles(tmp_path, lambda: now_s[0])
    before = files.version()
    file.write_text("22")
    now_s[0] += LOOKED_AT_EVERY_S / 2
    assert files.version() == before
    now_s[0] += LOOKED_AT_EVERY_S
    assert files.version() != before


def test_requests_during_the_first_computation_get_the_same_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.js").write_text("1")
    files = StaticFiles(tmp_path, lambda: 5.0)
    meanwhile: list[str] = []

    def slow_sha256(*given: bytes) -> Any:
        if not meanwhile:
            meanwhile.append("asked")
            meanwhile[0] = files.version()  # a second request during the first computation
        return sha256(*given)

    monkeypatch.setattr(assets, "sha256", slow_sha256)
    assert files.version() == meanwhile[0] != ""


def test_all_style_sheets_are_sent_as_one_in_order_and_unchanged(app: Flask, client: FlaskClient) -> None:
    directory = Path(app.static_folder or "") / "css"
    assert {file.stem for file in directory.iterdir()} == set(SHEETS), "a style sheet that no page has"
    (address,) = re.findall(r'rel="stylesheet" href="([^"]+)"', client.get("/").text)
    joined = client.get(address)
    assert (joined.status_code, joined.mimetype) == (200, "text/css")
    assert "immutable" in joined.headers["Cache-Control"]
    places = [joined.text.index((directory / f"{name}.css").read_text()) for name in SHEETS]
    assert places == sorted(places)


def test_a_style_sheet_that_the_browser_has_is_not_sent_again(client: FlaskClient) -> None:
    (address,) = re.findall(r'rel="stylesheet" href="([^"]+)"', client.get("/").text)
    headers = {"Accept-Encoding": "gzip"}
    sent = client.get(address, headers=headers)
    assert sent.headers["Content-Encoding"] == "gzip"
    again = client.get(address, headers={**headers, "If-None-Match": sent.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
