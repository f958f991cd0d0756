"""The clock, the heartbeat, and many viewers of whom none delays another."""

import json
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest

from engine.journal.journal import JournalChunk
from tests.webapp.feed.feed_by_hand import Audience, FakeJournal, Wire, numbers, pull
from webapp.errors import RoomFailed, RoomSuspended
from webapp.feed import take_in
from webapp.feed.viewer import ANSWERS_AT_MOST, POLICY_VIOLATION, Viewer
from webapp.room.answers import Moment
from webapp.room.pace import ClockFacts

TIMEOUT_S = 5

# --- clock and heartbeat --------------------------------------------------------------------------------------------


def test_a_changed_clock_is_sent_without_events(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, "end")
    audience.turn()
    audience.journal.clock = ClockFacts(9, 2.0, paused=True, standing=False)
    audience.turns(2)
    _, frame = wire.messages()
    assert frame["clock"] == {"now_us": 9, "speed": 2.0, "paused": True, "standing": False}
    assert frame["events"] == []


def test_a_heartbeat_is_sent_once_a_second_while_nothing_happens(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, "end")
    audience.turn()
    audience.journal.clock = ClockFacts(50, 1.0, paused=False, standing=False)
    audience.turn()
    assert len(wire.messages()) == 1
    audience.now_s += 1
    audience.turn(is_heartbeat=True)
    assert wire.messages()[1]["clock"]["now_us"] == 50


def test_a_viewer_that_just_received_a_frame_gets_no_heartbeat(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0)
    audience.turn()
    audience.turn(is_heartbeat=True)
    assert len(wire.messages()) == 1


# --- many viewers ---------------------------------------------------------------------------------------------------


def test_viewers_at_the_same_offset_share_one_read_and_the_same_encoded_bytes(audience: Audience) -> None:
    wires = []
    for credit in (1_000_000, 500_000, 10_000):
        viewer, wire = audience.join()
        pull(viewer, 0, credit)
        wires.append(wire)
    audience.journal.reads = 0
    audience.turn()
    assert audience.journal.reads == 1
    assert wires[0].sent == wires[1].sent == wires[2].sent


def test_a_slow_viewer_lags_without_delaying_the_others(audience: Audience) -> None:
    slow, slow_wire = audience.join(Wire(room_bytes=100))
    fast, fast_wire = audience.join()
    pull(slow, 0)
    pull(fast, 0)
    for _ in range(50):
        audience.journal.grow(40)
        audience.turn()
    assert numbers(fast_wire.messages()) == list(range(54))
    assert len(slow_wire.sent) == 100
    slow_wire.room_bytes = 1 << 40
    audience.turns(3)
    messages = slow_wire.messages()
    assert numbers(messages) == list(range(54))
    assert len(messages) == 2  # the frame that stalled, and then all the rest at once


def test_an_answer_waits_until_a_half_sent_frame_is_complete(audience: Audience) -> None:
    viewer, wire = audience.join(Wire(room_bytes=20))
    pull(viewer, 0)
    audience.turn()
    take_in(viewer, "nonsense")
    wire.room_bytes = 1 << 40
    audience.turn()
    data, answer = wire.messages()
    assert numbers([data]) == [0, 1, 2, 3]
    assert answer["error"]["code"] == "invalid_pull"


@pytest.mark.parametrize("what", ["moment", "is_digested", "digest_after", "read_journal"])
def test_a_frame_is_answered_while_the_room_is_busy(
    audience: Audience, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    viewer, wire = audience.join()
    audience.journal.note(0, {"topics": {}})
    digests = what != "read_journal"
    place = audience.journal.end if digests else 0
    take_in(viewer, json.dumps({"pull": place, "max_bytes": 10_000, "digest": digests}))
    audience.journal.grow(9_000)
    audience.journal.note(100, {"topics": {}})
    at_once: Callable[..., Any] = getattr(audience.journal, what)
    was_answered: list[bool] = []

    def busy(*asked: int) -> Any:
        answer = Thread(target=take_in, args=(viewer, "nonsense"), daemon=True)
        answer.start()
        answer.join(TIMEOUT_S)
        was_answered.append(not answer.is_alive())
        return at_once(*asked)

    monkeypatch.setattr(audience.journal, what, busy)
    audience.turn()
    assert was_answered
    assert all(was_answered)
    assert wire.messages()[0]["error"]["code"] == "invalid_pull"
    assert any("error" not in message for message in wire.messages())


def test_a_viewer_that_sends_invalid_frames_and_reads_nothing_is_closed(audience: Audience) -> None:
    viewer, wire = audience.join(Wire(room_bytes=0))
    for _ in range(ANSWERS_AT_MOST + 10):
        take_in(viewer, "nonsense")
    assert viewer.is_closing
    assert wire.has_stopped_receiving
    wire.room_bytes = 1 << 40
    viewer.flush()
    assert wire.codes() == [POLICY_VIOLATION]


def test_a_viewer_that_disconnected_is_removed_and_the_others_continue(audience: Audience) -> None:
    gone, gone_wire = audience.join()
    viewer, wire = audience.join()
    pull(gone, 0)
    pull(viewer, 0)
    gone_wire.is_gone = True
    audience.turn()
    assert gone.is_closing
    assert gone_wire.has_stopped_receiving
    assert numbers(wire.messages()) == [0, 1, 2, 3]


def test_the_viewers_of_a_failed_room_receive_the_error_and_no_others(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, wire = audience.join()
    other_room = FakeJournal(1)
    other_wire = Wire()
    other = Viewer(other_room, other_wire)
    audience.viewers.append(other)
    pull(viewer, 0)
    pull(other, 0)

    def failed() -> Moment:
        raise RoomFailed("the room has failed", "continue in a new room")

    monkeypatch.setattr(audience.journal, "moment", failed)
    audience.turns(2)
    (answer,) = wire.messages()
    assert answer["error"]["code"] == "room_failed"
    assert not viewer.is_closing
    assert numbers(other_wire.messages()) == [0]


def test_the_viewers_of_a_suspended_room_receive_the_reason_and_are_closed(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0)

    def suspended() -> Moment:
        raise RoomSuspended("the room is suspended: no descriptors", "wait", retry_after_s=1)

    monkeypatch.setattr(audience.journal, "moment", suspended)
    audience.turns(2)
    assert wire.messages()[0]["error"]["code"] == "room_suspended"
    assert viewer.is_closing


def test_an_error_in_one_feed_closes_only_that_feed(audience: Audience, monkeypatch: pytest.MonkeyPatch) -> None:
    other_room = FakeJournal(1)
    other_wire = Wire()
    other = Viewer(other_room, other_wire)
    viewer, wire = audience.join()
    audience.viewers.append(other)
    pull(viewer, 0)
    pull(other, 0)

    def planted(offset: int, max_bytes: int) -> JournalChunk:
        raise ZeroDivisionError

    monkeypatch.setattr(audience.journal, "read_journal", planted)
    audience.turn()
    assert wire.codes() == [1011]
    assert numbers(other_wire.messages()) == [0]


def test_every_viewer_is_closed_with_1001_when_the_server_stops(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0)
    audience.broadcaster.stop(within_s=0)
    _late, late_wire = audience.join()
    audience.journal.grow(1)
    audience.turn()
    assert wire.codes() == late_wire.codes() == [1001]
    assert wire.messages() == []
