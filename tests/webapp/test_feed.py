"""The feed's contract, without sockets: credit, contiguity, one encoding for all, and nobody waits for anybody."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest

from engine.errors import OffsetInsideMessage, OffsetOutOfRange
from engine.journal import JournalChunk
from webapp.answers import Moment
from webapp.errors import InvalidPull, RoomFailed
from webapp.feed import take_in
from webapp.feed.broadcaster import Broadcaster
from webapp.feed.frames import close_frame, events_frame
from webapp.feed.pulls import CREDIT_BYTES_AT_MOST, Pull, parse_pull
from webapp.feed.viewer import ANSWERS_AT_MOST, POLICY_VIOLATION, Viewer
from webapp.pacing import ClockFacts

RUNNING = ClockFacts(5, 1.0, paused=False, standing=False)
OVERHEAD_BYTES = 9


class PaperJournal:
    """A room as the feed sees it: a list of events, with the offsets a journal would give them."""

    def __init__(self, *sizes: int) -> None:
        self.payloads: list[bytes] = []
        self.offsets = [0]
        self.checkpoint_offset = 0
        self.clock = RUNNING
        self.reads = 0
        self.grow(*sizes)

    def grow(self, *sizes: int) -> None:
        for size in sizes:
            payload = b'{"n":%d,"x":"%s"}' % (len(self.payloads), b"x" * size)
            self.payloads.append(payload)
            self.offsets.append(self.offsets[-1] + OVERHEAD_BYTES + len(payload))

    @property
    def end(self) -> int:
        return self.offsets[-1]

    def moment(self) -> Moment:
        return Moment(self.clock, self.checkpoint_offset, self.end)

    def read_journal(self, offset: int, max_bytes: int) -> JournalChunk:
        if not 0 <= offset <= self.end:
            raise OffsetOutOfRange("outside", "come inside", offset=offset)
        if offset not in self.offsets:
            raise OffsetInsideMessage("inside an event", "start elsewhere", offset=offset)
        self.reads += bool(max_bytes)
        first = last = self.offsets.index(offset)
        while last < len(self.payloads) and self.offsets[last + 1] - offset <= max_bytes:
            last += 1
        return JournalChunk(offset, self.offsets[last], tuple(self.payloads[first:last]))


class Wire:
    """Where a viewer's bytes go; ``room_bytes`` is how much it takes before it is full."""

    def __init__(self, room_bytes: int = 1 << 40) -> None:
        self.sent = bytearray()
        self.room_bytes = room_bytes
        self.is_gone = False
        self.was_told_to_stop = False

    def send_some(self, data: bytes | memoryview) -> int:
        if self.is_gone:
            raise BrokenPipeError
        if not self.room_bytes:
            raise BlockingIOError
        taken = bytes(data[: self.room_bytes])
        self.sent += taken
        self.room_bytes -= len(taken)
        return len(taken)

    def stop_receiving(self) -> None:
        self.was_told_to_stop = True

    def frames(self) -> Iterator[tuple[int, bytes]]:
        """Every whole frame that came through, as opcode and payload."""
        position = 0
        while position + 2 <= len(self.sent):
            opcode, size = self.sent[position] & 15, self.sent[position + 1]
            position += 2
            if size >= 126:
                wide = 2 if size == 126 else 8
                size = int.from_bytes(self.sent[position : position + wide])
                position += wide
            if position + size > len(self.sent):
                return
            yield opcode, bytes(self.sent[position : position + size])
            position += size

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(payload) for opcode, payload in self.frames() if opcode == 1]

    def codes(self) -> list[int]:
        return [int.from_bytes(payload[:2]) for opcode, payload in self.frames() if opcode == 8]


class Audience:
    """Viewers of one journal, and a broadcaster whose turns the test makes."""

    def __init__(self, journal: PaperJournal) -> None:
        self.now_s = 100.0
        self.journal = journal
        self.broadcaster = Broadcaster(now_s=lambda: self.now_s)
        self.viewers: list[Viewer] = []

    def join(self, wire: Wire | None = None) -> tuple[Viewer, Wire]:
        wire = wire or Wire()
        viewer = Viewer(self.journal, wire)
        self.viewers.append(viewer)
        self.broadcaster.join(viewer)
        return viewer, wire

    def turn(self, *, is_heartbeat: bool = False) -> None:
        self.broadcaster.serve(self.viewers, is_heartbeat=is_heartbeat)

    def turns(self, count: int) -> None:
        for _ in range(count):
            self.turn()


