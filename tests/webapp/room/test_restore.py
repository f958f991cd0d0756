"""A room is restored from its seed and its commands, byte for byte."""

import logging
import random
import shutil
from contextlib import suppress
from pathlib import Path

import pytest

from engine.cluster.cluster import Cluster
from engine.commands.producing import Produce
from engine.errors import OffsetscopeError, StorageFailed
from tests.webapp.room.rooms_by_hand import ROOM, new_room, restored_room
from tests.webapp.support import METRICS, HandClock, act, events_of, journal_of, run_ms
from webapp.errors import RoomReadOnly
from webapp.room.command_log import CommandLog, LoggedCommand
from webapp.room.room import Room

ACTS: list[dict[str, object]] = [
    {"command": "produce", "count": 3},
    {"command": "produce", "records": [{"key": "user-17", "value": "/home"}]},
    {"command": "set_producer", "rate_per_second": 5, "compression": "gzip"},
    {"command": "crash_consumer", "group": METRICS, "consumer": "Metrics B"},
    {"command": "add_consumer", "group": METRICS},
    {"command": "stop_consumer", "group": METRICS, "consumer": "Metrics A"},
    {"command": "seek", "group": METRICS, "topic": "pageviews", "partition": 1, "offset": 0},
    {"command": "crash_broker", "broker": 2},
    {"command": "start_broker", "broker": 2},
    {"command": "clock", "action": "pause"},
    {"command": "clock", "action": "step"},
    {"command": "clock", "action": "resume"},
    {"command": "clock", "action": "speed", "speed": 4},
    {"command": "reset"},
]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def act_at_random(room: Room, clock: HandClock, seed: int, acts: int = 40) -> None:
    """Send random commands, some of which are refused, between slices of uneven length."""
    chance = random.Random(seed)
    for _ in range(acts):
        fields = chance.choice(ACTS)
        with suppress(OffsetscopeError):
            act(room, **fields)  # type: ignore[arg-type]
        run_ms(room, clock, chance.choice([0, 40, 400, 1_200]))


@pytest.mark.parametrize("seed", range(4))
def test_a_restored_room_has_the_same_journal_clock_and_state(tmp_path: Path, clock: HandClock, seed: int) -> None:
    room = new_room(tmp_path, clock)
    act_at_random(room, clock, seed)
    act(room, "clock", action="pause")
    journal, picture = journal_of(room), room.picture()
    room.close()
    again = restored_room(tmp_path, clock)
    assert journal_of(again) == journal
    assert again.picture() == picture
    again.close()


def test_a_restored_room_continues_exactly_as_the_original(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path / "a", clock)
    act(room, "produce", count=9)
    run_ms(room, clock, 2_000)
    act(room, "crash_consumer", group=METRICS, consumer="Metrics C")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    again = restored_room(tmp_path / "b", clock)
    for one in (room, again):
        act(one, "clock", action="pause")
        for _ in range(60):
            act(one, "clock", action="step")
    assert journal_of(again) == journal_of(room)
    room.close()
    again.close()


