"""The steps in which time passes, called by a thread of their own."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.webapp.rooms_by_hand import new_room
from tests.webapp.support import PATIENCE_S
from webapp.answers import Applied
from webapp.errors import RoomFailed
from webapp.pump import Pump
from webapp.room import Room
from webapp.room_commands import parse
from webapp.services import monotonic_us
from webapp.watched_thread import WatchedThread


class Household:
    """Rooms on real time, and a pump for them; ``told`` are the rooms whose viewers were told of something new."""

    def __init__(self, slice_us: int = 40_000) -> None:
        self.rooms: list[Room] = []
        self.told: list[Room] = []
        self.news = threading.Condition()
        self.pump = Pump(
            lambda: list(self.rooms),
            tell_viewers=self._tell,
            wall_us=monotonic_us,
            slice_us=slice_us,
            budget_us=25_000,
        )
        self.thread = WatchedThread("pump", self.pump.step, interrupt=self.pump.interrupt)

    def _tell(self, room: Room) -> None:
        with self.news:
            self.told.append(room)
            self.news.notify_all()

    def add(self, directory: Path, start: str) -> Room:
        room = new_room(directory, monotonic_us, start, wake=self.pump.wake)  # type: ignore[arg-type]
        self.rooms.append(room)
        return room

    def wait_for_news_of(self, room: Room) -> None:
        with self.news:
            assert self.news.wait_for(lambda: room in self.told, timeout=PATIENCE_S)
            self.told.clear()

    def close(self) -> None:
        self.thread.stop()
        for room in self.rooms:
            room.close()


@pytest.fixture
def household() -> Iterator[Household]:
    built = Household()
    yield built
    built.close()


def send(room: Room, **fields: object) -> Future[Applied]:
    return room.submit(parse(fields), fields)


def test_time_passes_only_in_running_rooms(household: Household, tmp_path: Path) -> None:
    running, paused = household.add(tmp_path / "a", "running"), household.add(tmp_path / "b", "paused")
    household.thread.start()
    household.wait_for_news_of(running)
    assert running.facts()["clock"]["now_us"] > 0
    assert paused.facts()["clock"]["now_us"] == 0


def test_a_command_wakes_a_waiting_pump(household: Household, tmp_path: Path) -> None:
    room = household.add(tmp_path, "standing")
    household.thread.start()
    assert send(room, command="produce", count=3).result(timeout=PATIENCE_S).at_us == 0
    household.wait_for_news_of(room)
    household.wait_for_news_of(room)
    assert room.facts()["clock"]["now_us"] > 0


def test_the_pump_wakes_when_an_event_is_due_between_two_slices(tmp_path: Path) -> None:
    household = Household(slice_us=3_600_000_000)
    room = household.add(tmp_path, "running")
    household.thread.start()
    household.wait_for_news_of(room)
    end_offset = room.moment().end_offset
    while room.moment().end_offset == end_offset:
        household.wait_for_news_of(room)
    household.close()


def test_a_room_that_fails_does_not_stop_the_others(
    household: Household, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = household.add(tmp_path / "a", "running"), household.add(tmp_path / "b", "running")

    def planted(at_us: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(broken._timeline.cluster, "run_until", planted)
    household.thread.start()
    household.wait_for_news_of(broken)
    with pytest.raises(RoomFailed):
        broken.facts()
    assert send(whole, command="produce", count=1).result(timeout=PATIENCE_S)
    household.wait_for_news_of(whole)