@pytest.fixture
def audience() -> Audience:
    return Audience(PaperJournal(10, 20, 30, 40))


def pull(viewer: Viewer, place: object, max_bytes: int = 1_000_000) -> None:
    take_in(viewer, json.dumps({"pull": place, "max_bytes": max_bytes}))


def stretches(messages: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(message["offset"], message["next"]) for message in messages]


def numbers(messages: list[dict[str, Any]]) -> list[int]:
    return [event["n"] for message in messages for event in message["events"]]


# --- frames and pulls -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 10, 125, 126, 127, 65_535, 65_536, 70_000])
def test_a_frame_of_any_size_can_be_read_back(size: int) -> None:
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
def test_a_pull_is_a_place_and_a_credit(place: int | str) -> None:
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
        '{"pull": 0, "max_bytes": 1, "x": "%s"}' % ("x" * 5000),
    ],
)
def test_whatever_is_no_pull_is_refused_with_a_remedy(frame: str | bytes) -> None:
    with pytest.raises(InvalidPull) as refused:
        parse_pull(frame)
    assert refused.value.remedy


def test_a_refused_frame_is_answered_and_the_pull_before_it_stands(audience: Audience) -> None:
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
def test_a_viewer_never_gets_more_than_its_credit(max_bytes: int) -> None:
    audience = Audience(PaperJournal(*range(1, 12)))
    viewer, wire = audience.join()
    pull(viewer, 0, max_bytes)
    audience.turns(5)
    audience.journal.grow(3, 3, 3)
    audience.turns(5)
    got = stretches(wire.messages())
    assert sum(next_offset - offset for offset, next_offset in got) <= max_bytes
    assert got[-1][1] == max(offset for offset in audience.journal.offsets if offset <= max_bytes)


def test_frames_are_contiguous_whatever_the_credit_and_however_the_journal_grows(audience: Audience) -> None:
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


def test_a_viewer_that_waits_gets_what_appears(audience: Audience) -> None:
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


def test_an_event_larger_than_the_whole_credit_is_an_answer_that_says_how_much_it_takes() -> None:
    audience = Audience(PaperJournal(500))
    viewer, wire = audience.join()
    pull(viewer, 0, 100)
    audience.turns(2)
    (answer,) = wire.messages()
    assert answer["error"]["code"] == "credit_too_small"
    pull(viewer, 0, answer["error"]["needed_bytes"])
    audience.turn()
    assert numbers(wire.messages()[1:]) == [0]


def test_a_viewer_whose_rest_of_credit_is_too_small_is_told_once_that_there_is_more(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0, audience.journal.offsets[1] + 5)
    audience.turns(3)
    data, notice = wire.messages()
    assert numbers([data]) == [0]
    assert notice["events"] == []
    assert notice["next"] == data["next"] < notice["end"]


def test_an_event_larger_than_a_frame_goes_out_when_the_credit_covers_it() -> None:
    audience = Audience(PaperJournal(10, 200_000, 10))
    viewer, wire = audience.join()
    pull(viewer, 0, 300_000)
    audience.turn()
    assert numbers(wire.messages()) == [0, 1, 2]


def test_a_long_journal_arrives_in_frames_of_bounded_size() -> None:
    audience = Audience(PaperJournal(*[1_000] * 300))
    viewer, wire = audience.join()
    pull(viewer, 0)
    audience.turns(3)
    messages = wire.messages()
    assert len(messages) > 4
    assert max(message["next"] - message["offset"] for message in messages) <= 65_536
    assert numbers(messages) == list(range(300))


# --- clock and heartbeat --------------------------------------------------------------------------------------------


