"""Each room is in one state, also when it is unloaded, requested and deleted at the same time."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.webapp.room.rooms_by_hand import ROOM, new_room, restored_room
from tests.webapp.support import TIMEOUT_S, HandClock, act
from webapp.errors import RoomDamaged, UnknownRoom
from webapp.house.lifecycle import Lifecycle
from webapp.room.room import Room


def never(room: Room) -> bool:
    return False


class Restores:
    """The restore function of a lifecycle: it restores the room of ``directory`` and counts restores that overlap."""

    def __init__(self, directory: Path, clock: HandClock) -> None:
        self._directory = directory
        self._clock = clock
        self._free = threading.Semaphore(1)
        self.restored = 0
        self.overlaps = 0

    def __call__(self, room_id: str) -> Room:
        if not self._free.acquire(blocking=False):
            self.overlaps += 1
        room = restored_room(self._directory, self._clock)
        self.restored += 1
        self._free.release()
        return room


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def restores(tmp_path: Path, clock: HandClock) -> Restores:
    return Restores(tmp_path, clock)


@pytest.fixture
def lifecycle(restores: Restores, tmp_path: Path, clock: HandClock) -> Iterator[Lifecycle]:
    made = Lifecycle([], restore=restores, on_awake=lambda room: None, wall_us=clock)
    made.add(new_room(tmp_path, clock, "paused"))
    yield made
    for room in made.awake().values():
        room.close()


def test_a_room_goes_from_awake_to_asleep_and_back(lifecycle: Lifecycle) -> None:
    room = lifecycle.find(ROOM)
    assert lifecycle.state_of(ROOM) == "awake"
    assert lifecycle.unload(room, never)
    assert lifecycle.state_of(ROOM) == "asleep"
    assert not lifecycle.is_awake(room)
    again = lifecycle.find(ROOM)
    assert again is not room
    assert lifecycle.is_awake(again)
    lifecycle.delete(ROOM, lambda: None)
    assert lifecycle.state_of(ROOM) == "gone"
    with pytest.raises(UnknownRoom):
        lifecycle.find(ROOM)


def test_a_room_that_was_used_meanwhile_is_not_unload(lifecycle: Lifecycle) -> None:
    room = lifecycle.find(ROOM)
    assert not lifecycle.unload(room, lambda room: True)
    assert lifecycle.find(ROOM) is room
    act(room, "produce", count=1)


def test_a_room_that_was_unload_already_is_not_unload_again(lifecycle: Lifecycle) -> None:
    room = lifecycle.find(ROOM)
    lifecycle.unload(room, never)
    again = lifecycle.find(ROOM)
    assert not lifecycle.unload(room, never)
    assert lifecycle.find(ROOM) is again


def test_a_room_is_not_restored_while_it_is_being_closed(
    lifecycle: Lifecycle, restores: Restores, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = lifecycle.find(ROOM)
    closing, go_on = threading.Event(), threading.Event()
    close = room.close

    def slow_close() -> None:
        closing.set()
        assert go_on.wait(TIMEOUT_S)
        assert restores.restored == 0
        close()

    monkeypatch.setattr(room, "close", slow_close)
    with ThreadPoolExecutor(2) as threads:
        away = threads.submit(lifecycle.unload, room, never)
        assert closing.wait(TIMEOUT_S)
        assert lifecycle.state_of(ROOM) == "closing"
        found = threads.submit(lifecycle.find, ROOM)
        go_on.set()
        assert away.result(TIMEOUT_S)
        assert found.result(TIMEOUT_S) is not room


def test_concurrent_finds_and_unloads_never_open_the_same_files_twice(lifecycle: Lifecycle, restores: Restores) -> None:
    def find_and_unload(number: int) -> None:
        for _ in range(20):
            lifecycle.unload(lifecycle.find(ROOM), never)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(find_and_unload, range(4), timeout=TIMEOUT_S))
    assert restores.overlaps == 0
    assert restores.restored > 0


def test_a_room_that_is_deleted_while_its_restore_waits_is_unknown(lifecycle: Lifecycle, restores: Restores) -> None:
    lifecycle.unload(lifecycle.find(ROOM), never)
    with ThreadPoolExecutor(1) as threads:
        asked: list[object] = []

        def delete_files() -> None:
            asked.append(threads.submit(lifecycle.find, ROOM))

        lifecycle.delete(ROOM, delete_files)
    with pytest.raises(UnknownRoom):
        asked[0].result(TIMEOUT_S)  # type: ignore[attr-defined]
    assert restores.restored == 0


@pytest.mark.parametrize("mistake", [ZeroDivisionError(), RoomDamaged("the record is torn", "make a new room")])
def test_a_damaged_room_is_not_read_again(clock: HandClock, mistake: Exception) -> None:
    reads = 0

    def restore(room_id: str) -> Room:
        nonlocal reads
        reads += 1
        raise mistake

    lifecycle = Lifecycle([ROOM], restore=restore, on_awake=lambda room: None, wall_us=clock)
    for _ in range(3):
        with pytest.raises(RoomDamaged):
            lifecycle.find(ROOM)
    assert reads == 1
    assert lifecycle.state_of(ROOM) == "asleep"
