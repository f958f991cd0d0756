"""A room: commands are logged, applied by the pump, and published in the journal."""

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.config import NEVER_US
from engine.errors import (
    InvalidCommand,
    MachineFault,
    OffsetInsideMessage,
    OffsetOutOfRange,
    StorageFailed,
    WrongState,
)
from tests.webapp.room.rooms_by_hand import new_room
from tests.webapp.support import BUDGET_US, METRICS, HandClock, act, events_of, run_ms
from webapp.errors import CommandUnsettled, RoomFailed, RoomFull, RoomSuspended, ServerStopping
from webapp.room.command_log import CommandLog
from webapp.room.commands import ForkAtOffset, ForkAtTime, parse
from webapp.room.room import Room


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


def test_a_standing_room_stands_until_the_first_command(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "standing")
    assert not room.has_work
    run_ms(room, clock, 1_000)
    assert room.facts()["clock"] == {"now_us": 0, "speed": 1.0, "paused": True, "standing": True}
    assert act(room, "produce", count=3).at_us == 0
    run_ms(room, clock, 1_000)
    assert room.facts()["clock"] == {"now_us": 1_000_000, "speed": 1.0, "paused": False, "standing": False}
    room.close()


def test_a_refused_command_does_not_start_a_standing_room(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "standing")
    with pytest.raises(WrongState):
        act(room, "start_broker", broker=1)
    assert room.facts()["clock"]["standing"]
    room.close()


def test_setting_the_speed_does_not_start_a_standing_room(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "standing")
    act(room, "clock", action="speed", speed=2)
    assert room.facts()["clock"] == {"now_us": 0, "speed": 2.0, "paused": True, "standing": True}
    room.close()


def test_a_new_room_has_the_offsets_of_its_scenario(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "standing")
    partitions = room.facts()["topics"][0]["partitions"]
    assert [one["message_offsets"] for one in partitions] == [
        [0, 215, 430, 645],
        [0, 188, 376, 564],
        [0, 204, 408, 612],
    ]
    room.close()


def test_a_command_is_answered_with_the_journal_offset_after_its_events(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "paused")
    before = room.moment().end_offset
    applied = act(room, "crash_consumer", group=METRICS, consumer="Metrics B")
    assert before < applied.journal_offset == room.moment().end_offset
    assert events_of(room)[-1]["event"] == "consumer_crashed"
    room.close()


