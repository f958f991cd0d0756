"""The commands that act on a room as a whole."""

import pytest

from engine.errors import InvalidCommand
from webapp.room.commands import (
    ChangeSpeed,
    ForkAtOffset,
    ForkAtTime,
    ForkNow,
    Pause,
    Reset,
    Resume,
    Step,
    Toggle,
    parse,
)


@pytest.mark.parametrize(
    ("fields", "command"),
    [
        ({"command": "clock", "action": "pause"}, Pause()),
        ({"command": "clock", "action": "resume"}, Resume()),
        ({"command": "clock", "action": "toggle"}, Toggle()),
        ({"command": "clock", "action": "step"}, Step()),
        ({"command": "clock", "action": "speed", "speed": 2}, ChangeSpeed(2.0)),
        ({"command": "clock", "action": "speed", "speed": "0.25"}, ChangeSpeed(0.25)),
        ({"command": "reset"}, Reset()),
        ({"command": "fork", "journal_offset": 6080}, ForkAtOffset(6080)),
        ({"command": "fork", "at_us": "1500000"}, ForkAtTime(1_500_000)),
        ({"command": "fork"}, ForkNow()),
    ],
)
def test_well_formed_commands_are_parsed(fields: dict[str, object], command: object) -> None:
    assert parse(fields) == command


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "command"),
        ({"command": 7}, "command"),
        ({"command": "explode"}, "command"),
        ({"command": "clock"}, "action"),
        ({"command": "clock", "action": "rewind"}, "action"),
        ({"command": "clock", "action": "speed"}, "speed"),
        ({"command": "clock", "action": "speed", "speed": 17}, "speed"),
        ({"command": "clock", "action": "speed", "speed": True}, "speed"),
        ({"command": "clock", "action": "speed", "speed": "fast"}, "speed"),
        ({"command": "clock", "action": "pause", "speed": 2}, "speed"),
        ({"command": "reset", "seed": 2}, "seed"),
        ({"command": "fork", "at_us": 1, "journal_offset": 1}, "journal_offset"),
        ({"command": "fork", "at_us": -1}, "at_us"),
        ({"command": "fork", "at_us": 1.5}, "at_us"),
    ],
)
def test_a_malformed_command_is_refused_with_its_field(fields: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidCommand) as refused:
        parse(fields)
    assert refused.value.fields["field"] == field
    assert refused.value.remedy


def test_an_unknown_command_is_answered_with_the_known_ones() -> None:
    with pytest.raises(InvalidCommand) as refused:
        parse({"command": "explode"})
    for name in ("produce", "crash_consumer", "clock", "reset", "fork"):
        assert name in refused.value.remedy
