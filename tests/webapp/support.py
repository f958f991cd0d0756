"""What the tests of webapp share: a clock moved by hand, helpers for rooms, a live server and its clients."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import websocket
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from webapp.house.services import Services
from webapp.room.answers import Applied
from webapp.room.commands import parse
from webapp.room.room import Room

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 20
BUDGET_US = 10_000_000
METRICS = "Real-time metrics"


class HandClock:
    """A wall clock that shows the same time until the test moves it."""

    def __init__(self) -> None:
        self.now_us = 1_000_000

    def __call__(self) -> int:
        return self.now_us

    def pass_ms(self, milliseconds: int) -> None:
        self.now_us += milliseconds * 1_000


def act(room: Room, command: str, **fields: object) -> Applied:
    """Submit a command, run one slice as the pump would, and return the result."""
    values = {"command": command, **fields}
    future = room.submit(parse(values), values)
    room.slice(budget_us=BUDGET_US)
    return future.result(timeout=0)


def run_ms(room: Room, clock: HandClock, milliseconds: int) -> None:
    """Let wall time pass in slices of 40 ms, as the pump does."""
    for _ in range(milliseconds // 40):
        clock.pass_ms(40)
        room.slice(budget_us=BUDGET_US)


def journal_of(room: Room) -> list[bytes]:
    """Return every event that a reader can read, as bytes."""
    return list(room.read_journal(0, 1 << 26).payloads)


def events_of(room: Room) -> list[dict[str, Any]]:
    return [json.loads(payload) for payload in journal_of(room)]


# --- over HTTP ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MadeOverHttp:
    """A room made with ``POST /api/rooms``."""

    room: str
    key: str
    urls: Mapping[str, str]

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}


def make_room(client: FlaskClient, **body: object) -> MadeOverHttp:
    answer = client.post("/api/rooms", json=body)
    assert answer.status_code == 201, answer.text
    return MadeOverHttp(answer.json["room"], answer.json["presenter_key"], answer.json["urls"])


def command(client: FlaskClient, made: MadeOverHttp, name: str, **fields: object) -> TestResponse:
    return client.post(f"/api/rooms/{made.room}/commands", json={"command": name, **fields}, headers=made.headers)


@dataclass
class LiveServer:
    """A server on a real port, in this process."""

    host: str
    services: Services
    sockets: list[websocket.WebSocket] = field(default_factory=list)

    def make_room(self, **body: object) -> MadeOverHttp:
        answer = post_json(f"http://{self.host}/api/rooms", body)
        return MadeOverHttp(answer["room"], answer["presenter_key"], answer["urls"])

    def command(self, made: MadeOverHttp, name: str, **fields: object) -> dict[str, Any]:
        return post_json(f"http://{self.host}/api/rooms/{made.room}/commands", {"command": name, **fields}, made.key)


def post_json(url: str, body: Mapping[str, object], key: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
        read: dict[str, Any] = json.load(answer)
    return read


def get_json(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
        read: dict[str, Any] = json.load(answer)
    return read


def refused(url: str, body: Mapping[str, object], key: str = "") -> tuple[int, dict[str, Any]]:
    """Send a request that must be refused; return its status and error."""
    try:
        answer = post_json(url, body, key)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
    raise AssertionError(f"not refused: {answer}")


class FeedClient:
    """A viewer of a room over a real WebSocket."""

    def __init__(self, url: str, **options: Any) -> None:
        self.socket = websocket.create_connection(url, timeout=TIMEOUT_S, **options)

    def pull(self, place: int | str, max_bytes: int = 1_000_000) -> None:
        self.send({"pull": place, "max_bytes": max_bytes})

    def send(self, frame: object) -> None:
        self.socket.send(frame if isinstance(frame, str) else json.dumps(frame))

    def receive(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(self.socket.recv())
        return frame

    def receive_until(self, offset: int) -> list[dict[str, Any]]:
        """Return all frames up to the one that reaches ``offset``."""
        frames = [self.receive()]
        while frames[-1]["next"] < offset:
            frames.append(self.receive())
        return frames

    def close_code(self) -> int:
        """Read until the server sends a close frame; return its code."""
        while True:
            opcode, frame = self.socket.recv_data_frame(control_frame=True)
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                return int.from_bytes(frame.data[:2], "big")

    def close(self) -> None:
        self.socket.close(timeout=TIMEOUT_S)
        self.socket.shutdown()


@contextmanager
def watching(url: str, **options: Any) -> Iterator[FeedClient]:
    client = FeedClient(url, **options)
    try:
        yield client
    finally:
        client.close()


# --- as a process ---------------------------------------------------------------------------------------------------


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **more}


class ServerProcess:
    """``offsetscope serve`` in a process of its own, on a free port."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "webapp", "serve", "--port", "0", "--data-dir", str(data_dir), *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("Offsetscope is at http://"), line + self.process.communicate()[1]
        self.url = line.split()[-1].rstrip("/")

    def make_room(self, **body: object) -> MadeOverHttp:
        answer = post_json(f"{self.url}/api/rooms", body)
        return MadeOverHttp(answer["room"], answer["presenter_key"], answer["urls"])

    def kill(self) -> None:
        """Kill the process at once, as a power failure would."""
        self.process.kill()
        self.process.communicate(timeout=TIMEOUT_S)

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Send it a signal; return its exit code and what it wrote to stderr."""
        self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=TIMEOUT_S)
        return self.process.returncode, errors


@contextmanager
def server_process(data_dir: Path, *options: str) -> Iterator[ServerProcess]:
    server = ServerProcess(data_dir, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
