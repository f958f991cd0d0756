"""The journal over plain HTTP: chapters and notable moments."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.webapp.support import MadeOverHttp, command, make_room


@pytest.fixture
def made(client: FlaskClient) -> MadeOverHttp:
    """Make a paused room with a second of history, a crash and a reset."""
    room = make_room(client, paused=True)
    for _ in range(5):
        command(client, room, "clock", action="step")
    command(client, room, "crash_broker", broker=2)
    command(client, room, "clock", action="step")
    command(client, room, "reset")
    command(client, room, "clock", action="step")
    return room


def chapter(client: FlaskClient, made: MadeOverHttp, **query: object) -> dict[str, Any]:
    answer = client.get(f"/api/rooms/{made.room}/journal", query_string=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def refusal(client: FlaskClient, made: MadeOverHttp, **query: object) -> tuple[int, str]:
    answer = client.get(f"/api/rooms/{made.room}/journal", query_string=query)
    return answer.status_code, answer.json["code"]


def test_a_time_returns_the_chapter_that_contains_it(client: FlaskClient, made: MadeOverHttp) -> None:
    first = chapter(client, made, at_us=0)
    assert (first["offset"], first["at_us"], first["is_last"]) == (0, 0, False)
    assert first["events"][0]["event"] == "checkpoint"
    assert first["next_offset"] == first["end_offset"]
    assert sum(first["sizes"]) == first["end_offset"]
    now_us = client.get(f"/api/rooms/{made.room}").json["clock"]["now_us"]
    last = chapter(client, made, at_us=now_us)
    assert (last["offset"], last["is_last"], last["complete_until_us"]) == (first["end_offset"], True, now_us)
    assert last["events"][0]["cause"] == "reset"


def test_a_journal_offset_means_every_event_before_it(client: FlaskClient, made: MadeOverHttp) -> None:
    first = chapter(client, made, at_us=0)
    assert chapter(client, made, journal_offset=0)["offset"] == 0
    assert chapter(client, made, journal_offset=first["end_offset"])["offset"] == 0
    now_us = client.get(f"/api/rooms/{made.room}").json["clock"]["now_us"]
    behind = first["end_offset"] + chapter(client, made, at_us=now_us)["sizes"][0]
    assert chapter(client, made, journal_offset=behind)["offset"] == first["end_offset"]


def test_the_sizes_add_up_to_the_offsets_of_the_events(client: FlaskClient, made: MadeOverHttp) -> None:
    first = chapter(client, made, at_us=0)
    offset = first["offset"]
    for size in first["sizes"]:
        assert chapter(client, made, journal_offset=offset)["offset"] == 0, "an event starts there"
        offset += size


def test_a_chapter_can_be_read_in_part(client: FlaskClient, made: MadeOverHttp) -> None:
    whole = chapter(client, made, at_us=0)
    part = chapter(client, made, at_us=0, max_bytes=whole["sizes"][1])
    assert part["events"] == whole["events"][:2]
    assert part["next_offset"] == sum(whole["sizes"][:2])
    assert part["end_offset"] == whole["end_offset"]
    assert part["complete_until_us"] == part["events"][-1]["at_us"] < whole["complete_until_us"]


def test_a_truncated_chapter_is_read_further_from_where_the_response_ended(
    client: FlaskClient, made: MadeOverHttp
) -> None:
    whole = chapter(client, made, at_us=0)
    read = chapter(client, made, at_us=0, max_bytes=whole["sizes"][1])
    events, sizes = read["events"], read["sizes"]
    while read["next_offset"] < read["end_offset"]:
        read = chapter(client, made, at_us=0, from_offset=read["next_offset"], max_bytes=600)
        assert read["events"]
        assert read["offset"] == whole["offset"]
        events, sizes = [*events, *read["events"]], [*sizes, *read["sizes"]]
    assert (events, sizes) == (whole["events"], whole["sizes"])
    assert read["complete_until_us"] == whole["complete_until_us"]
    assert refusal(client, made, at_us=0, from_offset=whole["end_offset"] + 1) == (400, "invalid_request")
    assert refusal(client, made, at_us=0, from_offset=3) == (400, "offset_inside_message")


def test_an_invalid_time_or_offset_is_refused(client: FlaskClient, made: MadeOverHttp) -> None:
    assert refusal(client, made) == (400, "invalid_request")
    assert refusal(client, made, at_us=0, journal_offset=0) == (400, "invalid_request")
    assert refusal(client, made, at_us="soon") == (400, "invalid_request")
    assert refusal(client, made, at_us=10**15) == (400, "invalid_request")
    assert refusal(client, made, journal_offset=3) == (400, "offset_inside_message")
    assert refusal(client, made, journal_offset=10**9) == (416, "offset_out_of_range")
    assert refusal(client, made, at_us=0, page=1) == (400, "invalid_request")
    assert client.get("/api/rooms/aaaabbbbcccc/journal?at_us=0").status_code == 404


def test_notable_moments_say_what_happened_and_where(client: FlaskClient, made: MadeOverHttp) -> None:
    answer = client.get(f"/api/rooms/{made.room}/journal/notable").json
    assert [one["kind"] for one in answer["moments"]] == ["start", "broker_crashed", "reset"]
    assert {one["kind"] for one in answer["moments"]} <= set(answer["kinds"])
    crash = answer["moments"][1]
    assert crash["subject"] == "broker:2"
    held = chapter(client, made, journal_offset=crash["offset"])
    index = [held["offset"] + sum(held["sizes"][:count]) for count in range(len(held["sizes"]))].index(crash["offset"])
    event = held["events"][index]
    assert (event["event"], event["broker"], event["at_us"]) == ("broker_crashed", 2, crash["at_us"])
    rest = client.get(
        f"/api/rooms/{made.room}/journal/notable", query_string={"from_offset": answer["end_offset"]}
    ).json
    assert rest["moments"] == []


def test_the_events_of_a_chapter_are_the_bytes_of_the_journal(client: FlaskClient, made: MadeOverHttp) -> None:
    answer = client.get(f"/api/rooms/{made.room}/journal?at_us=0")
    for event, size in zip(answer.json["events"], answer.json["sizes"], strict=True):
        text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
        assert text.encode() in answer.data
        assert len(text.encode()) + 9 == size
