"""What a person can do to a room as a whole: its clock, a reset, a fork. The rest is the engine's.

``parse`` takes the values of any command, a room's or the engine's, and gives the frozen value of it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine import commands as engine_commands
from engine.commands.fields import Fields, shown
from engine.errors import InvalidCommand
from webapp.pacing import SPEED_AT_LEAST, SPEED_AT_MOST


@dataclass(frozen=True, slots=True)
class Pause:
    """``clock`` ``pause``: virtual time stops."""


@dataclass(frozen=True, slots=True)
class Resume:
    """``clock`` ``resume``: virtual time runs."""


@dataclass(frozen=True, slots=True)
class Toggle:
    """``clock`` ``toggle``: pause what runs, run what does not."""


@dataclass(frozen=True, slots=True)
class Step:
    """``clock`` ``step``: on to the next instant at which something happens, and stop there."""


@dataclass(frozen=True, slots=True)
class ChangeSpeed:
    """``clock`` ``speed``: so many virtual seconds a second."""

    speed: float


@dataclass(frozen=True, slots=True)
class Reset:
    """``reset``: the scenario's first state again, standing, in the same journal."""


@dataclass(frozen=True, slots=True)
class ForkAtOffset:
    """``fork`` with ``journal_offset``: a new room that has seen the journal up to there.

    ``ticket`` is a name of one's own choice by which its progress can be found while it is made, "" for none.
    """

    journal_offset: int
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class ForkAtTime:
    """``fork`` with ``at_us``: a new room at that virtual time."""

    at_us: int
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class ForkNow:
    """``fork`` without a place: a new room at the present."""

    ticket: str = ""


ClockCommand = Pause | Resume | Toggle | Step | ChangeSpeed
ForkCommand = ForkAtOffset | ForkAtTime | ForkNow
Command = engine_commands.Command | ClockCommand | Reset | ForkCommand

ACTIONS: Mapping[str, type[Pause | Resume | Toggle | Step]] = {
    "pause": Pause,
    "resume": Resume,
    "toggle": Toggle,
    "step": Step,
}
LATEST_US = 2**62
TICKET = re.compile(r"[A-Za-z0-9_-]*")
TICKET_LONGEST = 64


def parse(values: Mapping[str, object]) -> Command:
    """The command that ``values`` spell; raises :class:`InvalidCommand` or what the engine's parser raises."""
    name = values.get("command")
    if isinstance(name, str) and name in PARSERS:
        fields = Fields(name, values)
        command = PARSERS[name](fields)
        fields.finish()
        return command
    if not isinstance(name, str) or name not in engine_commands.COMMANDS:
        known = ", ".join([*engine_commands.COMMANDS, *PARSERS])
        raise InvalidCommand(f"there is no command {shown(name)}", f"use one of: {known}", field="command")
    return engine_commands.parse_command(values)


def _parse_clock(fields: Fields) -> ClockCommand:
    action = fields.choice("action", [*ACTIONS, "speed"])
    if action == "speed":
        return ChangeSpeed(float(fields.number("speed", SPEED_AT_LEAST, SPEED_AT_MOST)))
    return ACTIONS[action]()


def _parse_reset(fields: Fields) -> Reset:
    return Reset()


def _parse_fork(fields: Fields) -> ForkCommand:
    if fields.has("journal_offset") and fields.has("at_us"):
        raise fields.fault("journal_offset", "and at_us both say where to fork", "give one of the two, or neither: now")
    ticket = fields.text("ticket", "", most=TICKET_LONGEST)
    if not TICKET.fullmatch(ticket):
        raise fields.fault("ticket", "may be of letters, digits, - and _ alone", "leave it out, or choose another")
    if fields.has("at_us"):
        return ForkAtTime(fields.integer("at_us", 0, LATEST_US), ticket)
    if fields.has("journal_offset"):
        return ForkAtOffset(fields.integer("journal_offset", 0, LATEST_US), ticket)
    return ForkNow(ticket)


PARSERS: Mapping[str, Callable[[Fields], ClockCommand | Reset | ForkCommand]] = {
    "clock": _parse_clock,
    "reset": _parse_reset,
    "fork": _parse_fork,
}
