"""The fate of a message since a moment of the past."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.ids import TopicPartition
from tests.webapp.room.rooms_by_hand import new_room
from tests.webapp.support import HandClock, act
from webapp.room.fates import SAME, Fate
from webapp.room.room import Room

P0 = TopicPartition("pageviews", 0)


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = new_room(tmp_path, HandClock(), "paused")
    yield made
    made.close()


def end(room: Room) -> int:
    return room.moment().end_offset


def step_until_appended(room: Room, offset: int) -> None:
    while room.facts()["topics"][0]["partitions"][0]["next_offset"] <= offset:
        act(room, "clock", action="step")


def test_an_unchanged_message_has_the_fate_same(room: Room) -> None:
    then = end(room)
    act(room, "produce", count=9)
    step_until_appended(room, 860)
    assert room.fate(P0, 215, then) == SAME


def test_a_message_that_a_crash_truncated_is_cut_and_those_before_it_are_the_same(room: Room) -> None:
    act(room, "produce", records=[{"value": "soon lost"}])
    step_until_appended(room, 860)
    then = end(room)
    at_us = act(room, "crash_broker", broker=1).at_us
    assert room.fate(P0, 860, then) == Fate("cut", at_us)
    assert room.fate(P0, 645, then) == SAME
    assert room.fate(P0, 860, end(room)) == SAME, "the crash was before that moment"


def test_a_flipped_byte_changes_only_its_message(room: Room) -> None:
    then = end(room)
    at_us = act(room, "corrupt", topic="pageviews", partition=0, offset=215).at_us
    assert room.fate(P0, 215, then) == Fate("flipped", at_us)
    assert room.fate(P0, 430, then) == SAME
    assert room.fate(TopicPartition("pageviews", 1), 215, then) == SAME


def test_a_reset_removes_the_messages_of_every_log(room: Room) -> None:
    then = end(room)
    act(room, "clock", action="step")
    at_us = act(room, "reset").at_us
    assert room.fate(P0, 215, then) == Fate("reset", at_us)


def test_retention_deletes_the_messages_before_the_new_first_offset(room: Room) -> None:
    act(room, "set_producer", rate_per_second=200)
    then = end(room)
    while room.facts()["topics"][0]["partitions"][0]["first_offset"] == 0:
        act(room, "clock", action="step")
    first_offset = room.facts()["topics"][0]["partitions"][0]["first_offset"]
    assert room.fate(P0, 0, then).kind == "deleted"
    assert room.fate(P0, first_offset, then) == SAME