def test_commands_of_one_slice_are_logged_together(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = new_room(tmp_path, clock, "paused")
    batches: list[int] = []
    append = CommandLog.append

    def counted(log: CommandLog, commands: Any) -> None:
        batches.append(len(commands))
        append(log, commands)

    monkeypatch.setattr(CommandLog, "append", counted)
    fields: list[dict[str, object]] = [
        {"command": "produce", "count": 1},
        {"command": "clock", "action": "step"},
        {"command": "produce", "count": 2},
        {"command": "produce", "count": 3},
    ]
    futures = [room.submit(parse(one), one) for one in fields]
    room.slice(budget_us=BUDGET_US)
    assert batches == [2, 2]
    times = [future.result(timeout=0).at_us for future in futures]
    assert times == sorted(times)
    assert times[0] < times[2]
    room.close()


def test_a_step_goes_to_the_next_instant_with_an_event(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "running")
    before = len(events_of(room))
    applied = act(room, "clock", action="step")
    events = events_of(room)[before:]
    assert events
    assert {event["at_us"] for event in events} == {applied.at_us}
    assert room.facts()["clock"]["paused"]
    run_ms(room, clock, 1_000)
    assert room.facts()["clock"]["now_us"] == applied.at_us
    room.close()


def test_a_reset_continues_in_the_same_journal(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    act(room, "clock", action="speed", speed=8)
    act(room, "produce", count=5)
    run_ms(room, clock, 1_000)
    end = room.moment().end_offset
    applied = act(room, "reset")
    picture = room.picture()
    assert picture.facts["topics"][0]["events_appended"] == 12
    assert picture.facts["clock"] == {"now_us": applied.at_us, "speed": 8.0, "paused": True, "standing": True}
    (checkpoint,) = [event for event in events_of(room) if event["event"] == "checkpoint" and event["at_us"]]
    assert (checkpoint["cause"], checkpoint["at_us"]) == ("reset", applied.at_us)
    assert room.moment().checkpoint_offset == end
    act(room, "produce", count=1)
    run_ms(room, clock, 400)
    assert room.facts()["clock"]["now_us"] > applied.at_us
    room.close()


def test_a_changed_clock_is_published_without_events(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "paused")
    fields = {"command": "clock", "action": "speed", "speed": 4}
    room.submit(parse(fields), fields)
    assert room.slice(budget_us=BUDGET_US)
    assert not room.slice(budget_us=BUDGET_US)
    room.close()


def test_a_room_knows_the_wall_time_of_its_next_event(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    act(room, "set_producer", rate_per_second=2)
    for _ in range(20):
        end_offset = room.moment().end_offset
        clock.now_us = room.due_wall_us - 1
        room.slice(budget_us=BUDGET_US)
        assert room.moment().end_offset == end_offset
        clock.now_us += 1
        room.slice(budget_us=BUDGET_US)
        if room.moment().end_offset > end_offset:
            break
    else:
        pytest.fail("nothing ever happened when it was due")
    act(room, "clock", action="pause")
    assert room.due_wall_us == NEVER_US
    room.close()


def test_virtual_time_falls_behind_when_a_slice_takes_too_long(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    act(room, "clock", action="speed", speed=16)
    run_ms(room, clock, 2_000)
    before = room.facts()["clock"]["now_us"]
    clock.pass_ms(250)
    room.slice(budget_us=-1)
    assert before < room.facts()["clock"]["now_us"] < before + 16 * 250_000
    room.close()


def test_an_unexpected_error_of_the_engine_fails_only_this_room(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, other = new_room(tmp_path / "a", clock), new_room(tmp_path / "b", clock)

    def break_down(at_us: int) -> None:
        raise AssertionError("planted")

    fields = {"command": "produce", "count": 1}
    future = room.submit(parse(fields), fields)
    monkeypatch.setattr(room._timeline.cluster, "run_until", break_down)
    assert room.slice(budget_us=BUDGET_US)
    assert isinstance(future.exception(timeout=0), RoomFailed)
    assert room.is_failed
    assert not room.has_work
    with pytest.raises(RoomFailed, match="AssertionError"):
        room.facts()
    with pytest.raises(RoomFailed):
        room.submit(parse(fields), fields)
    assert not room.slice(budget_us=BUDGET_US)
    act(other, "produce", count=1)
    other.close()


def test_a_logged_command_that_meets_a_machine_fault_is_unsettled(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = new_room(tmp_path, clock, "paused")

    def machine_refuses(command: object) -> None:
        raise MachineFault("no descriptors", "free some")

    monkeypatch.setattr(room._timeline, "apply", machine_refuses)
    with pytest.raises(CommandUnsettled, match="no descriptors") as raised:
        act(room, "produce", count=1)
    assert not raised.value.definite
    assert not room.is_failed
    assert not room.has_work
    with pytest.raises(RoomSuspended, match="no descriptors"):
        room.facts()
    assert len(list(reopened_commands(tmp_path))) == 1


def test_a_command_that_cannot_be_logged_is_not_applied(
    tmp_path: Path, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = new_room(tmp_path, clock, "paused")

    def disk_is_full(log: CommandLog, commands: Any) -> None:
        raise StorageFailed("cannot append: no space left on device", "free some")

    monkeypatch.setattr(CommandLog, "append", disk_is_full)
    with pytest.raises(RoomSuspended, match="no space left") as raised:
        act(room, "produce", count=1)
    assert raised.value.definite
    monkeypatch.undo()
    assert not list(reopened_commands(tmp_path))


def reopened_commands(directory: Path) -> list[object]:
    log = CommandLog.open(directory / "commands", now_us=HandClock())
    commands: list[object] = list(log)
    log.close()
    return commands


def test_a_full_room_is_paused_and_refuses_commands(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, bytes_at_most=60_000)
    act(room, "produce", count=100, size=400)
    act(room, "clock", action="speed", speed=16)
    run_ms(room, clock, 8_000)
    assert room.facts()["clock"]["paused"]
    with pytest.raises(RoomFull) as refused:
        act(room, "produce", count=1)
    assert refused.value.fields["bytes_at_most"] == 60_000
    assert room.facts()["clock"]["full"] is True
    with pytest.raises(RoomFull):
        act(room, "clock", action="resume")
    room.close()


def test_a_pending_command_fails_when_its_room_is_unload(tmp_path: Path, clock: HandClock) -> None:
    woken: list[Room] = []
    room = new_room(tmp_path, clock, wake=woken.append)
    fields = {"command": "produce", "count": 1}
    future = room.submit(parse(fields), fields)
    assert woken == [room]
    room.close()
    assert isinstance(future.exception(timeout=0), ServerStopping)
    with pytest.raises(ServerStopping):
        room.moment()


def test_commands_of_many_threads_are_all_applied(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock, "paused")
    fields = {"command": "produce", "records": [{"value": "x"}]}
    futures = []

    def send() -> None:
        futures.append(room.submit(parse(fields), fields))

    threads = [threading.Thread(target=send) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    room.slice(budget_us=BUDGET_US)
    assert len({future.result(timeout=0).journal_offset for future in futures}) == 1
    assert len(reopened(room)) == 16
    room.close()


def reopened(room: Room) -> list[object]:
    commands = list(room.commands())
    return list(commands)


def test_the_past_gives_the_time_of_each_journal_offset(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    run_ms(room, clock, 2_000)
    position = 0
    for payload, event in zip(room.read_journal(0, 1 << 24).payloads, events_of(room), strict=True):
        position += 9 + len(payload)
        assert room.past(ForkAtOffset(position)).point.at_us == event["at_us"]
    room.close()


def test_a_fork_in_the_future_or_inside_an_event_is_refused(tmp_path: Path, clock: HandClock) -> None:
    room = new_room(tmp_path, clock)
    with pytest.raises(InvalidCommand):
        room.past(ForkAtTime(1))
    with pytest.raises(OffsetInsideMessage):
        room.past(ForkAtOffset(5))
    with pytest.raises(OffsetOutOfRange):
        room.past(ForkAtOffset(room.moment().end_offset + 1))
    room.close()


def test_a_flood_is_summarized_in_digests_that_end_with_the_exact_state(tmp_path: Path) -> None:
    clock = HandClock()
    room = new_room(tmp_path, clock)
    act(room, "set_producer", rate_per_second=3_000, batch_messages=20)
    bookmark, told_bytes = 0, 0
    for _ in range(100):
        run_ms(room, clock, 40)
        if room.is_digested(bookmark):
            digest = room.digest_after(bookmark)
            bookmark, told_bytes = digest.next_offset, told_bytes + len(digest.body)
    assert room.due_wall_us == NEVER_US, "a flood is published in rounds"
    assert told_bytes < 4 * 45_000
    assert room.moment().end_offset > 10 * told_bytes
    act(room, "clock", action="pause")
    closing = room.digest_after(bookmark)
    assert closing.is_exact
    assert closing.next_offset == room.moment().end_offset
    assert json.loads(closing.body)["state"] == json.loads(json.dumps(room.picture().state))
