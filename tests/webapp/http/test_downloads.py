"""Downloads of a room's files: the bytes on disk, which the engine's own tools can read."""

import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.events.cluster import BrokerAdded
from engine.journal.journal import Journal
from engine.message.message_set import iterate_deep
from engine.storage.disk import OsDisk
from engine.storage.log import Log
from engine.storage.log_config import NEVER_BY_COUNT, LogConfig
from tests.support.disks import HandClock
from tests.webapp.support import ROOT, TIMEOUT_S, LiveServer, MadeOverHttp, command, make_room
from webapp.http import downloads
from webapp.http.request.context import EXTENSION
from webapp.settings import Settings

LARGEST = 1_000_000
P0 = "log/pageviews/0/segments"


def fetched(client: FlaskClient, url: object, **how: Any) -> TestResponse:
    """Request a file; return the response with its file closed, as a server closes it."""
    return client.get(str(url), buffered=True, **how)


def listing(client: FlaskClient, made: MadeOverHttp, where: str = P0) -> list[dict[str, object]]:
    answer = client.get(f"/api/rooms/{made.room}/{where}")
    assert answer.status_code == 200, answer.text
    return list(answer.json["segments"])


def filled(client: FlaskClient) -> MadeOverHttp:
    """Make a paused room whose logs have several segments each and some unflushed bytes."""
    made = make_room(client, paused=True)
    for _ in range(5):
        command(client, made, "produce", topic="pageviews", count=60, size=90)
    for _ in range(20):
        command(client, made, "clock", action="step")
    return made


def on_disk(settings: Settings, made: MadeOverHttp, folder: str, file: str) -> bytes:
    (path,) = (settings.data_dir / "rooms" / made.room).rglob(f"{folder}/{file}")
    return path.read_bytes()


def test_every_segment_of_a_partition_is_downloaded_as_it_is_on_disk(client: FlaskClient, settings: Settings) -> None:
    made = filled(client)
    facts = client.get(f"/api/rooms/{made.room}").json["topics"][0]["partitions"]
    for number, partition in enumerate(facts):
        files = listing(client, made, f"log/pageviews/{number}/segments")
        assert [one["file"] for one in files] == [one["file"] for one in partition["segments"]]
        for one in files:
            answer = fetched(client, one["url"])
            assert answer.mimetype == "application/octet-stream"
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{one["file"]}"'
            assert len(answer.data) == one["bytes"] == answer.content_length
            assert on_disk(settings, made, f"pageviews-{number}", str(one["file"])).startswith(answer.data)
        assert answer.headers["X-Next-Offset"] == str(partition["flushed_offset"])


def test_unflushed_bytes_are_not_sent(client: FlaskClient, settings: Settings) -> None:
    made = filled(client)
    command(client, made, "set_producer", batch_messages=2)
    for _ in range(200):
        partition = client.get(f"/api/rooms/{made.room}").json["topics"][0]["partitions"][0]
        if partition["flushed_offset"] < partition["next_offset"]:
            break
        command(client, made, "produce", topic="pageviews", count=2, size=20)
        command(client, made, "clock", action="step")
    assert partition["flushed_offset"] < partition["next_offset"], "some bytes are not flushed"
    last = listing(client, made)[-1]
    answer = fetched(client, last["url"])
    assert int(answer.headers["X-Base-Offset"]) + len(answer.data) == partition["flushed_offset"]
    assert len(on_disk(settings, made, "pageviews-0", str(last["file"]))) > len(answer.data)


