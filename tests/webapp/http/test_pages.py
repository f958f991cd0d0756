"""Pages, controls and panels, as a browser and htmx request them."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.commands import COMMANDS
from tests.webapp.support import make_room
from webapp.http.request.access import Visitor
from webapp.room.commands import PARSERS

HTMX = {"HX-Request": "true"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def room_of(page: TestResponse) -> str:
    found = re.search(r'data-room="([a-z0-9]+)"', page.text)
    assert found, page.text[:500]
    return found.group(1)


def clock_of(client: FlaskClient, room: str) -> dict[str, object]:
    clock: dict[str, object] = client.get(f"/api/rooms/{room}").json["clock"]
    return clock


def test_a_visitor_gets_a_standing_room_and_the_same_one_after_a_reload(client: FlaskClient) -> None:
    first = client.get("/", headers=BROWSER)
    assert first.status_code == 200
    assert clock_of(client, room_of(first))["standing"]
    assert room_of(client.get("/", headers=BROWSER)) == room_of(first)


def test_each_visitor_gets_a_room_of_their_own(app: Flask) -> None:
    assert room_of(app.test_client().get("/")) != room_of(app.test_client().get("/"))


def test_the_key_is_in_a_cookie_that_scripts_cannot_read_and_not_in_the_page(client: FlaskClient) -> None:
    page = client.get("/")
    (cookie,) = page.headers.getlist("Set-Cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    secret, _, home = cookie.split("=", 1)[1].split(";")[0].partition(".")
    assert len(secret) >= 32
    assert secret not in page.text
    assert Visitor(secret, home).key_of(home) not in page.text
    assert home == room_of(page)


def test_a_visitor_has_one_cookie_however_many_rooms_it_makes(client: FlaskClient) -> None:
    rooms = [room_of(client.get("/"))]
    for _ in range(3):
        forked = client.post(f"/rooms/{rooms[-1]}/controls/fork", headers=BROWSER)
        rooms.append(forked.headers["Location"].rpartition("/")[2])
    cookies = re.findall(r"[\w-]+=", client.get(f"/rooms/{rooms[0]}").request.headers["Cookie"])
    assert cookies == ["offsetscope-visitor="]
    for room in rooms:
        assert client.post(f"/rooms/{room}/controls/produce", headers=BROWSER).status_code == 303
    assert room_of(client.get("/")) == rooms[0]


def test_servers_on_other_ports_of_the_same_host_have_cookies_of_their_own(client: FlaskClient) -> None:
    names = [
        client.get("/", base_url=address).headers["Set-Cookie"].partition("=")[0]
        for address in ("http://localhost", "http://localhost:8000", "http://[::1]:8001", "http://[::1]")
    ]
    assert names == [
        "offsetscope-visitor", "offsetscope-visitor-8000", "offsetscope-visitor-8001", "offsetscope-visitor"
    ]  # fmt: skip


def test_a_visitor_whose_room_is_gone_gets_a_new_one(client: FlaskClient) -> None:
    for value in (f"{'s' * 32}.aaaabbbbcccc", f"{'s' * 32}.../../etc", "s.aaaabbbbcccc", "", "é"):
        client.set_cookie("offsetscope-visitor", value)
        assert client.get("/").status_code == 200


def test_a_cookie_that_names_another_visitors_room_gives_no_control(app: Flask, client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    other = app.test_client()
    other.set_cookie("offsetscope-visitor", f"{'s' * 32}.{room}")
    assert room_of(other.get("/")) != room


def test_the_id_is_enough_to_watch_and_only_the_presenter_may_act(app: Flask, client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    stranger = app.test_client()
    page = stranger.get(f"/rooms/{room}")
    assert page.status_code == 200
    assert 'data-presenter="false"' in page.text
    assert 'data-presenter="true"' in client.get(f"/rooms/{room}").text
    answer = stranger.post(f"/rooms/{room}/controls/reset", headers=HTMX)
    assert answer.status_code == 401
    assert 'data-ok="false"' in answer.text


@pytest.mark.parametrize("theme", ["auto", "light", "dark", "projector"])
def test_the_theme_is_a_query_parameter(client: FlaskClient, theme: str) -> None:
    assert f'data-theme="{theme}"' in client.get(f"/?theme={theme}").text


def test_an_unknown_theme_is_answered_with_the_known_ones(client: FlaskClient) -> None:
    answer = client.get("/?theme=neon", headers=BROWSER)
    assert answer.status_code == 400
    assert "projector" in answer.text


# --- controls -------------------------------------------------------------------------------------------------------


def test_a_control_answers_htmx_with_the_outcome(client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    answer = client.post(f"/rooms/{room}/controls/produce", data={"topic": "pageviews", "count": "3"}, headers=HTMX)
    assert answer.status_code == 200
    assert 'data-ok="true"' in answer.text
    offset = re.search(r'data-journal-offset="(\d+)"', answer.text)
    assert offset
    assert int(offset.group(1)) > 0
    assert "<html" not in answer.text
    assert not clock_of(client, room)["standing"]


def test_a_message_with_a_key_is_sent_by_a_form(client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    form = {"topic": "pageviews", "key": "user-17", "value": "/home"}
    assert client.post(f"/rooms/{room}/controls/produce", data=form, headers=HTMX).status_code == 200


@pytest.mark.parametrize(
    "form",
    [
        {"action": "toggle"},
        {"action": "pause"},
        {"action": "resume"},
        {"action": "step"},
        {"action": "speed", "speed": "0.25"},
    ],
)
def test_the_clock_is_controlled_by_forms(client: FlaskClient, form: dict[str, str]) -> None:
    room = room_of(client.get("/"))
    answer = client.post(f"/rooms/{room}/controls/clock", data=form, headers=HTMX)
    assert answer.status_code == 200
    assert 'data-command="clock"' in answer.text


def test_without_htmx_a_control_redirects_back_to_its_page(client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    path = f"/rooms/{room}/controls/produce"
    for referer, target in (
        ("http://localhost/", "/"),
        (f"http://localhost/rooms/{room}?theme=dark", f"/rooms/{room}?theme=dark"),
        ("", f"/rooms/{room}"),
        ("http://evil.example/", f"/rooms/{room}"),
        ("http://localhost//evil.example", f"/rooms/{room}"),
        ("http://[", f"/rooms/{room}"),
    ):
        answer = client.post(path, data={"count": "1"}, headers={"Referer": referer, "Origin": "http://localhost"})
        assert (answer.status_code, answer.headers["Location"]) == (303, target)


def test_a_refused_control_is_answered_as_a_fragment_a_page_or_json(client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    path = f"/rooms/{room}/controls/start_broker"
    fragment = client.post(path, data={"broker": "1"}, headers=HTMX)
    assert fragment.status_code == 409
    assert 'data-command="start_broker"' in fragment.text
    assert "<html" not in fragment.text
    page = client.post(path, data={"broker": "1"}, headers=BROWSER)
    assert page.status_code == 409
    assert "<html" in page.text
    program = client.post(path, data={"broker": "1"}, headers={"Accept": "application/json"})
    assert program.json["code"] == "wrong_state"


def test_a_fork_leads_to_the_new_room_and_makes_its_visitor_the_presenter(client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    client.post(f"/rooms/{room}/controls/produce", data={"count": "1"}, headers=HTMX)
    answer = client.post(f"/rooms/{room}/controls/fork", data={"at_us": "0"}, headers=HTMX)
    target = answer.headers["HX-Redirect"]
    assert 'data-presenter="true"' in client.get(target).text
    plain = client.post(f"/rooms/{room}/controls/fork", data={"at_us": "0"})
    assert plain.status_code == 303
    assert plain.headers["Location"] not in (target, f"/rooms/{room}")


@pytest.mark.parametrize(
    ("referer", "query"),
    [
        ("http://localhost/?theme=projector", "?theme=projector"),
        ("http://localhost/rooms/any?theme=dark&more=1", "?theme=dark"),
        ("http://localhost/", ""),
        ("http://localhost/?theme=neon", ""),
        ("http://evil.example/?theme=dark", ""),
        ("", ""),
    ],
)
def test_a_fork_keeps_the_theme_of_the_page_it_was_made_on(client: FlaskClient, referer: str, query: str) -> None:
    path = f"/rooms/{room_of(client.get('/'))}/controls/fork"
    own = {"Referer": referer, "Origin": "http://localhost"}
    enhanced = client.post(path, headers={**HTMX, **own}).headers["HX-Redirect"]
    plain = client.post(path, headers=own).headers["Location"]
    for target in (enhanced, plain):
        assert target.partition("?")[1:] == query.partition("?")[1:]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://localhost"},
    ],
)
def test_a_page_of_another_origin_cannot_act_with_a_visitors_cookie(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    room = room_of(client.get("/"))
    path = f"/rooms/{room}/controls/reset"
    assert client.post(path, headers=headers).status_code == 403
    assert client.post(f"/api/rooms/{room}/commands", json={"command": "reset"}, headers=headers).status_code == 403
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}
    assert client.post(path, headers=own).status_code == 303


def test_a_form_with_unknown_or_repeated_fields_is_refused(client: FlaskClient) -> None:
    room = room_of(client.get("/"))
    path = f"/rooms/{room}/controls/produce"
    twice = client.post(path, data={"count": ["1", "2"]}, headers=HTMX)
    assert twice.status_code == 400
    unknown = client.post(path, data={"count": "1", "colour": "red"}, headers=HTMX)
    assert unknown.status_code == 400
    assert "colour" in unknown.text
    assert client.post(path, json={"count": 1}, headers=HTMX).status_code == 415
    assert client.post(f"/rooms/{room}/controls/explode", headers=HTMX).status_code == 400


def test_the_page_of_a_paused_room_says_the_time_and_who_is_furthest_behind(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    facts = client.get(f"/api/rooms/{made.room}").get_json()
    lags = {one["group"]: sum(part["lag_bytes"] for part in one["partitions"]) for one in facts["groups"]}
    furthest = max(lags, key=lambda group: lags[group])
    appended = facts["topics"][0]["events_appended"]
    said = f"Time is paused at 0.0 s after {appended} messages; <bdi>{furthest}</bdi> is {lags[furthest]:,} B behind."
    page = client.get(f"/rooms/{made.room}").text
    assert f"{said}</p>" in page
    client.post(f"/api/rooms/{made.room}/commands", json={"command": "clock", "action": "resume"}, headers=made.headers)
    assert "Time is paused" not in client.get(f"/rooms/{made.room}").text


def test_the_page_mentions_failures_before_lag(client: FlaskClient) -> None:
    made = make_room(client, paused=True)

    def opened_after(**command: object) -> str:
        answer = client.post(f"/api/rooms/{made.room}/commands", json=command, headers=made.headers)
        assert answer.status_code == 202, answer.text
        return client.get(f"/rooms/{made.room}").text

    crash = opened_after(command="crash_consumer", group="Real-time metrics", consumer="Metrics B")
    assert "; <bdi>Metrics B</bdi> has crashed, and nobody knows until its session runs out.</p>" in crash
    step = {"command": "clock", "action": "step"}
    opened_after(command="add_consumer", group="Real-time metrics")
    assert any(
        "<bdi>Real-time metrics</bdi> is in the middle of a rebalance." in opened_after(**step) for _ in range(40)
    )
    assert "; broker 2 is down: nobody reads or writes what it holds." in opened_after(command="crash_broker", broker=2)
    assert "; brokers 2, 3 are down:" in opened_after(command="crash_broker", broker=3)


# --- panels ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "registry",
        "producer",
        "consumer?group=Real-time+metrics&consumer=Metrics+A",
        "group?group=Real-time+metrics",
        "log?topic=pageviews&partition=1&offset=188",
    ],
)
def test_every_panel_is_a_fragment_that_needs_no_key(app: Flask, client: FlaskClient, path: str) -> None:
    room = room_of(client.get("/"))
    answer = app.test_client().get(f"/rooms/{room}/panels/{path}", headers=HTMX)
    assert answer.status_code == 200
    assert "<html" not in answer.text


def test_the_producer_panel_shows_every_current_setting(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    wanted = {"rate_per_second": 7, "batch_messages": 5, "linger_ms": 40, "keys": 3, "queue_messages": 9, "retries": 2}
    fields = {"command": "set_producer", **wanted}
    assert client.post(f"/api/rooms/{made.room}/commands", json=fields, headers=made.headers).status_code == 202
    panel = client.get(f"/rooms/{made.room}/panels/producer", headers=HTMX).text
    shown = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', panel))
    assert {name: float(shown[name]) for name in wanted} == wanted


def test_every_command_has_a_control_on_the_page(client: FlaskClient) -> None:
    made = make_room(client, scenario="deployment", paused=True)
    for broker in ("broker:1", "broker:2"):
        broken = {"from": "producer", "to": broker, "cut": "true"}
        client.post(f"/rooms/{made.room}/controls/set_link", data=broken, headers={**HTMX, **made.headers})
    panels = [
        "add",
        "producer",
        "mirror?group=Mirror",
        "consumer?group=Real-time+metrics&consumer=Metrics+A",
        "trouble?address=broker:1",
        "trouble?address=consumer:Real-time+metrics/Metrics+A",
        "log?topic=pageviews&partition=0&offset=0",
    ]
    page = client.get(f"/rooms/{made.room}").text
    read = [client.get(f"/rooms/{made.room}/panels/{panel}", headers=HTMX).text for panel in panels]
    offered = set(re.findall(r'controls/(\w+)"', "".join([page, *read])))
    assert {*COMMANDS, *PARSERS} - offered == set()


def test_the_mirror_panel_shows_and_sets_the_acknowledgement(client: FlaskClient) -> None:
    made = make_room(client, scenario="deployment", paused=True)
    path = f"/rooms/{made.room}/panels/mirror?group=Mirror"
    before = client.get(path, headers=HTMX).text
    assert "copies pageviews to live.pageviews, audit to live.audit" in before
    assert "<option selected>none" in before
    fields = {"group": "Mirror", "acknowledgement": "broker"}
    headers = {**HTMX, **made.headers}
    assert client.post(f"/rooms/{made.room}/controls/set_mirror", data=fields, headers=headers).status_code == 200
    assert "<option selected>broker" in client.get(path, headers=HTMX).text


def test_the_group_panel_has_fields_to_add_a_consumer_and_to_seek_by_time(client: FlaskClient) -> None:
    made = make_room(client, scenario="deployment", paused=True)
    panel = client.get(f"/rooms/{made.room}/panels/group?group=Mirror", headers=HTMX).text
    assert set(re.findall(r'name="(\w+)"', panel)) == {"group", "consumer", "streams", "topic", "partition", "time_s"}
    assert re.findall("<option>(.*?)</option>", panel) == ["pageviews", "audit"], "its topics"
    headers = {**HTMX, **made.headers}
    fields = {"group": "Mirror", "consumer": "Mirror X", "streams": "2"}
    assert client.post(f"/rooms/{made.room}/controls/add_consumer", data=fields, headers=headers).status_code == 200
    groups = {one["group"]: one for one in client.get(f"/api/rooms/{made.room}").get_json()["groups"]}
    assert "Mirror X" in [one["consumer"] for one in groups["Mirror"]["consumers"]]


def test_a_refusal_names_the_label_of_its_field_and_only_the_api_names_the_command(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    fields = {"linger_ms": "-1"}
    answer = client.post(f"/rooms/{made.room}/controls/set_producer", data=fields, headers={**HTMX, **made.headers})
    assert 'data-field="linger_ms"' in answer.text
    assert ">linger, ms cannot be -1<" in answer.text
    page = client.post(f"/rooms/{made.room}/controls/set_producer", data=fields, headers=made.headers)
    assert (page.status_code, "<h1>linger, ms cannot be -1</h1>" in page.text) == (400, True), "without JavaScript too"
    command = {"command": "set_producer", **fields}
    refused = client.post(f"/api/rooms/{made.room}/commands", json=command, headers=made.headers)
    assert refused.json["message"].startswith("set_producer: linger_ms cannot be")


def test_the_log_panel_shows_the_bytes_of_one_message(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    panel = client.get(f"/rooms/{made.room}/panels/log?topic=pageviews&partition=0&offset=215", headers=HTMX)
    data = client.get(f"/api/rooms/{made.room}/log/pageviews/0?offset=215&max_bytes=215").data
    shown = "".join(re.findall(r">([0-9a-f]{2})<", panel.text))
    assert bytes.fromhex(shown) == data
    assert f"{int.from_bytes(data[5:9]):08x}" in panel.text
    assert 'data-ok="true"' in panel.text


def test_the_log_panel_reports_a_flipped_byte(client: FlaskClient) -> None:
    made = make_room(client, paused=True)
    fields = {"command": "corrupt", "topic": "pageviews", "partition": 0, "offset": 215}
    assert client.post(f"/api/rooms/{made.room}/commands", json=fields, headers=made.headers).status_code == 202
    for offset, fits in ((0, "true"), (215, "false"), (430, "true")):
        panel = client.get(f"/rooms/{made.room}/panels/log?topic=pageviews&partition=0&offset={offset}", headers=HTMX)
        assert f'data-ok="{fits}"' in panel.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing", 404),
        ("consumer", 400),
        ("consumer?group=Real-time+metrics&consumer=Nobody", 404),
        ("mirror?group=Mirror", 404),
        ("group?group=Nobody", 404),
        ("group", 400),
        ("log", 400),
        ("log?topic=pageviews&partition=x", 400),
        ("log?topic=pageviews&partition=0&offset=7", 400),
        ("log?topic=pageviews&partition=0&offset=860", 416),
        ("log?topic=pageviews&partition=0&offset=9999", 416),
        ("log?topic=nothing", 404),
    ],
)
def test_a_panel_that_cannot_be_shown_says_why(client: FlaskClient, path: str, status: int) -> None:
    made = make_room(client, paused=True)
    answer = client.get(f"/rooms/{made.room}/panels/{path}", headers=HTMX)
    assert answer.status_code == status
    assert 'data-ok="false"' in answer.text
