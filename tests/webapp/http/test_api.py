"""The JSON API."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from engine.message.format import iterate_shallow
from tests.webapp.support import METRICS, TIMEOUT_S, command, make_room
from webapp.house.services import Services
from webapp.room.room import Room
from webapp.settings import Settings


def test_creating_a_room_returns_its_key_and_addresses(client: FlaskClient) -> None:
    made = make_room(client, scenario="pageviews", seed=1, paused=True)
    assert set(made.urls) == {"stage", "embed", "api", "feed"}
    assert made.urls["stage"] == f"http://localhost/rooms/{made.room}"
    assert made.urls["feed"] == f"ws://localhost/api/rooms/{made.room}/feed"
    for name in ("stage", "embed", "api"):
        assert client.get(made.urls[name]).status_code == 200


def test_a_room_created_without_a_body_runs(client: FlaskClient) -> None:
    answer = client.post("/api/rooms")
    assert answer.status_code == 201
    facts = client.get(f"/api/rooms/{answer.json['room']}").json
    assert not facts["clock"]["paused"]


def test_the_facts_of_a_new_room_are_those_of_the_default_state(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    facts = client.get(f"/api/rooms/{made.room}").json
    assert list(facts) == ["clock", "topics", "brokers", "groups", "journal"]
    assert facts["clock"] == {"now_us": 0, "speed": 1.0, "paused": True, "standing": False}
    (topic,) = facts["topics"]
    assert (topic["topic"], topic["events_appended"], topic["next_append_partition"]) == ("pageviews", 12, 0)
    assert [one["message_offsets"] for one in topic["partitions"]] == [
        [0, 215, 430, 645],
        [0, 188, 376, 564],
        [0, 204, 408, 612],
    ]
    metrics = next(group for group in facts["groups"] if group["group"] == METRICS)
    assert [(one["committed_offset"], one["owner"]) for one in metrics["partitions"]] == [
        (215, "Metrics A"),
        (188, "Metrics B"),
        (204, "Metrics C"),
    ]


def test_the_facts_match_the_bytes_on_disk(client: FlaskClient, settings: Settings) -> None:
    made = make_room(client, paused=True)
    facts = client.get(f"/api/rooms/{made.room}").json
    for partition in facts["topics"][0]["partitions"]:
        name = f"pageviews-{partition['partition']}"
        (segment,) = partition["segments"]
        (file,) = settings.data_dir.rglob(f"{name}/{segment['file']}")
        data = file.read_bytes()
        entries = list(iterate_shallow(data, segment["base_offset"]))
        assert [entry[0] for entry in entries] == partition["message_offsets"]
        assert entries[-1][1] == partition["next_offset"] == len(data)
        answer = client.get(f"/api/rooms/{made.room}/log/pageviews/{partition['partition']}")
        assert answer.data == data
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["X-Next-Offset"] == str(len(data))


def test_a_fetch_that_ends_inside_a_message_returns_the_next_offset(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    answer = client.get(f"/api/rooms/{made.room}/log/pageviews/0?offset=215&max_bytes=300")
    assert len(answer.data) == 300
    assert (answer.headers["X-Offset"], answer.headers["X-Next-Offset"]) == ("215", "430")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("log/pageviews/0?offset=99999", 416, "offset_out_of_range"),
        ("log/pageviews/9", 404, "unknown_partition"),
        ("log/nothing/0", 404, "unknown_topic"),
        ("log/pageviews/zero", 404, "unknown_page"),
        ("log/pageviews/0?offset=-1", 400, "invalid_request"),
        ("log/pageviews/0?offset=x", 400, "invalid_request"),
        ("log/pageviews/0?offset=" + "9" * 5000, 400, "invalid_request"),
        ("log/pageviews/0?offset=00000000000000000000123", 400, "invalid_request"),
        ("log/pageviews/0?offset=", 400, "invalid_request"),
        ("log/pageviews/0?offset=--5", 400, "invalid_request"),
        ("log/pageviews/0?offset=1_0", 400, "invalid_request"),
        ("log/pageviews/0?offset=%D9%A3", 400, "invalid_request"),
        ("log/pageviews/0?offset=%C2%B2", 400, "invalid_request"),
        ("log/pageviews/0?max_bytes=" + "0" * 20 + "99999999", 400, "invalid_request"),
        ("journal?at_us=" + "9" * 5000, 400, "invalid_request"),
        ("journal?journal_offset=" + "0" * 20 + "123", 400, "invalid_request"),
        ("journal/notable?from_offset=" + "9" * 5000, 400, "invalid_request"),
        ("journal.jsonl?offset=" + "9" * 5000, 400, "invalid_request"),
        ("log/pageviews/" + "9" * 5000, 404, "unknown_page"),
        ("log/pageviews/0?max_bytes=99999999", 400, "invalid_request"),
        ("log/pageviews/0?from=1", 400, "invalid_request"),
        ("nothing", 404, "unknown_page"),
    ],
)
def test_an_invalid_query_is_answered_with_a_typed_error(
    client: FlaskClient, path: str, status: int, code: str
) -> None:
    made = make_room(client, paused=True)
    answer = client.get(f"/api/rooms/{made.room}/{path}")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["message"]
    assert answer.json["remedy"]


def test_the_registry_is_the_znode_tree(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    tree = client.get(f"/api/rooms/{made.room}/registry").json
    assert tree["path"] == "/"
    values: dict[str, str] = {}

    def walk(node: dict[str, Any]) -> None:
        values[node["path"]] = node["value"]
        for child in node["children"]:
            walk(child)

    walk(tree)
    assert values[f"/consumers/{METRICS}/offsets/pageviews/1-0"] == "215"


# --- commands -------------------------------------------------------------------------------------------------------


def test_a_command_is_answered_after_it_was_applied(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    before = client.get(f"/api/rooms/{made.room}").json["journal"]["end_offset"]
    answer = command(client, made, "crash_consumer", group=METRICS, consumer="Metrics B")
    assert answer.status_code == 202
    assert set(answer.json) == {"applied_at_us", "journal_offset"}
    after = client.get(f"/api/rooms/{made.room}").json
    assert before < answer.json["journal_offset"] == after["journal"]["end_offset"]
    assert not after["groups"][0]["consumers"][1]["alive"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (r'{"command": "produce", "value": "\ud800"}', "value"),
        (r'{"command": "produce", "key": "\udfff", "value": "v"}', "key"),
        (r'{"command": "produce", "topic": "\ud800", "count": 1}', "topic"),
        (r'{"command": "produce", "records": [{"value": "v"}, {"value": "\udc00\ud800"}]}', "records"),
        (r'{"command": "add_topic", "topic": "\ud800"}', "topic"),
        (r'{"command": "add_group", "group": "\ud800"}', "group"),
        (r'{"command": "crash_consumer", "consumer": "\ud800"}', "consumer"),
        (r'{"command": "set_link", "from": "producer", "to": "\ud800"}', "to"),
        (r'{"command": "expire_session", "client": "\ud800"}', "client"),
        (r'{"command": "crash_loader", "loader": "\ud800"}', "loader"),
        (r'{"command": "fork", "ticket": "\ud800"}', "ticket"),
        (r'{"command": "clock", "action": "\ud800"}', "action"),
        (r'{"command": "\ud800"}', "command"),
        (r'{"command": "produce", "\ud800": 1}', "?"),
        ('{"command": "produce", "count": "--5"}', "count"),
        ('{"command": "produce", "count": "%s"}' % ("9" * 5_000), "count"),
        ('{"command": "produce", "count": "%s"}' % (" " * 1_000_000 + "5"), "count"),
        ('{"command": "produce", "count": 1e999}', "count"),
        ('{"command": "produce", "count": %s}' % ("[" * 900 + "]" * 900), "count"),
        ('{"command": "set_producer", "rate_per_second": NaN}', "rate_per_second"),
        ('{"command": "set_producer", "rate_per_second": "1e999"}', "rate_per_second"),
        ('{"command": "clock", "action": "speed", "speed": "%s"}' % ("9" * 5_000), "speed"),
        ('{"command": "fork", "at_us": "%s"}' % ("9" * 5_000), "at_us"),
        ('{"command": "crash_consumer", "consumer": "%s"}' % ("x" * 1_000_000), "consumer"),
    ],
    ids=lambda value: value[:70],
)
def test_an_invalid_command_is_refused_with_its_field_and_never_logged(
    client: FlaskClient, services: Services, body: str, field: str
) -> None:
    made = make_room(client, paused=True)
    answer = client.post(
        f"/api/rooms/{made.room}/commands", data=body, headers={**made.headers, "Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (400, "invalid_command", field)
    assert answer.json["message"]
    assert answer.json["remedy"]
    assert services.rooms.find(made.room).is_untouched
    assert command(client, made, "produce", value="the room lives").status_code == 202


def test_a_json_number_of_thousands_of_digits_is_refused(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    body = '{"command": "produce", "count": %s}' % ("9" * 5_000)
    answer = client.post(
        f"/api/rooms/{made.room}/commands", data=body, headers={**made.headers, "Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json["code"]) == (400, "invalid_request")


def test_records_with_the_same_key_go_to_one_partition(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    for value in ("/home", "/cart"):
        command(client, made, "produce", topic="pageviews", records=[{"key": "user-17", "value": value}])
    facts = client.get(f"/api/rooms/{made.room}").json["topics"][0]
    for _ in range(12):
        command(client, made, "clock", action="step")
        facts = client.get(f"/api/rooms/{made.room}").json["topics"][0]
    grown = [one["partition"] for one in facts["partitions"] if one["next_offset"] not in (860, 752, 816)]
    assert len(grown) == 1


def test_clock_commands_set_the_speed_step_and_resume(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    command(client, made, "clock", action="speed", speed=2.0)
    stepped = command(client, made, "clock", action="step").json
    clock = client.get(f"/api/rooms/{made.room}").json["clock"]
    assert clock == {"now_us": stepped["applied_at_us"], "speed": 2.0, "paused": True, "standing": False}
    command(client, made, "clock", action="resume")
    assert not client.get(f"/api/rooms/{made.room}").json["clock"]["paused"]


def test_a_fork_is_a_new_room_with_a_key_of_its_own(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    end = command(client, made, "produce", count=2).json["journal_offset"]
    answer = command(client, made, "fork", journal_offset=end)
    assert answer.status_code == 202
    assert answer.json["room"] != made.room
    assert answer.json["journal_offset"] == end
    fork_headers = {"Authorization": f"Bearer {answer.json['presenter_key']}"}
    path = f"/api/rooms/{answer.json['room']}/commands"
    assert client.post(path, json={"command": "reset"}, headers=fork_headers).status_code == 202
    assert client.post(path, json={"command": "reset"}, headers=made.headers).status_code == 403


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 400, "invalid_command"),
        ({"command": "explode"}, 400, "invalid_command"),
        ({"command": "produce", "count": 1, "colour": "red"}, 400, "invalid_command"),
        ({"command": "produce", "count": 2_000}, 413, "produce_too_large"),
        ({"command": "produce", "count": 1_000, "size": 1_001}, 413, "produce_too_large"),
        ({"command": "produce", "topic": "nothing", "count": 1}, 404, "unknown_topic"),
        ({"command": "crash_consumer", "group": METRICS, "consumer": "Nobody"}, 404, "unknown_consumer"),
        ({"command": "start_broker", "broker": 1}, 409, "wrong_state"),
        ({"command": "seek", "group": METRICS, "partition": 0, "offset": 7}, 400, "offset_inside_message"),
        ({"command": "add_topic", "topic": "../etc"}, 400, "invalid_name"),
        ({"command": "fork", "at_us": 1}, 400, "invalid_command"),
    ],
)
def test_a_command_that_cannot_be_applied_changes_nothing(
    client: FlaskClient, fields: dict[str, object], status: int, code: str
) -> None:
    made = make_room(client, paused=True)
    before = client.get(f"/api/rooms/{made.room}").json
    answer = client.post(f"/api/rooms/{made.room}/commands", json=fields, headers=made.headers)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert answer.json["remedy"]
    assert client.get(f"/api/rooms/{made.room}").json == before


# --- bodies ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"scenario": 7}, "scenario"),
        ({"seed": "1"}, "seed"),
        ({"seed": True}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**60}, "seed"),
        ({"paused": 1}, "paused"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_creating_a_room_with_an_invalid_field_is_refused_and_names_the_field(
    client: FlaskClient, body: dict[str, object], field: str
) -> None:
    answer = client.post("/api/rooms", json=body)
    assert (answer.status_code, answer.json["code"], answer.json["field"]) == (400, "invalid_request", field)


@pytest.mark.parametrize(
    ("data", "content_type", "status"),
    [
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"{}", "text/plain", 415),
        (b"scenario=pageviews", "application/x-www-form-urlencoded", 415),
        (b" " * 2_000_001, "application/json", 413),
    ],
)
def test_an_unreadable_body_is_refused(client: FlaskClient, data: bytes, content_type: str, status: int) -> None:
    for path in ("/api/rooms", None):
        made = make_room(client, paused=True)
        answer = client.post(
            path or f"/api/rooms/{made.room}/commands", data=data, content_type=content_type, headers=made.headers
        )
        assert answer.status_code == status
        assert {"code", "message", "remedy"} <= set(answer.json)


def test_an_unknown_scenario_is_answered_with_the_known_ones(client: FlaskClient) -> None:
    answer = client.post("/api/rooms", json={"scenario": "nothing"})
    assert (answer.status_code, answer.json["code"]) == (404, "unknown_scenario")
    assert "pageviews" in answer.json["remedy"]


def test_rooms_over_the_limit_are_refused_with_a_retry_time(tmp_path: Path, app: Flask) -> None:
    client = app.test_client()
    services: Services = app.extensions["offsetscope"]
    services.rooms._per_minute._at_most = 2
    for _ in range(2):
        make_room(client)
    answer = client.post("/api/rooms")
    assert (answer.status_code, answer.json["code"]) == (429, "rooms_too_fast")
    assert 0 < int(answer.headers["Retry-After"]) <= 60


# --- who may --------------------------------------------------------------------------------------------------------


def test_reading_needs_only_the_id_and_changing_needs_the_key(app: Flask, client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    stranger = app.test_client()
    assert stranger.get(f"/api/rooms/{made.room}").status_code == 200
    path = f"/api/rooms/{made.room}/commands"
    answer = stranger.post(path, json={"command": "reset"})
    assert (answer.status_code, answer.json["code"]) == (401, "presenter_key_needed")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    for header in ("Bearer wrong", "Bearer", "Bearer ", f"Basic {made.key}", f"Bearer {made.key}x"):
        refused = stranger.post(path, json={"command": "reset"}, headers={"Authorization": header})
        assert (refused.status_code, refused.json["code"]) == (403, "wrong_presenter_key")
    assert stranger.post(path, json={"command": "reset"}, headers=made.headers).status_code == 202


def test_the_key_of_one_room_does_not_control_another(client: FlaskClient) -> None:
    one, other = make_room(client), make_room(client)
    answer = client.post(f"/api/rooms/{other.room}/commands", json={"command": "reset"}, headers=one.headers)
    assert answer.status_code == 403


def test_a_plain_http_request_for_the_feed_is_answered_with_an_explanation(client: FlaskClient) -> None:
    made = make_room(client)
    answer = client.get(f"/api/rooms/{made.room}/feed")
    assert (answer.status_code, answer.json["code"]) == (426, "upgrade_needed")
    assert answer.headers["Upgrade"] == "websocket"


def test_health_reports_threads_rooms_and_viewers(client: FlaskClient) -> None:
    make_room(client)
    assert json.loads(client.get("/healthz").data) == {
        "status": "ok",
        "threads": {"pump": "ok", "housekeeping": "ok"},
        "rooms": 1,
        "rooms_awake": 1,
        "viewers": 0,
    }


def test_a_failing_thread_makes_the_server_unhealthy_until_it_works_again(
    client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_room(client)
    failed = threading.Event()

    def planted() -> list[Room]:
        failed.set()
        raise ZeroDivisionError

    with monkeypatch.context() as failing:
        failing.setattr(services._pump, "_rooms_awake", planted)
        services._pump.wake(services.rooms.find(made.room))
        assert failed.wait(TIMEOUT_S)
        answer = client.get("/healthz")
        while answer.status_code == 200:  # the thread has not reported the error yet
            answer = client.get("/healthz")
        assert answer.status_code == 503
        assert answer.json["status"] == "failing"
        assert answer.json["threads"]["pump"] == "failed and is tried again: ZeroDivisionError"
    assert command(client, made, "produce", count=1).status_code == 202
    assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_page_of_another_site_makes_no_rooms(client: FlaskClient, headers: dict[str, str], body: bytes) -> None:
    sent = {**headers, "Content-Type": "text/plain"} if body else headers
    assert client.post("/api/rooms", data=body, headers=sent).status_code in (403, 415)
    assert client.get("/healthz").json["rooms"] == 0
    assert client.post("/api/rooms").status_code == 201


def test_the_path_of_a_failed_request_is_escaped_in_the_log(
    client: FlaskClient, services: Services, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(services.rooms, "find", lambda room: 1 / 0)
    assert client.get("/api/rooms/a%0aWARNING%20forged%1b[2J").status_code == 500
    (entry,) = [entry.getMessage() for entry in caplog.records if "failed" in entry.getMessage()]
    assert "\n" not in entry
    assert "\x1b" not in entry
