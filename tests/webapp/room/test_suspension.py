"""A fault of the machine suspends a room, which reports the reason and is restored without a loss."""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from engine.errors import MachineFault, OffsetscopeError
from tests.webapp.house.test_rooms import House
from tests.webapp.room.rooms_by_hand import restored_room
from tests.webapp.support import BUDGET_US, METRICS, act, command, events_of, journal_of, make_room, run_ms
from webapp.errors import CommandUnsettled, RoomSuspended
from webapp.room.answers import Applied
from webapp.room.command_log import CommandLog
from webapp.room.commands import parse
from webapp.room.files import bytes_on_disk
from webapp.room.room import Room
from webapp.room.suspension import LONGEST_PAUSE_S, Suspension
from webapp.settings import Settings

REFUSALS = {"write": errno.ENOSPC, "fdatasync": errno.EIO, "utime": errno.EROFS}
PRODUCE = {"command": "produce", "count": 3}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(Settings(data_dir=tmp_path / "data"))
    yield built
    built.close()


@contextmanager
def refusing(name: str, number: int, *, after: int = 0) -> Iterator[None]:
    """Let a system call fail for every caller after it has succeeded ``after`` times."""
    honest: Callable[..., Any] = getattr(os, name)
    calls: list[None] = []

    def refuse(*arguments: object, **named: object) -> Any:
        calls.append(None)
        if len(calls) > after:
            raise OSError(number, os.strerror(number))
        return honest(*arguments, **named)

    with pytest.MonkeyPatch.context() as failing:
        failing.setattr(os, name, refuse)
        yield


def submit(room: Room, fields: dict[str, object] = PRODUCE) -> Future[Applied]:
    return room.submit(parse(fields), fields)


def act_and_run(house: House, room: Room) -> None:
    act(room, "set_producer", rate_per_second=20)
    run_ms(room, house.clock, 2_000)
    act(room, "crash_consumer", group=METRICS, consumer="Metrics C")
    run_ms(room, house.clock, 400)


def undisturbed(house: House, room: Room, directory: Path) -> list[bytes]:
    """Return the journal of the same commands on a machine without faults."""
    shutil.copytree(house.directory.room(room.record.room) / "commands", directory / "commands")
    again = restored_room(directory, house.clock)
    journal = journal_of(again)
    again.close()
    return journal


@pytest.mark.parametrize("name", REFUSALS)
def test_a_suspended_room_reports_the_reason_and_is_restored_by_itself(house: House, tmp_path: Path, name: str) -> None:
    room = house.make()
    room_id = room.record.room
    act_and_run(house, room)
    journal = journal_of(room)
    with refusing(name, REFUSALS[name]):
        future = submit(room)
        run_ms(room, house.clock, 400)
        with pytest.raises(RoomSuspended, match=os.strerror(REFUSALS[name])):
            future.result(timeout=0)
        for ask in (room.facts, room.moment, lambda: submit(room), lambda: house.rooms.find(room_id)):
            with pytest.raises(RoomSuspended, match=os.strerror(REFUSALS[name])) as raised:
                ask()
            assert raised.value.fields["retry_after_s"] == 1
        house.clock.pass_ms(2_000)
        if name != "utime":  # a restore does not need utime
            house.rooms.run_housekeeping()
    house.clock.pass_ms(LONGEST_PAUSE_S * 1_000)
    house.rooms.run_housekeeping()
    again = house.rooms.find(room_id)
    assert again is not room
    assert journal_of(again)[: len(journal)] == journal
    run_ms(again, house.clock, 2_000)
    act(again, "clock", action="pause")
    assert journal_of(again) == undisturbed(house, again, tmp_path / "undisturbed")
    assert not [event for event in events_of(again) if event["event"] == "broker_crashed"]


def test_events_buffered_at_a_machine_fault_are_not_published(house: House) -> None:
    room = house.make()
    act_and_run(house, room)
    act(room, "clock", action="pause")
    folder = house.directory.room(room.record.room) / "journal"
    published_bytes = bytes_on_disk(folder)
    future = submit(room)
    with refusing("write", errno.ENOSPC, after=1):  # the command is logged, the journal not written
        room.slice(budget_us=BUDGET_US)
    assert isinstance(future.exception(timeout=0), CommandUnsettled)
    room.close()
    assert bytes_on_disk(folder) == published_bytes
    house.clock.pass_ms(2_000)
    assert events_of(house.rooms.find(room.record.room))[-1]["event"] == "batch_sent"


