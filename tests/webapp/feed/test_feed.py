"""The feed's contract, without sockets: credit, contiguity, one encoding for all, and no viewer delays another."""

import itertools
import json

import pytest

from tests.webapp.feed.feed_by_hand import RUNNING, Audience, FakeJournal, Wire, numbers, pull, stretches
from webapp.errors import InvalidPull
from webapp.feed import Allowance, take_in
from webapp.feed.frames import close_frame, events_frame
from webapp.feed.pulls import CREDIT_BYTES_AT_MOST, Pull, parse_pull

# --- frames and pulls -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_of_any_size_can_be_decoded(size: int) -> None:
    payload = b'{"n":1,"x":"%s"}' % (b"x" * size)
    wire = Wire()
    wire.send_some(events_frame(7, 7 + size, 99, RUNNING, [payload, payload]).data)
    (message,) = wire.messages()
    assert message == {
        "offset": 7,
        "next": 7 + size,
        "end": 99,
        "clock": {"now_us": 5, "speed": 1.0, "paused": False, "standing": False},
        "events": [json.loads(payload)] * 2,
    }


def test_a_close_frame_carries_its_code_and_a_reason_that_fits() -> None:
    wire = Wire()
    wire.send_some(close_frame(1001, "x" * 500))
    ((opcode, payload),) = wire.frames()
    assert (opcode, payload[:2], len(payload)) == (8, b"\x03\xe9", 125)


@pytest.mark.parametrize("place", [0, 17, "checkpoint", "end"])
def test_a_pull_has_a_place_and_a_credit(place: int | str) -> None:
    assert parse_pull(json.dumps({"pull": place, "max_bytes": 1})) == Pull(place, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "[]",
        "1",
        "null",
        "[" * 4000,
        b'{"pull": 0, "max_bytes": 1}',
        "{}",
        '{"pull": 0}',
        '{"max_bytes": 1}',
        '{"pull": -1, "max_bytes": 1}',
        '{"pull": 1.5, "max_bytes": 1}',
        '{"pull": true, "max_bytes": 1}',
        '{"pull": null, "max_bytes": 1}',
        '{"pull": "start", "max_bytes": 1}',
        '{"pull": [0], "max_bytes": 1}',
        '{"pull": 0, "max_bytes": 0}',
        '{"pull": 0, "max_bytes": -1}',
        '{"pull": 0, "max_bytes": "9"}',
        '{"pull": 0, "max_bytes": true}',
        '{"pull": 0, "max_bytes": NaN}',
        json.dumps({"pull": 0, "max_bytes": CREDIT_BYTES_AT_MOST + 1}),
        '{"pull": 0, "max_bytes": 1, "more": 1}',
        '{"pull": 0, "max_bytes": 1, "digest": 1}',
        '{"pull": 0, "max_bytes": 1, "x": "%s"}' % ("x" * 5000),
    ],
)
def test_an_invalid_pull_is_refused_with_a_remedy(frame: str | bytes) -> None:
    with pytest.raises(InvalidPull) as refused:
        parse_pull(frame)
    assert refused.value.remedy


def test_a_refused_frame_is_answered_and_the_previous_pull_stays_in_force(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0)
    for frame in (
        "nonsense",
        b"\xff",
        json.dumps({"pull": 3, "max_bytes": 9}),
        json.dumps({"pull": 10**30, "max_bytes": 9}),
    ):
        take_in(viewer, frame)
    audience.turn()
    answers = wire.messages()
    assert [answer["error"]["code"] for answer in answers[:4]] == [
        "invalid_pull",
        "invalid_pull",
        "offset_inside_message",
        "offset_out_of_range",
    ]
    assert numbers(answers[4:]) == [0, 1, 2, 3]


# --- credit ---------------------------------------------------------------------------------------------------------


def test_nothing_is_sent_without_credit(audience: Audience) -> None:
    _, wire = audience.join()
    audience.turn(is_heartbeat=True)
    audience.journal.grow(5)
    audience.now_s += 10
    audience.turn(is_heartbeat=True)
    assert wire.sent == b""