def test_a_running_room_is_restored_up_to_its_last_event(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    run_ms(room, clock, 3_000)
    journal = journal_of(room)
    shutil.copytree(tmp_path, tmp_path / "copy")  # as it is on disk, without a clean close
    again = restored_room(tmp_path / "copy", clock)
    assert journal_of(again) == journal
    assert again.facts()["clock"]["now_us"] == events_of(room)[-1]["at_us"]
    assert not again.facts()["clock"]["paused"]
    room.close()
    again.close()


def test_a_restored_room_keeps_its_speed_and_stays_standing(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "standing")
    act(room, "clock", action="speed", speed=0.5)
    room.close()
    again = restored_room(tmp_path, clock, "standing")
    assert again.facts()["clock"] == {"now_us": 0, "speed": 0.5, "paused": True, "standing": True}
    again.close()


def test_a_torn_journal_is_rebuilt(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    act(room, "produce", count=3)
    run_ms(room, clock, 2_000)
    act(room, "clock", action="pause")
    journal = journal_of(room)
    room.close()
    (segment,) = (tmp_path / "journal").iterdir()
    segment.write_bytes(segment.read_bytes()[:-20])
    again = restored_room(tmp_path, clock)
    assert journal_of(again) == journal
    again.close()


def test_a_missing_journal_is_rebuilt(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    act(room, "produce", count=3)
    run_ms(room, clock, 1_000)
    act(room, "clock", action="pause")
    journal = journal_of(room)
    room.close()
    shutil.rmtree(tmp_path / "journal")
    again = restored_room(tmp_path, clock)
    assert journal_of(again) == journal
    again.close()


def test_after_an_interrupted_restore_the_original_journal_is_compared(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    run_ms(room, clock, 2_000)
    journal = journal_of(room)
    room.close()
    (tmp_path / "journal").rename(tmp_path / "journal.former")
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "00000000000000000000.kafka").write_bytes(b"half a restore")
    again = restored_room(tmp_path, clock)
    assert journal_of(again) == journal
    assert not (tmp_path / "journal.former").exists()
    again.close()


def test_a_journal_that_differs_is_reported_and_replaced_by_the_rebuilt_one(
    tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    room = new_room(tmp_path, clock)
    run_ms(room, clock, 2_000)
    room.close()
    commands = CommandLog.open(tmp_path / "commands", now_us=HandClock())
    commands.append([LoggedCommand(500_000, {"command": "produce", "count": 1})])
    commands.close()
    with caplog.at_level(logging.WARNING):
        again = restored_room(tmp_path, clock)
    (warning,) = [entry.getMessage() for entry in caplog.records]
    assert warning.startswith(f"room {ROOM}: the rebuilt journal differs from offset")
    assert any(event["event"] == "batch_sent" for event in events_of(again))
    again.close()


def test_a_restore_without_differences_reports_nothing(
    tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    room = new_room(tmp_path, clock)
    act_at_random(room, clock, seed=9, acts=10)
    room.close()
    with caplog.at_level(logging.WARNING):
        restored_room(tmp_path, clock).close()
    assert caplog.records == []


# --- commands that cannot be replayed -------------------------------------------------------------------------------

LATER = {"command": "produce", "records": [{"key": "later", "value": "v"}]}


def make_room_that_logged(directory: Path, clock: HandClock, *fields: dict[str, object]) -> list[bytes]:
    """Close a room, then append these commands to its log; return the journal before them."""
    room = new_room(directory, clock)
    act(room, "produce", count=3)
    run_ms(room, clock, 2_000)
    act(room, "clock", action="pause")
    journal, at_us = journal_of(room), room.facts()["clock"]["now_us"]
    room.close()
    commands = CommandLog.open(directory / "commands", now_us=lambda: 1)
    commands.append([LoggedCommand(at_us, one) for one in fields])
    commands.close()
    return journal


def offset_of_last(directory: Path) -> int:
    commands = CommandLog.open(directory / "commands", now_us=lambda: 1)
    offset = list(commands)[-1].offset
    commands.close()
    return offset


@pytest.mark.parametrize(
    "impossible",
    [
        {"command": "produce", "value": "\ud800"},
        {"command": "produce", "key": "a\udfff", "value": "v"},
        {"command": "produce", "records": [{"key": "k", "value": "v"}, {"value": "\ud800"}]},
        {"command": "expire_session", "client": "\ud800"},
        {"command": "produce", "topic": "x" * 300, "count": 1},
    ],
)
def test_an_invalid_command_that_an_earlier_version_logged_is_refused_again_and_the_room_works(
    tmp_path: Path, clock: HandClock, caplog: pytest.LogCaptureFixture, impossible: dict[str, object]
) -> None:
    journal = make_room_that_logged(tmp_path, clock, impossible)
    offset = offset_of_last(tmp_path)
    for times in (1, 2):
        with caplog.at_level(logging.WARNING):
            again = restored_room(tmp_path, clock)
        warnings = [entry.getMessage() for entry in caplog.records]
        assert len(warnings) == times
        assert warnings[-1].startswith(f"room {ROOM}: the command '{impossible['command']}' at offset {offset} (")
        assert "is refused again" in warnings[-1]
        assert journal_of(again)[: len(journal)] == journal
        act(again, "produce", count=1)
        journal = journal_of(again)
        again.close()


def test_a_command_logged_together_with_a_refused_one_is_applied(tmp_path: Path, clock: HandClock) -> None:
    make_room_that_logged(tmp_path, clock, {"command": "produce", "value": "\ud800"}, LATER)
    again = restored_room(tmp_path, clock)
    assert any(event["event"] == "batch_sent" and event["key"] == "later" for event in events_of(again))
    again.close()


@pytest.mark.parametrize(
    ("unknown", "name"),
    [
        ({"command": "explode"}, "explode"),
        ({"command": "produce", "count": 1, "colour": "red"}, "produce"),
        ({"command": "produce", "count": 0}, "produce"),
        ({"command": "clock", "action": "rewind"}, "clock"),
        ({}, "None"),
    ],
)
def test_a_command_that_this_version_cannot_read_is_reported_and_all_files_are_kept(
    tmp_path: Path, clock: HandClock, unknown: dict[str, object], name: str
) -> None:
    make_room_that_logged(tmp_path, clock, LATER, unknown)
    commands = (tmp_path / "commands" / "00000000000000000000.kafka").read_bytes()
    former = (tmp_path / "journal" / "00000000000000000000.kafka").read_bytes()
    offset = offset_of_last(tmp_path)
    for _ in range(2):
        room = restored_room(tmp_path, clock)
        damage = room.moment().clock.damage
        assert "this version cannot read it" in damage
        assert f"'{name}' at offset {offset} (2.000 s)" in damage.replace("None", "'None'")
        with pytest.raises(RoomReadOnly, match="this version cannot read it"):
            act(room, "produce", count=1)
        room.close()
        assert (tmp_path / "commands" / "00000000000000000000.kafka").read_bytes() == commands
        assert (tmp_path / "journal.former" / "00000000000000000000.kafka").read_bytes() == former


def test_a_command_that_fails_to_apply_is_reported_and_the_room_is_restored_once_it_applies(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    journal = make_room_that_logged(tmp_path, clock, LATER)
    offset = offset_of_last(tmp_path)
    apply = Produce.apply

    def fails(self: Produce, cluster: Cluster) -> None:
        if self.records:
            raise KeyError("a mistake of ours")
        apply(self, cluster)

    with monkeypatch.context() as planted:
        planted.setattr(Produce, "apply", fails)
        room = restored_room(tmp_path, clock)
        assert f"'produce' at offset {offset} (2.000 s)" in room.moment().clock.damage
        assert "applying it fails (KeyError)" in room.moment().clock.damage
        room.close()
    assert any(entry.exc_info and "'produce' at offset" in entry.getMessage() for entry in caplog.records)
    again = restored_room(tmp_path, clock)
    assert journal_of(again)[: len(journal)] == journal
    again.close()


@pytest.mark.parametrize("error", [StorageFailed("the disk is away", "wait"), OSError("no descriptors")])
def test_an_error_of_the_machine_is_raised_unchanged_by_a_restore(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    make_room_that_logged(tmp_path, clock)

    def fails(self: Produce, cluster: Cluster) -> None:
        raise error

    monkeypatch.setattr(Produce, "apply", fails)
    with pytest.raises(type(error)) as raised:
        restored_room(tmp_path, clock)
    assert raised.value is error