def test_a_command_logged_before_a_machine_fault_is_applied_by_the_restore(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = house.make("paused")
    first, second = submit(room), submit(room, {"command": "clock", "action": "step"})
    third = submit(room)

    def refuse(*arguments: object) -> None:
        raise MachineFault("no descriptors", "free some")

    with monkeypatch.context() as failing:
        failing.setattr(room._timeline, "apply", refuse)
        room.slice(budget_us=BUDGET_US)
    for future, kind in ((first, CommandUnsettled), (second, CommandUnsettled), (third, RoomSuspended)):
        assert type(future.exception(timeout=0)) is kind
    house.clock.pass_ms(2_000)
    again = house.rooms.find(room.record.room)
    sent = [event for event in events_of(again) if event["event"] == "batch_sent"]
    assert sum(event["messages"] for event in sent) == 3


def test_a_failed_restore_is_retried_with_longer_pauses(house: House) -> None:
    room = house.make()
    act_and_run(house, room)
    act(room, "clock", action="pause")
    journal, room_id = journal_of(room), room.record.room
    house.restart()
    waits = []
    with refusing("open", errno.EMFILE):
        for _ in range(4):
            with pytest.raises(RoomSuspended, match="Too many open files") as raised:
                house.rooms.find(room_id)
            waits.append(raised.value.fields["retry_after_s"])
            with pytest.raises(RoomSuspended, match="Too many open files"):
                house.rooms.find(room_id)
            house.clock.pass_ms(1_000 * int(str(waits[-1])))
    assert waits == [1, 2, 4, 8]
    assert journal_of(house.rooms.find(room_id)) == journal


@pytest.mark.parametrize(
    "name", ["open", "write", "scandir", "pread", "rename", "unlink", "rmdir", "fdatasync", "utime"]
)
def test_a_restore_that_fails_at_any_system_call_loses_nothing(house: House, name: str) -> None:
    room = house.make()
    act_and_run(house, room)
    journal, room_id = journal_of(room), room.record.room
    honest: Callable[..., Any] = getattr(os, name)
    for number in range(12):
        house.restart()
        calls: list[int] = []

        def refuse_one(*arguments: Any, number: int = number, calls: list[int] = calls, **named: Any) -> Any:
            calls.append(1)
            if len(calls) == number + 1:
                raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
            return honest(*arguments, **named)

        with pytest.MonkeyPatch.context() as failing:
            failing.setattr(os, name, refuse_one)
            try:
                house.rooms.find(room_id)
            except RoomSuspended:
                house.clock.pass_ms(2_000)
        assert journal_of(house.rooms.find(room_id)) == journal


def test_an_invalid_payload_in_the_command_log_makes_a_room_damaged(house: House) -> None:
    room = house.make("paused")
    act(room, "produce", count=1)
    house.restart()
    folder = house.directory.room(room.record.room) / "commands"
    log = CommandLog.open(folder, now_us=lambda: 1)
    log._log.append_payloads([b"no command"])
    log.close()
    for _ in range(2):
        again = house.rooms.find(room.record.room)
        assert "the payload is not a command" in again.facts()["clock"]["damage"]
        house.restart()


def test_a_room_that_cannot_be_made_leaves_nothing_behind(house: House) -> None:
    with refusing("write", errno.ENOSPC), pytest.raises(OffsetscopeError, match="No space"):
        house.make()
    assert list((house.settings.data_dir / "rooms").iterdir()) == []
    assert house.make().facts()


def open_descriptors() -> int:
    """Return how many descriptors this process holds; 0 where the system does not report it."""
    folder = Path("/proc/self/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_a_failed_restore_leaks_no_descriptors(house: House) -> None:
    room = house.make()
    act_and_run(house, room)
    house.restart()
    held = open_descriptors()
    with refusing("utime", errno.EROFS):
        for _ in range(3):
            with pytest.raises(RoomSuspended):
                house.rooms.find(room.record.room)
            house.clock.pass_ms(LONGEST_PAUSE_S * 1_000)
    assert open_descriptors() == held


def test_retry_pauses_grow_up_to_a_minute() -> None:
    suspension = Suspension.first(MachineFault("full", "free some"), 0)
    for _ in range(20):
        suspension = suspension.next(MachineFault("full", "free some"), 0)
    assert suspension.pause_s == LONGEST_PAUSE_S
    assert suspension.error("room", 59_500_000).fields["retry_after_s"] == 1


def test_a_suspended_room_is_a_503_with_retry_after(client: FlaskClient) -> None:
    made = make_room(client)
    with refusing("fdatasync", errno.ENOSPC):
        answer = command(client, made, "produce", count=1)
        assert (answer.status_code, answer.get_json()["code"]) == (503, "command_unsettled")
        asked = client.get(f"/api/rooms/{made.room}")
        page = client.get(f"/rooms/{made.room}", headers={"Accept": "text/html"})
    error = asked.get_json()
    assert (asked.status_code, error["code"], error["room"]) == (503, "room_suspended", made.room)
    assert "No space" in error["message"]
    assert error["remedy"]
    assert int(asked.headers["Retry-After"]) >= 1
    assert page.status_code == 503
    assert "No space" in page.text
