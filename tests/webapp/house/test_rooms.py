"""Many rooms: made, requested, unloaded, restored, expired and evicted, each independent of the others."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.errors import LogGap, OffsetscopeError, UnknownScenario
from tests.webapp.support import METRICS, HandClock, act, events_of, journal_of, run_ms
from webapp.errors import RoomDamaged, RoomFull, RoomReadOnly, RoomsTooFast, TooManyForks, TooManyRooms, UnknownRoom
from webapp.house.data_directory import DataDirectory
from webapp.house.rooms import Rooms
from webapp.room.command_log import CommandLog, LoggedCommand
from webapp.room.commands import ForkAtOffset, ForkAtTime, ForkNow, parse
from webapp.room.room import Room
from webapp.settings import Settings


class House:
    """All rooms of a data folder, with a clock moved by hand; ``restart`` stands for a new process."""

    def __init__(self, settings: Settings) -> None:
        self.clock = HandClock()
        self.settings = settings
        self.watched: set[str] = set()
        self.woken: list[Room] = []
        self._open()

    def _open(self) -> None:
        self.directory = DataDirectory.open(self.settings.data_dir)
        self.rooms = Rooms(
            self.directory,
            self.settings,
            wall_us=self.clock,
            wake=self.woken.append,
            is_watched=lambda room: room.record.room in self.watched,
        )

    def make(self, start: str = "running", address: str = "here") -> Room:
        return self.rooms.make("pageviews", 1, start, address=address).room  # type: ignore[arg-type]

    def restart(self) -> None:
        self.close()
        self._open()

    def close(self) -> None:
        self.rooms.close()
        self.directory.close()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(Settings(data_dir=tmp_path))
    yield built
    built.close()


@pytest.fixture
def small_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    built: list[House] = []

    def build(**limits: int) -> House:
        built.append(House(replace(Settings(data_dir=tmp_path), **limits)))  # type: ignore[arg-type]
        return built[-1]

    yield build
    for one in built:
        one.close()


def test_a_room_is_found_by_its_id(house: House) -> None:
    room = house.make()
    assert house.rooms.find(room.record.room) is room


@pytest.mark.parametrize("room_id", ["aaaabbbbcccc", "", "..", "../../etc", "a" * 500])
def test_an_unknown_room_is_a_typed_error(house: House, room_id: str) -> None:
    with pytest.raises(UnknownRoom):
        house.rooms.find(room_id)


def test_an_unknown_scenario_creates_no_files(house: House) -> None:
    with pytest.raises(UnknownScenario):
        house.rooms.make("nothing", 1, "running", address="here")
    assert house.rooms.known == 0
    assert list((house.settings.data_dir / "rooms").iterdir()) == []


def test_only_a_hash_of_the_presenter_key_is_stored(house: House) -> None:
    made = house.rooms.make("pageviews", 1, "running", address="here")
    assert made.room.record.is_key(made.presenter_key)
    assert not made.room.record.is_key(made.presenter_key[:-1])
    for path in house.settings.data_dir.rglob("*"):
        assert path.is_dir() or made.presenter_key.encode() not in path.read_bytes()


def test_two_rooms_share_nothing(house: House) -> None:
    one, other = house.make("paused"), house.make("paused")
    act(one, "produce", count=3)
    act(one, "clock", action="step")
    assert other.facts()["clock"]["now_us"] == 0
    assert journal_of(other) == journal_of(one)[:1]


def test_a_room_is_restored_at_its_next_use(house: House) -> None:
    room = house.make()
    act(room, "produce", count=3)
    run_ms(room, house.clock, 1_200)
    act(room, "clock", action="pause")
    facts, journal = room.facts(), journal_of(room)
    house.restart()
    again = house.rooms.find(room.record.room)
    assert again is not room
    assert (again.facts(), journal_of(again)) == (facts, journal)
    assert again.record == room.record
    assert house.woken[-1] is again


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"room": 1}', b'{"room": "x", "scenario": "pageviews"}'])
def test_a_torn_record_makes_only_its_own_room_unusable(house: House, content: bytes) -> None:
    room, other = house.make(), house.make()
    house.restart()
    (house.directory.room(room.record.room) / "room.json").write_bytes(content)
    for _ in range(2):
        with pytest.raises(RoomDamaged):
            house.rooms.find(room.record.room)
    house.rooms.find(other.record.room)


def test_a_gap_in_a_command_log_makes_only_its_own_room_unusable(house: House) -> None:
    room = house.make()
    act(room, "produce", count=1)
    house.restart()
    folder = house.directory.room(room.record.room) / "commands"
    (folder / "00000000000000000007.kafka").write_bytes(b"x")
    with pytest.raises(LogGap):
        house.rooms.find(room.record.room)
    assert house.make().facts()


def test_a_room_names_the_command_that_cannot_be_replayed(house: House) -> None:
    room = house.make()
    run_ms(room, house.clock, 2_000)
    act(room, "produce", count=1)
    house.restart()
    commands = CommandLog.open(house.directory.room(room.record.room) / "commands", now_us=lambda: 1)
    end = commands.size_bytes
    commands.append([LoggedCommand(2_500_000, {"command": "explode"})])
    commands.close()
    for _ in range(2):
        assert f"'explode' at offset {end} (2.500 s)" in house.rooms.find(room.record.room).moment().clock.damage
        house.restart()


def damaged_room(house: House) -> str:
    """Leave a room with one changed byte in the second of its three commands; return its id."""
    room = house.make()
    for count in (1, 2, 3):
        run_ms(room, house.clock, 1_000)
        act(room, "produce", count=count)
    run_ms(room, house.clock, 1_000)
    house.restart()
    (file,) = (house.directory.room(room.record.room) / "commands").iterdir()
    file.write_bytes(file.read_bytes().replace(b'"count":2', b'"count":8'))
    return room.record.room


def test_a_room_with_a_damaged_command_log_is_read_only_at_the_state_before_the_damage(house: House) -> None:
    room_id = damaged_room(house)
    files = {path: path.read_bytes() for path in (house.directory.room(room_id) / "commands").iterdir()}
    for _ in range(2):
        room = house.rooms.find(room_id)
        facts = room.facts()
        assert [event["messages"] for event in events_of(room) if event["event"] == "batch_sent"] == [1]
        assert "does not match its CRC" in facts["clock"]["damage"]
        assert facts["clock"]["paused"]
        run_ms(room, house.clock, 2_000)
        assert room.facts()["clock"]["now_us"] == facts["clock"]["now_us"]
        for command in ({"command": "produce", "count": 1}, {"command": "clock", "action": "resume"}):
            with pytest.raises(RoomReadOnly, match="nothing can be changed"):
                room.submit(parse(command), command)
        house.restart()
    assert {path: path.read_bytes() for path in files} == files
    assert (house.directory.room(room_id) / "journal.former").exists()


def test_a_fork_of_a_damaged_room_can_be_changed(house: House) -> None:
    room = house.rooms.find(damaged_room(house))
    fork = house.rooms.fork(room, ForkNow(), address="here").room
    assert journal_of(fork) == journal_of(room)
    act(fork, "produce", count=1)
    assert "damage" not in fork.facts()["clock"]


def test_a_repaired_command_log_opens_the_whole_room_again(house: House) -> None:
    room_id = damaged_room(house)
    house.rooms.find(room_id)
    house.restart()
    (file,) = (house.directory.room(room_id) / "commands").iterdir()
    file.write_bytes(file.read_bytes().replace(b'"count":8', b'"count":2'))
    room = house.rooms.find(room_id)
    assert "damage" not in room.facts()["clock"]
    act(room, "produce", count=1)
    assert not (house.directory.room(room_id) / "journal.former").exists()


def test_an_unexpected_error_during_a_restore_is_a_typed_error(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    room = house.make()
    house.restart()

    def planted(*arguments: object, **named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("webapp.house.rooms.restore", planted)
    with pytest.raises(RoomDamaged, match="ZeroDivisionError"):
        house.rooms.find(room.record.room)


def test_a_fork_at_a_time_is_the_room_as_it_was_then_and_paused(house: House) -> None:
    room = house.make()
    run_ms(room, house.clock, 1_000)
    act(room, "produce", count=3)
    run_ms(room, house.clock, 400)
    act(room, "crash_consumer", group=METRICS, consumer="Metrics A")
    run_ms(room, house.clock, 2_000)
    made = house.rooms.fork(room, ForkAtTime(1_200_000), address="here")
    fork = made.room
    assert fork.record.room != room.record.room
    assert fork.record.is_key(made.presenter_key)
    assert fork.facts()["clock"] == {"now_us": 1_200_000, "speed": 1.0, "paused": True, "standing": False}
    forked_journal = journal_of(fork)
    assert forked_journal == journal_of(room)[: len(forked_journal)]
    assert {"batch_sent"} <= {event["event"] for event in events_of(fork)} - {"consumer_crashed"}
    act(fork, "produce", count=1)
    assert journal_of(fork) != journal_of(room)[: len(forked_journal) + 1]


def test_a_fork_at_a_journal_offset_has_the_journal_up_to_there(house: House) -> None:
    room = house.make("paused")
    first = act(room, "produce", records=[{"value": "first"}])
    act(room, "produce", records=[{"value": "second"}])
    fork = house.rooms.fork(room, ForkAtOffset(first.journal_offset), address="here").room
    assert fork.moment().end_offset == first.journal_offset
    assert journal_of(fork) == list(room.read_journal(0, first.journal_offset).payloads)


def test_a_fork_between_two_steps_stands_at_the_requested_time(house: House) -> None:
    room = house.make("paused")
    times = [act(room, "clock", action="step").at_us for _ in range(4)]
    between_us = (times[1] + times[2]) // 2
    fork = house.rooms.fork(room, ForkAtTime(between_us), address="here").room
    assert fork.facts()["clock"]["now_us"] == between_us
    forked_journal = journal_of(fork)
    assert forked_journal == journal_of(room)[: len(forked_journal)]
    assert max(event["at_us"] for event in events_of(fork)) == times[1]


def test_a_fork_records_its_origin(house: House) -> None:
    room = house.make("paused")
    act(room, "clock", action="step")
    fork = house.rooms.fork(room, ForkNow(), address="here").room
    now_us = room.moment().clock.now_us
    assert (fork.record.forked_from, fork.record.forked_at_us) == (room.record.room, now_us)
    record = fork.record
    house.restart()
    assert house.rooms.find(record.room).record == record


def test_a_fork_is_restored_like_any_other_room(house: House) -> None:
    room = house.make()
    run_ms(room, house.clock, 2_000)
    fork = house.rooms.fork(room, ForkAtTime(1_000_000), address="here").room
    facts = fork.facts()
    house.restart()
    assert house.rooms.find(fork.record.room).facts() == facts


def test_rooms_unused_for_a_while_are_not_advanced(house: House) -> None:
    room, watched = house.make(), house.make()
    house.watched.add(watched.record.room)
    assert house.rooms.awake() == [room, watched]
    house.clock.pass_ms(1_000 * house.settings.sleep_after_s)
    assert house.rooms.awake() == [watched]
    house.woken.clear()
    house.rooms.find(room.record.room)
    assert house.rooms.awake() == [room, watched]
    assert house.woken == [room]


def test_no_time_passes_in_a_room_that_is_not_advanced(house: House) -> None:
    room = house.make()
    run_ms(room, house.clock, 400)
    house.clock.pass_ms(1_000 * house.settings.sleep_after_s)
    room.slice(budget_us=10_000_000)
    assert room.facts()["clock"]["now_us"] <= 650_000


def test_unused_rooms_are_unload_and_restored_at_the_next_use(house: House) -> None:
    room, watched = house.make("paused"), house.make("paused")
    house.watched.add(watched.record.room)
    act(room, "produce", count=2)
    journal = journal_of(room)
    house.clock.pass_ms(1_000 * house.settings.unload_after_s)
    house.rooms.run_housekeeping()
    again = house.rooms.find(room.record.room)
    assert again is not room
    assert journal_of(again) == journal
    assert house.rooms.find(watched.record.room) is watched


def test_over_the_limit_of_open_rooms_the_longest_unused_ones_are_unload(
    small_house: Callable[..., House],
) -> None:
    house = small_house(rooms_in_memory_at_most=2)
    rooms = []
    for _ in range(4):
        house.clock.pass_ms(10)
        rooms.append(house.make("paused"))
    house.watched.add(rooms[0].record.room)
    house.rooms.run_housekeeping()
    assert [house.rooms.find(room.record.room) is room for room in rooms] == [True, False, False, True]


def pass_days(house: House, days: float) -> None:
    house.clock.pass_ms(round(days * 86_400_000))
    house.rooms.run_housekeeping()


def is_known(house: House, room: Room) -> bool:
    try:
        house.rooms.find(room.record.room)
    except UnknownRoom:
        return False
    return True


def test_rooms_expire_sooner_if_no_command_was_sent_in_them(house: House) -> None:
    used, untouched = house.make(), house.make()
    act(used, "produce", count=1)
    pass_days(house, 2)
    fresh = house.make()
    assert [is_known(house, room) for room in (used, untouched, fresh)] == [True, False, True]
    pass_days(house, 13)
    assert is_known(house, used)
    pass_days(house, 15)
    assert not is_known(house, used)
    assert house.rooms.known == 0


def test_an_expiry_is_logged_before_the_room_is_deleted(house: House, caplog: pytest.LogCaptureFixture) -> None:
    room = house.make()
    with caplog.at_level("INFO"):
        pass_days(house, 2)
    assert f"room {room.record.room} has expired, after 172800 s unused" in caplog.text


def test_server_downtime_and_changed_file_times_expire_no_room(house: House) -> None:
    room = house.make()
    act(room, "produce", count=1)
    house.close()
    for path in house.settings.data_dir.rglob("*"):
        os.utime(path, (0, 0))
    house.clock.pass_ms(15 * 86_400_000)
    house._open()
    house.rooms.run_housekeeping()
    assert is_known(house, room)


def test_the_serving_time_of_earlier_runs_counts(house: House) -> None:
    room = house.make()
    act(room, "produce", count=1)
    for _ in range(3):
        pass_days(house, 5)
        house.restart()
    house.rooms.run_housekeeping()
    assert not is_known(house, room)


def test_the_last_use_survives_a_kill(house: House) -> None:
    room = house.make()
    act(room, "produce", count=1)
    pass_days(house, 13)
    assert is_known(house, room)  # a use
    pass_days(house, 0.01)
    house.directory.close()  # and no more: as after kill -9
    house._open()
    pass_days(house, 13)
    assert is_known(house, room)


def test_a_watched_room_is_in_use(house: House) -> None:
    room = house.make()
    house.watched.add(room.record.room)
    for _ in range(4):
        pass_days(house, 0.9)
    house.watched.clear()
    pass_days(house, 0.9)
    assert is_known(house, room)


def test_a_data_folder_without_stored_usage_expires_no_room_at_first(house: House) -> None:
    used, untouched = house.make(), house.make()
    act(used, "produce", count=1)
    house.close()
    (house.settings.data_dir / "usage.json").unlink()
    house._open()
    house.rooms.run_housekeeping()
    pass_days(house, 2)
    assert [is_known(house, room) for room in (used, untouched)] == [True, False]


@pytest.mark.parametrize(
    "content", [b"", b"[]", b'{"served_s": 9, "rooms": {"x": {}}}', b'{"served_s": 1e999}', b"\xff"]
)
def test_a_damaged_usage_file_is_logged_and_expires_no_room(
    house: House, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    room = house.make()
    act(room, "produce", count=1)
    pass_days(house, 13)
    house.close()
    (house.settings.data_dir / "usage.json").write_bytes(content)
    house._open()
    assert "usage.json cannot be read" in caplog.text
    pass_days(house, 13)
    assert is_known(house, room)


def test_usage_that_cannot_be_stored_is_logged_and_stored_later(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house.make()

    def refuse(path: Path, data: bytes) -> None:
        raise OSError(28, "no space left on device")

    with monkeypatch.context() as full:
        full.setattr("webapp.house.usage.write_atomically", refuse)
        pass_days(house, 0.1)
    assert "no space left" in caplog.text
    pass_days(house, 0.1)
    assert (house.settings.data_dir / "usage.json").exists()


# --- space ----------------------------------------------------------------------------------------------------------


def touched_room(house: House, address: str) -> Room:
    room = house.make(address=address)
    act(room, "produce", count=1)
    house.clock.pass_ms(1_000)
    return room


def test_rooms_in_use_are_never_evicted(small_house: Callable[..., House]) -> None:
    house = small_house(rooms_at_most=2)
    rooms = [touched_room(house, "here") for _ in range(2)]
    with pytest.raises(TooManyRooms) as refused:
        house.make()
    assert refused.value.fields["rooms_at_most"] == 2
    assert all(is_known(house, room) for room in rooms)


def test_a_room_without_commands_is_evicted_for_a_new_one(small_house: Callable[..., House]) -> None:
    house = small_house(rooms_at_most=3)
    used, watched, idle = house.make(), house.make(), house.make()
    act(used, "produce", count=1)
    house.watched.add(watched.record.room)
    house.make()
    assert [is_known(house, room) for room in (used, watched, idle)] == [True, True, False]


def test_a_client_who_makes_too_many_rooms_evicts_its_own(small_house: Callable[..., House]) -> None:
    house = small_house(rooms_at_most=5)
    stranger = touched_room(house, "elsewhere")
    many = [touched_room(house, "here") for _ in range(4)]
    house.clock.pass_ms(1_000 * house.settings.sleep_after_s)
    many += [touched_room(house, "here") for _ in range(3)]
    assert [is_known(house, room) for room in many] == [False] * 3 + [True] * 4
    assert is_known(house, stranger)


def test_between_clients_with_equally_many_rooms_the_least_recently_used_room_is_evicted(
    small_house: Callable[..., House],
) -> None:
    house = small_house(rooms_at_most=3)
    rooms = [touched_room(house, address) for address in ("b", "a", "c")]
    house.clock.pass_ms(1_000 * house.settings.sleep_after_s)
    house.rooms.find(rooms[0].record.room)
    house.make(address="d")
    assert [is_known(house, room) for room in rooms] == [True, False, True]


def test_a_client_at_its_own_limit_evicts_only_its_own_room(small_house: Callable[..., House]) -> None:
    house = small_house(rooms_per_client_at_most=2)
    stranger = touched_room(house, "elsewhere")
    rooms = [touched_room(house, "here") for _ in range(2)]
    with pytest.raises(TooManyRooms):
        house.make()
    house.clock.pass_ms(1_000 * house.settings.sleep_after_s)
    house.make()
    assert [is_known(house, room) for room in (stranger, *rooms)] == [True, False, True]


def test_over_the_limit_of_bytes_on_disk_the_client_with_most_loses_a_room(small_house: Callable[..., House]) -> None:
    house = small_house(disk_bytes_at_most=700_000)
    small = touched_room(house, "small")
    large = touched_room(house, "large")
    act(large, "produce", count=2, size=400_000)
    run_ms(large, house.clock, 6_000)
    house.rooms.run_housekeeping()
    house.restart()  # sizes are stored
    house.clock.pass_ms(1_000 * house.settings.sleep_after_s)
    house.make(address="new")
    assert [is_known(house, room) for room in (small, large)] == [True, False]


def test_the_bytes_of_one_client_are_limited(small_house: Callable[..., House]) -> None:
    house = small_house(disk_bytes_per_client_at_most=500_000)
    large = touched_room(house, "here")
    act(large, "produce", count=2, size=400_000)
    run_ms(large, house.clock, 6_000)
    house.rooms.run_housekeeping()
    with pytest.raises(TooManyRooms):
        house.make()
    house.make(address="elsewhere")


def test_a_room_that_could_not_be_made_does_not_count(small_house: Callable[..., House]) -> None:
    house = small_house(rooms_at_most=1)
    with pytest.raises(UnknownScenario):
        house.rooms.make("nothing", 1, "running", address="here")
    house.make()


def test_the_rooms_of_an_address_in_a_minute_are_limited(small_house: Callable[..., House]) -> None:
    house = small_house(rooms_per_minute_and_address=2)
    house.make()
    house.rooms.fork(house.make(), ForkAtTime(0), address="elsewhere")
    with pytest.raises(RoomsTooFast):
        house.make()
    house.make(address="elsewhere")


def test_the_forks_of_an_address_in_a_minute_are_limited_more_tightly(small_house: Callable[..., House]) -> None:
    house = small_house(forks_per_minute_and_address=1)
    room = house.make()
    house.rooms.fork(room, ForkAtTime(0), address="here")
    with pytest.raises(RoomsTooFast) as refused:
        house.rooms.fork(room, ForkAtTime(0), address="here")
    assert "1 forks" in refused.value.message
    house.rooms.fork(room, ForkAtTime(0), address="elsewhere")
    house.make(address="here")


def test_a_fork_over_the_limit_reads_no_journal(
    small_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = small_house(forks_per_minute_and_address=1)
    room = house.make()
    house.rooms.fork(room, ForkNow(), address="here")
    for name in ("past", "commands"):
        monkeypatch.setattr(room, name, lambda *_: pytest.fail("the past was read"))
    with pytest.raises(RoomsTooFast):
        house.rooms.fork(room, ForkNow(), address="here")


def test_a_fork_waits_for_its_turn_before_it_reads_commands(
    small_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch
) -> None:
    house = small_house(forks_at_once=0, fork_timeout_s=0)
    room = house.make()
    monkeypatch.setattr(room, "commands", lambda: pytest.fail("the commands were read"))
    with pytest.raises(TooManyForks):
        house.rooms.fork(room, ForkNow(), address="here")


def test_the_command_log_holds_each_command_and_its_time(house: House) -> None:
    room = house.make("paused")
    act(room, "produce", records=[{"value": "x"}])
    with pytest.raises(OffsetscopeError):
        act(room, "start_broker", broker=1)
    house.close()
    log = CommandLog.open(house.directory.room(room.record.room) / "commands", now_us=HandClock())
    assert [logged.fields["command"] for logged in log] == ["produce", "start_broker"]
    assert {logged.at_us for logged in log} == {0}
    log.close()
    house._open()


# --- memory ---------------------------------------------------------------------------------------------------------


def test_messages_in_flight_count_as_bytes_of_the_room(house: House) -> None:
    room = house.make("paused")
    for _ in range(5):
        act(room, "produce", count=1, size=1_000_000)
    assert 5_000_000 < room.pending_bytes < 5_001_000
    assert house.rooms.pending_bytes == room.pending_bytes
    act(room, "clock", action="resume")
    run_ms(room, house.clock, 4_000)
    assert house.rooms.pending_bytes < 50_000  # what fetches take at a time


def test_a_paused_room_does_not_outgrow_its_files_limit_when_time_runs_again(small_house: Callable[..., House]) -> None:
    house = small_house(room_bytes_at_most=3_000_000)
    room = house.make("paused")
    for _ in range(3):
        act(room, "produce", count=1, size=1_000_000)
    with pytest.raises(RoomFull) as refused:
        act(room, "produce", count=1, size=1_000_000)
    assert "in flight" in refused.value.message
    assert house.directory.measure(room.record.room)[0] + room.pending_bytes < 4_200_000


def test_a_room_is_paused_when_its_producers_load_exceeds_the_limit(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.room.room.PENDING_BYTES_AT_MOST", 100_000)
    room = house.make()
    act(room, "set_disk", broker=1, delay_ms=10_000)
    act(room, "set_producer", rate_per_second=1_000)
    run_ms(room, house.clock, 10_000)
    assert room.pending_bytes > 100_000
    assert room.facts()["clock"] | {"now_us": 0} == {
        "now_us": 0, "speed": 1.0, "paused": True, "standing": False, "full": True,
    }  # fmt: skip
