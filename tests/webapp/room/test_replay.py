"""The replay of a room beside rooms that run."""

import json
from pathlib import Path

import pytest

from tests.webapp.room.rooms_by_hand import new_room, record
from tests.webapp.support import HandClock, act, journal_of, run_ms
from webapp.errors import RoomDamaged
from webapp.room.command_log import CommandLog, LoggedCommand
from webapp.room.commands import ForkAtOffset
from webapp.room.folders import RoomFolders
from webapp.room.past_points import PastPoint
from webapp.room.replay import BITE_S, Repetition
from webapp.room.timeline import Timeline


class Processor:
    """A clock by which each piece of work takes ``work_s``; it counts the rests."""

    def __init__(self, work_s: float) -> None:
        self.at_s = 0.0
        self.rests = 0
        self._work_s = work_s

    def now_s(self) -> float:
        self.at_s += self._work_s / 2
        return self.at_s

    def rest(self, seconds: float) -> None:
        assert seconds > 0
        self.rests += 1


def events_of(timeline: Timeline) -> list[bytes]:
    end_offset = timeline.cluster.publish()
    return list(timeline.journal.read(0, end_offset).payloads)


@pytest.mark.parametrize("work_s", [BITE_S / 100, BITE_S, 50 * BITE_S])
def test_a_replay_in_portions_of_any_size_makes_the_same_journal(tmp_path: Path, work_s: float) -> None:
    clock = HandClock()
    room = new_room(tmp_path / "a", clock)
    act(room, "set_producer", rate_per_second=40)
    run_ms(room, clock, 4_000)
    act(room, "crash_broker", broker=1)
    run_ms(room, clock, 8_000)
    act(room, "clock", action="pause")
    end_us = room.facts()["clock"]["now_us"]
    lived = journal_of(room)
    room.close()
    processor = Processor(work_s)
    timeline = Timeline(record(), RoomFolders(tmp_path / "b"), wall_us=0)
    repetition = Repetition(timeline, now_s=processor.now_s, rest=processor.rest)
    commands = list(CommandLog.open(RoomFolders(tmp_path / "a").commands, now_us=HandClock()))
    assert list(repetition.repeat_until(commands, PastPoint(end_us, 1 << 62))) == commands
    assert events_of(timeline) == lived
    timeline.close()
    assert (processor.rests > 0) == (work_s >= BITE_S), "a replay of one portion needs no rest"


def test_a_replay_rests_after_each_portion(tmp_path: Path) -> None:
    """Where the engine is slow the portions become small, and there is a rest after each."""
    slow = Processor(20 * BITE_S)
    timeline = Timeline(record(), RoomFolders(tmp_path), wall_us=0)
    Repetition(timeline, now_s=slow.now_s, rest=slow.rest).run_until(2_000_000)
    timeline.close()
    assert slow.rests > 1_000


def test_the_time_of_a_journal_offset_is_found_in_any_chapter(tmp_path: Path) -> None:
    clock = HandClock()
    room = new_room(tmp_path, clock)
    act(room, "set_producer", rate_per_second=400, batch_messages=4)
    run_ms(room, clock, 20_000)
    moment = room.moment()
    assert moment.checkpoint_offset > 0, "it has more than one chapter"
    offset = moment.checkpoint_offset
    around = [*room.read_journal(0, offset).payloads[-1:], *room.read_journal(offset, 1 << 20).payloads[:1]]
    first, second = (json.loads(payload)["at_us"] for payload in around)
    past = room.past(ForkAtOffset(offset))
    assert (past.point, past.journal_bytes) == (PastPoint(first, offset), offset)
    behind = room.read_journal(offset, 1 << 20)
    assert room.past(ForkAtOffset(behind.next_offset)).point.at_us >= second
    room.close()


def test_a_replay_refuses_an_invalid_command_again_and_continues(tmp_path: Path) -> None:
    def timeline(name: str) -> Timeline:
        return Timeline(record(), RoomFolders(tmp_path / name), wall_us=0)

    possible = [LoggedCommand(0, {"command": "produce", "value": "v"}), LoggedCommand(9, {"command": "reset"})]
    impossible = LoggedCommand(5, {"command": "produce", "value": "\ud800"})
    lives = [timeline("a"), timeline("b")]
    for life, commands in zip(lives, ([possible[0], impossible, possible[1]], possible), strict=True):
        assert list(Repetition(life).repeat_until(commands, PastPoint(1_000_000, 1 << 62))) == commands
    assert events_of(lives[0]) == events_of(lives[1])
    for life in lives:
        life.close()


def test_a_replay_names_the_command_that_cannot_be_replayed(tmp_path: Path) -> None:
    life = Timeline(record(), RoomFolders(tmp_path), wall_us=0)
    commands = [LoggedCommand(500_000, {"command": "explode"}, offset=77)]
    with pytest.raises(RoomDamaged) as damage:
        list(Repetition(life).repeat_until(commands, PastPoint(1_000_000, 1 << 62)))
    assert damage.value.fields == {"offset": 77, "at_us": 500_000, "command": "explode"}
    life.close()
