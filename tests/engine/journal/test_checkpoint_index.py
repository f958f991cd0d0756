"""Finding a moment of a journal again: its chapters and its notable moments."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from engine.errors import OffsetInsideMessage, OffsetOutOfRange
from engine.events.cluster import BrokerCrashed, BrokerStarted, Checkpoint
from engine.events.consuming import FetchSent
from engine.events.rebalancing import RebalanceStarted
from engine.journal.journal import Journal
from engine.journal.timeline_marks import TimelineMarks

EVERYTHING = 1 << 30


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """Make three chapters: at 0, 100 and 200 us, with two events each; the last two begin at the time of an event."""
    journal = Journal.open(tmp_path)
    for number in range(3):
        journal.append(Checkpoint(number * 100, "periodic" if number else "start", {"number": number}))
        journal.append(BrokerStarted(number * 100 + 50, number))
        journal.append(BrokerStarted(number * 100 + 100, number))
    journal.publish()
    return journal


def offsets(journal: Journal) -> list[int]:
    """Return where every event begins, and the end."""
    found = [0]
    while found[-1] < journal.end_offset:
        step = 1
        while True:
            try:
                journal.read(found[-1] + step, 0)
            except OffsetInsideMessage:
                step += 1
            else:
                break
        found.append(found[-1] + step)
    return found


def test_a_chapter_extends_from_a_checkpoint_to_the_next_one(journal: Journal) -> None:
    places = offsets(journal)
    first, middle, last = (journal.interval_at(at_us) for at_us in (0, 150, 999))
    assert (first.offset, first.events_offset, first.end_offset, first.is_last) == (0, places[1], places[3], False)
    assert (middle.offset, middle.at_us, middle.end_at_us) == (places[3], 100, 200)
    assert (last.end_offset, last.end_at_us, last.is_last) == (journal.end_offset, 300, True)


def test_a_time_belongs_to_the_last_chapter_that_begins_by_then(journal: Journal) -> None:
    assert [journal.interval_at(at_us).at_us for at_us in (0, 99, 100, 199, 200, 5_000)] == [0, 0, 100, 100, 200, 200]


def test_an_offset_belongs_to_the_chapter_of_the_event_before_it(journal: Journal) -> None:
    """As with a fork, an offset means everything before it."""
    places = offsets(journal)
    held = [journal.interval_holding(place).at_us for place in places]
    assert held == [0, 0, 0, 0, 100, 100, 100, 200, 200, 200]
    with pytest.raises(OffsetInsideMessage):
        journal.interval_holding(3)
    with pytest.raises(OffsetOutOfRange):
        journal.interval_holding(journal.end_offset + 1)


def test_unpublished_events_are_in_no_chapter(journal: Journal) -> None:
    end_offset = journal.end_offset
    journal.append(Checkpoint(400, "periodic", {}))
    journal.append(BrokerCrashed(401, 1, 500))
    assert journal.interval_at(1_000).at_us == 200
    assert journal.interval_at(1_000).end_offset == end_offset
    assert journal.marks_since(end_offset) == []
    journal.publish()
    assert journal.interval_at(1_000).at_us == 400
    assert [one.kind for one in journal.marks_since(end_offset)] == ["broker_crashed"]


def test_a_reopened_journal_has_the_same_chapters_and_moments(journal: Journal, tmp_path: Path) -> None:
    chapters = [journal.interval_at(at_us) for at_us in (0, 100, 200)]
    moments = journal.marks_since(0)
    journal.close()
    again = Journal.open(tmp_path)
    assert [again.interval_at(at_us) for at_us in (0, 100, 200)] == chapters
    assert again.marks_since(0) == moments
    again.close()


def test_folding_a_chapter_needs_nothing_before_it(journal: Journal) -> None:
    for at_us in (0, 100, 200):
        interval = journal.interval_at(at_us)
        head = journal.read(interval.offset, interval.events_offset - interval.offset)
        assert json.loads(head.payloads[0])["event"] == "checkpoint"
        assert head.next_offset == interval.events_offset
        tail = journal.read(interval.events_offset, EVERYTHING)
        assert json.loads(tail.payloads[0])["at_us"] == at_us + 50


# --- notable moments ------------------------------------------------------------------------------------------------


def rebalance(at_us: int, group: str = "readers") -> bytes:
    return RebalanceStarted(at_us, group, "a", "member_joined", 1).encode()


def test_a_moment_names_its_kind_its_subject_and_its_place() -> None:
    moments = TimelineMarks()
    moments.note(0, Checkpoint(0, "start", {}).encode())
    moments.note(100, BrokerCrashed(2_000_000, 2, 8_000_000).encode())
    start, crash = moments.since(0, 1_000)
    assert (start.kind, start.subject) == ("start", "")
    assert crash.as_json() == {
        "kind": "broker_crashed",
        "subject": "broker:2",
        "offset": 100,
        "at_us": 2_000_000,
        "last_offset": 100,
        "last_at_us": 2_000_000,
        "count": 1,
    }


def test_traffic_and_periodic_checkpoints_are_not_notable() -> None:
    moments = TimelineMarks()
    moments.note(0, Checkpoint(0, "periodic", {}).encode())
    moments.note(50, FetchSent(1, 2, 3, "readers", "a", "clicks", 0, 1, 0, 100).encode())
    assert moments.since(0, 1_000) == []


def test_moments_of_one_kind_and_subject_within_a_few_seconds_are_counted_as_one() -> None:
    moments = TimelineMarks()
    for number, at_us in enumerate((0, 1_000_000, 5_500_000, 20_000_000)):
        moments.note(number, rebalance(at_us))
    moments.note(4, rebalance(20_000_001, "others"))
    assert [(one.subject, one.at_us, one.last_at_us, one.count) for one in moments.since(0, 9)] == [
        ("group:readers", 0, 5_500_000, 3),
        ("group:readers", 20_000_000, 20_000_000, 1),
        ("group:others", 20_000_001, 20_000_001, 1),
    ]


def test_every_reset_is_listed() -> None:
    moments = TimelineMarks()
    for at_us in (0, 1, 2):
        moments.note(at_us, Checkpoint(at_us, "reset", {}).encode())
    assert [one.at_us for one in moments.since(0, 9)] == [0, 1, 2]


def test_a_moment_that_grew_is_listed_again() -> None:
    moments = TimelineMarks()
    moments.note(10, rebalance(0))
    moments.note(20, rebalance(1))
    assert [one.offset for one in moments.since(15, 99)] == [10]
    assert moments.since(21, 99) == []


def test_the_number_of_moments_is_bounded() -> None:
    moments = TimelineMarks(at_most=20)
    for number in range(500):
        moments.note(number, rebalance(number * 10_000_000))
        assert len(moments.since(0, EVERYTHING)) <= 20
    listed = moments.since(0, EVERYTHING)
    assert sum(one.count for one in listed) == 500, "merged, and none forgotten"
    assert all(one.at_us < other.at_us for one, other in pairwise(listed))
    for number in range(100):
        moments.note(1_000 + number, rebalance(6_000_000_000, f"group {number}"))
    assert len(moments.since(0, EVERYTHING)) <= 20