def test_downloaded_segments_in_one_folder_are_a_readable_log(client: FlaskClient, tmp_path: Path) -> None:
    made = filled(client)
    folder = tmp_path / "taken-away"
    folder.mkdir()
    for one in listing(client, made):
        (folder / str(one["file"])).write_bytes(fetched(client, one["url"]).data)
    log = Log.open(
        folder, limits=LogConfig(1 << 20, NEVER_BY_COUNT, LARGEST), disk=OsDisk(sync=False), now_us=HandClock()
    )
    partition = client.get(f"/api/rooms/{made.room}").json["topics"][0]["partitions"][0]
    assert (log.first_offset, log.flushed_offset, log.recovery.bytes_cut) == (0, partition["flushed_offset"], 0)
    offsets = []
    offset = 0
    while offset < log.flushed_offset:
        messages = list(iterate_deep(log.read(offset, LARGEST), offset))
        offsets += [start for start, _, _ in messages]
        offset = messages[-1][1]
    assert set(partition["message_offsets"]) - set(offsets) == set()
    assert len(offsets) >= 64
    log.close()


def test_a_downloaded_journal_can_be_read_and_its_json_lines_are_its_events(
    client: FlaskClient, tmp_path: Path
) -> None:
    made = filled(client)
    folder = tmp_path / "journal"
    folder.mkdir()
    for one in listing(client, made, "journal/segments"):
        (folder / str(one["file"])).write_bytes(fetched(client, one["url"]).data)
    answer = client.get(f"/api/rooms/{made.room}/journal.jsonl")
    journal = Journal.open(folder)
    events = journal.read(0, 1 << 30).payloads
    assert answer.data == b"".join(event + b"\n" for event in events)
    assert json.loads(answer.text.splitlines()[0])["event"] == "checkpoint"
    assert int(answer.headers["X-Next-Offset"]) == journal.end_offset
    assert f"{journal.end_offset}.jsonl" in answer.headers["Content-Disposition"]
    second = journal.read(0, len(events[0]) + 9).next_offset
    rest = client.get(f"/api/rooms/{made.room}/journal.jsonl?offset={second}")
    assert rest.data == b"".join(event + b"\n" for event in events[1:])
    journal.close()


def test_json_lines_are_streamed_in_pieces_and_a_larger_event_is_sent_whole(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = filled(client)
    whole = client.get(f"/api/rooms/{made.room}/journal.jsonl").data
    monkeypatch.setattr(downloads, "LINES_BYTES", 300)
    assert client.get(f"/api/rooms/{made.room}/journal.jsonl").data == whole


def test_a_range_of_a_file_can_be_requested_and_a_broken_download_resumed(client: FlaskClient) -> None:
    made = filled(client)
    one = listing(client, made)[0]
    whole = fetched(client, one["url"])
    for wanted, expected in (("bytes=100-199", whole.data[100:200]), ("bytes=-7", whole.data[-7:])):
        answer = fetched(client, one["url"], headers={"Range": wanted})
        assert (answer.status_code, answer.data) == (206, expected)
        assert answer.headers["Content-Range"].endswith(f"/{one['bytes']}")
    rest = fetched(client, one["url"], headers={"Range": "bytes=50-", "If-Range": whole.headers["ETag"]})
    assert (rest.status_code, whole.data[:50] + rest.data) == (206, whole.data)
    other = fetched(client, one["url"], headers={"Range": "bytes=50-", "If-Range": '"another"'})
    assert (other.status_code, other.data) == (200, whole.data)
    beyond = fetched(client, one["url"], headers={"Range": f"bytes={one['bytes']}-"})
    assert (beyond.status_code, beyond.json["code"]) == (416, "offset_out_of_range")
    head = client.head(str(one["url"]), buffered=True)
    assert (head.status_code, head.data, head.content_length) == (200, b"", one["bytes"])


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("log/pageviews/0/segments/00000000000000000001.kafka", "unknown_segment"),
        ("log/pageviews/0/segments/..%2F..%2Fcommands", "unknown_page"),
        ("log/pageviews/0/segments/.clean_shutdown", "unknown_segment"),
        ("log/pageviews/7/segments", "unknown_partition"),
        ("log/nothing/0/segments/00000000000000000000.kafka", "unknown_topic"),
        ("journal/segments/commands", "unknown_segment"),
    ],
)
def test_a_missing_segment_partition_or_topic_is_a_typed_error(client: FlaskClient, path: str, code: str) -> None:
    made = make_room(client, paused=True)
    answer = client.get(f"/api/rooms/{made.room}/{path}")
    assert (answer.status_code, answer.json["code"]) == (404, code)