@pytest.mark.parametrize("max_bytes", range(30, 200, 7))
def test_a_viewer_never_receives_more_than_its_credit(max_bytes: int) -> None:
    audience = Audience(FakeJournal(*range(1, 12)))
    viewer, wire = audience.join()
    pull(viewer, 0, max_bytes)
    audience.turns(5)
    audience.journal.grow(3, 3, 3)
    audience.turns(5)
    got = stretches(wire.messages())
    assert sum(next_offset - offset for offset, next_offset in got) <= max_bytes
    assert got[-1][1] == max(offset for offset in audience.journal.offsets if offset <= max_bytes)


def test_frames_are_contiguous_for_any_credit_and_growth_of_the_journal(audience: Audience) -> None:
    viewer, wire = audience.join()
    position = 0
    for round_number in range(30):
        pull(viewer, position, 150)
        audience.journal.grow(round_number, 3)
        audience.turn()
        position = wire.messages()[-1]["next"]
    messages = wire.messages()
    for before, after in itertools.pairwise(messages):
        assert before["next"] == after["offset"]
    assert numbers(messages) == list(range(len(numbers(messages))))


def test_a_waiting_viewer_receives_new_events(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, "end")
    audience.turn()
    (hello,) = wire.messages()
    assert (hello["offset"], hello["next"], hello["events"]) == (audience.journal.end, audience.journal.end, [])
    audience.journal.grow(1)
    audience.turn()
    assert numbers(wire.messages()) == [4]


def test_a_pull_from_the_checkpoint_begins_there(audience: Audience) -> None:
    audience.journal.checkpoint_offset = audience.journal.offsets[2]
    viewer, wire = audience.join()
    pull(viewer, "checkpoint")
    audience.turn()
    assert numbers(wire.messages()) == [2, 3]


def test_a_new_pull_replaces_the_old_one(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0, 10_000)
    pull(viewer, audience.journal.offsets[3], 100)
    audience.turn()
    assert numbers(wire.messages()) == [3]
    pull(viewer, 0, 60)
    audience.turns(3)
    assert numbers(wire.messages()) == [3, 0]


def test_an_event_larger_than_the_credit_is_an_error_that_says_how_many_bytes_are_needed() -> None:
    audience = Audience(FakeJournal(500))
    viewer, wire = audience.join()
    pull(viewer, 0, 100)
    audience.turns(2)
    (answer,) = wire.messages()
    assert answer["error"]["code"] == "credit_too_small"
    pull(viewer, 0, answer["error"]["needed_bytes"])
    audience.turn()
    assert numbers(wire.messages()[1:]) == [0]


def test_a_viewer_whose_remaining_credit_is_too_small_is_notified_once_that_there_is_more(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0, audience.journal.offsets[1] + 5)
    audience.turns(3)
    data, notice = wire.messages()
    assert numbers([data]) == [0]
    assert notice["events"] == []
    assert notice["next"] == data["next"] < notice["end"]


def test_an_event_larger_than_a_frame_is_sent_when_the_credit_covers_it() -> None:
    audience = Audience(FakeJournal(10, 200_000, 10))
    viewer, wire = audience.join()
    pull(viewer, 0, 300_000)
    audience.turn()
    assert numbers(wire.messages()) == [0, 1, 2]


def test_a_long_journal_is_sent_in_frames_of_bounded_size() -> None:
    audience = Audience(FakeJournal(*[1_000] * 300))
    viewer, wire = audience.join()
    pull(viewer, 0)
    audience.turns(3)
    messages = wire.messages()
    assert len(messages) > 4
    assert max(message["next"] - message["offset"] for message in messages) <= 65_536
    assert numbers(messages) == list(range(300))


def test_an_allowance_refills_with_time() -> None:
    allowance = Allowance(at_once=3, per_second=2)
    assert [allowance.take(10.0) for _ in range(4)] == [True, True, True, False]
    assert [allowance.take(11.0) for _ in range(3)] == [True, False, False]
    assert [allowance.take(100.0) for _ in range(4)] == [True, True, True, False]