def test_a_clock_that_changed_is_told_without_events(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, "end")
    audience.turn()
    audience.journal.clock = ClockFacts(9, 2.0, paused=True, standing=False)
    audience.turns(2)
    _, told = wire.messages()
    assert told["clock"] == {"now_us": 9, "speed": 2.0, "paused": True, "standing": False}
    assert told["events"] == []


def test_time_that_only_passes_is_told_once_a_second(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, "end")
    audience.turn()
    audience.journal.clock = ClockFacts(50, 1.0, paused=False, standing=False)
    audience.turn()
    assert len(wire.messages()) == 1
    audience.now_s += 1
    audience.turn(is_heartbeat=True)
    assert wire.messages()[1]["clock"]["now_us"] == 50


def test_a_viewer_that_just_got_something_needs_no_heartbeat(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0)
    audience.turn()
    audience.turn(is_heartbeat=True)
    assert len(wire.messages()) == 1


# --- many viewers ---------------------------------------------------------------------------------------------------


def test_viewers_at_the_same_offset_share_one_reading_and_the_same_bytes(audience: Audience) -> None:
    wires = []
    for credit in (1_000_000, 500_000, 10_000):
        viewer, wire = audience.join()
        pull(viewer, 0, credit)
        wires.append(wire)
    audience.journal.reads = 0
    audience.turn()
    assert audience.journal.reads == 1
    assert wires[0].sent == wires[1].sent == wires[2].sent


def test_a_slow_viewer_lags_and_harms_nobody(audience: Audience) -> None:
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
    assert len(messages) == 2  # what it was being sent when it stalled, and all the rest at once


def test_answers_never_cut_into_a_frame_that_is_half_sent(audience: Audience) -> None:
    viewer, wire = audience.join(Wire(room_bytes=20))
    pull(viewer, 0)
    audience.turn()
    take_in(viewer, "nonsense")
    wire.room_bytes = 1 << 40
    audience.turn()
    data, answer = wire.messages()
    assert numbers([data]) == [0, 1, 2, 3]
    assert answer["error"]["code"] == "invalid_pull"


def test_a_viewer_that_sends_rubbish_and_reads_nothing_is_closed(audience: Audience) -> None:
    viewer, wire = audience.join(Wire(room_bytes=0))
    for _ in range(ANSWERS_AT_MOST + 10):
        take_in(viewer, "nonsense")
    assert viewer.is_closing
    assert wire.was_told_to_stop
    wire.room_bytes = 1 << 40
    viewer.flush()
    assert wire.codes() == [POLICY_VIOLATION]


def test_a_viewer_that_is_gone_is_noticed_and_the_others_go_on(audience: Audience) -> None:
    gone, gone_wire = audience.join()
    viewer, wire = audience.join()
    pull(gone, 0)
    pull(viewer, 0)
    gone_wire.is_gone = True
    audience.turn()
    assert gone.is_closing
    assert gone_wire.was_told_to_stop
    assert numbers(wire.messages()) == [0, 1, 2, 3]


def test_a_room_that_failed_tells_its_viewers_and_no_others(
    audience: Audience, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, wire = audience.join()
    other_room = PaperJournal(1)
    other_wire = Wire()
    other = Viewer(other_room, other_wire)
    audience.viewers.append(other)
    pull(viewer, 0)
    pull(other, 0)

    def failed() -> Moment:
        raise RoomFailed("it stands still", "go on in a new room")

    monkeypatch.setattr(audience.journal, "moment", failed)
    audience.turns(2)
    (answer,) = wire.messages()
    assert answer["error"]["code"] == "room_failed"
    assert not viewer.is_closing
    assert numbers(other_wire.messages()) == [0]


def test_a_mistake_in_one_feed_ends_that_one_alone(audience: Audience, monkeypatch: pytest.MonkeyPatch) -> None:
    other_room = PaperJournal(1)
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


def test_everybody_is_told_when_the_server_goes_away(audience: Audience) -> None:
    viewer, wire = audience.join()
    pull(viewer, 0)
    audience.broadcaster.stop(within_s=0)
    _late, late_wire = audience.join()
    audience.journal.grow(1)
    audience.turn()
    assert wire.codes() == late_wire.codes() == [1001]
    assert wire.messages() == []