def test_json_lines_from_an_offset_inside_an_event_are_refused_before_any_line_is_sent(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    for query, status, code in (
        ("offset=3", 400, "offset_inside_message"),
        ("offset=99999999", 416, "offset_out_of_range"),
        ("max=3", 400, "invalid_request"),
    ):
        answer = client.get(f"/api/rooms/{made.room}/journal.jsonl?{query}")
        assert (answer.status_code, answer.json["code"]) == (status, code)


def test_the_files_of_a_crashed_broker_can_be_downloaded(client: FlaskClient) -> None:
    made = filled(client)
    before = [fetched(client, one["url"]).data for one in listing(client, made)]
    command(client, made, "crash_broker", broker=1)
    assert [fetched(client, one["url"]).data for one in listing(client, made)] == before


def test_a_download_continues_when_a_reset_deletes_its_file(app: Flask) -> None:
    client = app.test_client()
    made = filled(client)
    one = listing(client, made)[0]
    whole = fetched(client, one["url"]).data
    with client.get(str(one["url"]), buffered=False) as under_way:
        assert command(client, made, "reset").status_code == 202
        assert b"".join(under_way.iter_encoded()) == whole
    assert EXTENSION in app.extensions


def test_a_live_room_can_be_downloaded_while_the_engine_writes(live: LiveServer, tmp_path: Path) -> None:
    made = live.make_room()
    live.command(made, "set_producer", topic="pageviews", rate_per_second=500)
    live.command(made, "clock", action="speed", speed=16)
    ends: list[int] = []
    while len(set(ends)) < 4:  # it grows
        with urllib.request.urlopen(
            f"http://{live.host}/api/rooms/{made.room}/journal/segments/{0:020d}.kafka", timeout=TIMEOUT_S
        ) as answer:
            data = answer.read()
            assert len(data) == int(answer.headers["Content-Length"])
        ends.append(len(data))
    assert ends == sorted(ends)
    (tmp_path / f"{0:020d}.kafka").write_bytes(data)
    journal = Journal.open(tmp_path)
    assert journal.end_offset == len(data), "it ends at the end of an event"
    assert journal.append(BrokerAdded(0, 9)) == len(data)
    journal.close()


def test_the_page_links_to_every_file(client: FlaskClient) -> None:
    made = filled(client)
    panel = client.get(f"/rooms/{made.room}/panels/downloads").text
    links = set(re.findall(r'href="([^"]+)"', panel))
    for number in range(3):
        assert {str(one["url"]) for one in listing(client, made, f"log/pageviews/{number}/segments")} <= links
    assert {str(one["url"]) for one in listing(client, made, "journal/segments")} <= links
    assert f"/api/rooms/{made.room}/journal.jsonl" in links
    assert f"/rooms/{made.room}/panels/downloads" in client.get(f"/rooms/{made.room}").text


def test_the_documented_example_decodes_what_it_downloads(live: LiveServer, tmp_path: Path) -> None:
    document = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```py\n(.*?)^```", document, re.DOTALL | re.MULTILINE)
    made = live.make_room(paused=True)
    said: list[str] = []
    names = {
        "BASE": f"http://{live.host}",
        "ROOM": made.room,
        "print": lambda *words: said.append(" ".join(map(str, words))),
    }
    exec(compile(example, "docs/api.md", "exec"), names)
    assert said[0].startswith("0 ")
    assert [line.split()[0] for line in said[:4]] == ["0", "215", "430", "645"]
    assert said[4] == "checkpoint 0"
