"""The finder of the browser: what people set takes precedence, and errors say what is wrong."""

from pathlib import Path

import pytest

from tests.support import chromium


def test_the_browser_that_the_environment_names_takes_precedence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "my-chromium"
    named.touch()
    monkeypatch.setenv(chromium.VARIABLE, str(named))
    assert chromium.find_chromium() == named


def test_a_named_browser_that_is_not_there_is_an_error_and_nothing_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(chromium.VARIABLE, str(tmp_path / "nothing"))
    assert chromium.main(["--install"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [f"OFFSETSCOPE_CHROMIUM names {tmp_path / 'nothing'}, which is not a file"]


def test_without_a_name_a_browser_on_the_path_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed = tmp_path / "google-chrome"
    installed.touch(mode=0o755)
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setattr(chromium, "NAMES", ("google-chrome",))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert chromium.find_chromium() == installed


def test_without_any_browser_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(chromium.VARIABLE, raising=False)
    monkeypatch.setattr(chromium, "NAMES", ("no-browser-of-this-name",))
    monkeypatch.setattr(chromium, "playwright_chromium", lambda: tmp_path / "nothing")
    with pytest.raises(chromium.NoChromium, match="OFFSETSCOPE_CHROMIUM"):
        chromium.find_chromium()
