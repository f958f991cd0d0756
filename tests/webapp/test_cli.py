"""The command line, as a user types it."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.webapp.support import TIMEOUT_S, FeedClient, environment, get_json, server_process
from webapp.cli import main

PROC = Path("/proc")


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command line and wait for its end."""
    return subprocess.run(
        [sys.executable, "-m", "webapp", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        env=environment(),
        check=False,
    )


def assert_one_line(ended: subprocess.CompletedProcess[str], *words: str) -> None:
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("offsetscope: ")
    for word in words:
        assert word in line


def test_a_server_prints_its_address_and_answers_at_it(tmp_path: Path) -> None:
    with server_process(tmp_path / "data") as server:
        assert get_json(f"{server.url}/healthz")["status"] == "ok"
        with urllib.request.urlopen(f"{server.url}/", timeout=TIMEOUT_S) as page:
            assert b"data-testid" in page.read()


def test_a_port_in_use_prints_one_line_and_exits_with_2(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert_one_line(serve("serve", "--port", port, "--data-dir", str(tmp_path)), port, "--port", "in use")


def test_a_host_of_another_machine_prints_one_line_and_exits_with_2(tmp_path: Path) -> None:
    ended = serve("serve", "--host", "203.0.113.7", "--port", "0", "--data-dir", str(tmp_path))
    assert_one_line(ended, "203.0.113.7")


def test_a_data_folder_that_cannot_be_written_prints_one_line_and_exits_with_2(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert_one_line(
        serve("serve", "--port", "0", "--data-dir", str(tmp_path / "file")), str(tmp_path / "file"), "--data-dir"
    )


@pytest.mark.skipif(not PROC.is_dir(), reason="needs /proc, where not even root may write")
def test_a_read_only_data_folder_prints_one_line_and_exits_with_2() -> None:
    for folder in (PROC, PROC / "data"):
        assert_one_line(serve("serve", "--port", "0", "--data-dir", str(folder)), str(folder), "--data-dir")


def test_a_second_server_on_a_data_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        assert_one_line(serve("serve", "--port", "0", "--data-dir", str(tmp_path)), "another server", "--data-dir")
        assert get_json(f"{server.url}/healthz")["status"] == "ok"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["serve", "--colour", "red"], "--colour"),
        (["serve", "--port", "web"], "web"),
        (["serve", "--port", "65536"], "65536"),
        (["serve", "--port", "9" * 5000], "65535"),
        (["serve", "--port", "-1"], "--port"),
        (["serve", "--scenario", "nothing"], "pageviews"),
        (["serve", "--trusted-proxies", "all"], "all"),
        (["serve", "--trusted-proxies", "-1"], "--trusted-proxies"),
        (["serve", "--room-expiry-days", "-1"], "--room-expiry-days"),
        (["serve", "--room-expiry-days", "soon"], "soon"),
        (["serve", "--room-expiry-days", "9" * 5000], "36500"),
        (["explode"], "explode"),
        ([], "serve"),
    ],
)
def test_an_invalid_option_prints_one_line_and_exits_with_2(
    arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert word in shown.err


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["serve", "--help"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    for option in (
        "--host",
        "--port",
        "--data-dir",
        "--scenario",
        "--room-expiry-days",
        "--trusted-proxies",
        "--public-url",
        "--open",
    ):
        assert option in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_closes_every_viewer_with_1001_within_a_second(tmp_path: Path, number: int) -> None:
    with server_process(tmp_path) as server:
        made = server.make_room()
        viewers = [FeedClient(made.urls["feed"]) for _ in range(5)]
        for viewer in viewers[:-1]:  # the last one never pulls
            viewer.pull("checkpoint")
            viewer.receive()
        begin_s = time.monotonic()
        server.process.send_signal(number)
        codes = [viewer.close_code() for viewer in viewers]
        assert time.monotonic() - begin_s < 1.5  # a second, and the time of the check itself
        _, errors = server.process.communicate(timeout=TIMEOUT_S)  # how long Python takes to exit is not measured
        assert codes == [1001] * 5
        assert server.process.returncode == 0
        assert errors == ""
        for viewer in viewers:
            viewer.close()


def test_a_signal_leaves_complete_files(tmp_path: Path) -> None:
    with server_process(tmp_path) as server:
        made = server.make_room()
        url = f"{made.urls['api']}/commands"
        body = json.dumps({"command": "produce", "count": 50}).encode()
        request = urllib.request.Request(url, body, {"Content-Type": "application/json", **made.headers})
        with urllib.request.urlopen(request, timeout=TIMEOUT_S):
            code, errors = server.stop()
        assert (code, errors) == (0, "")
    with server_process(tmp_path) as server:
        facts = get_json(f"{server.url}/api/rooms/{made.room}")
        assert facts["journal"]["end_offset"] > 6_000
        _, errors = server.stop()
        assert "torn" not in errors
        assert "differs" not in errors
