"""The pump: it advances the rooms in steps, called by a thread of its own."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

import pytest

from tests.webapp.room.rooms_by_hand import new_room
from tests.webapp.support import TIMEOUT_S
from webapp.errors import RoomFailed
from webapp.house.pump import Pump
from webapp.house.services import monotonic_us
from webapp.house.watched_thread import WatchedThread
from webapp.room.answers import Applied
from webapp.room.commands import parse
from webapp.room.room import Room


class PumpedRooms:
    """Rooms on real time with a pump; ``notified`` are the rooms whose viewers were notified."""

    def __init__(self, slice_us: int = 40_000) -> None:
        self.rooms: list[Room] = []
        self.notified: list[Room] = []
        self.changed = threading.Condition()
        self.pump = Pump(
            lambda: list(self.rooms),
            tell_viewers=self._notify,
            wall_us=monotonic_us,
            slice_us=slice_us,
            budget_us=25_000,
        )
        self.thread = WatchedThread("pump", self.pump.step, interrupt=self.pump.interrupt)

    def _notify(self, room: Room) -> None:
        with self.changed:
            self.notified.append(room)
            self.changed.notify_all()

    def add(self, directory: Path, start: str) -> Room:
        room = new_room(directory, monotonic_us, start, wake=self.pump.wake)  # type: ignore[arg-type]
        self.rooms.append(room)
        return room

    def wait_until_notified_of(self, room: Room) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: room in self.notified, timeout=TIMEOUT_S)
            self.notified.clear()

    def close(self) -> None:
        self.thread.stop()
        for room in self.rooms:
            room.close()


@pytest.fixture
def pumped() -> Iterator[PumpedRooms]:
    built = PumpedRooms()
    yield built
    built.close()


def send(room: Room, **fields: object) -> Future[Applied]:
    return room.submit(parse(fields), fields)


def test_time_passes_only_in_running_rooms(pumped: PumpedRooms, tmp_path: Path) -> None:
    running, paused = pumped.add(tmp_path / "a", "running"), pumped.add(tmp_path / "b", "paused")
    pumped.thread.start()
    pumped.wait_until_notified_of(running)
    assert running.facts()["clock"]["now_us"] > 0
    assert paused.facts()["clock"]["now_us"] == 0


def test_a_command_wakes_a_waiting_pump(pumped: PumpedRooms, tmp_path: Path) -> None:
    room = pumped.add(tmp_path, "standing")
    pumped.thread.start()
    assert send(room, command="produce", count=3).result(timeout=TIMEOUT_S).at_us == 0
    pumped.wait_until_notified_of(room)
    pumped.wait_until_notified_of(room)
    assert room.facts()["clock"]["now_us"] > 0


def test_the_pump_wakes_when_an_event_is_due_between_two_slices(tmp_path: Path) -> None:
    pumped = PumpedRooms(slice_us=3_600_000_000)
    room = pumped.add(tmp_path, "running")
    pumped.thread.start()
    pumped.wait_until_notified_of(room)
    end_offset = room.moment().end_offset
    while room.moment().end_offset == end_offset:
        pumped.wait_until_notified_of(room)
    pumped.close()


def test_a_room_that_fails_does_not_stop_the_others(
    pumped: PumpedRooms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, whole = pumped.add(tmp_path / "a", "running"), pumped.add(tmp_path / "b", "running")

    def planted(at_us: int) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(broken._timeline.cluster, "run_until", planted)
    pumped.thread.start()
    pumped.wait_until_notified_of(broken)
    with pytest.raises(RoomFailed):
        broken.facts()
    assert send(whole, command="produce", count=1).result(timeout=TIMEOUT_S)
    pumped.wait_until_notified_of(whole)
