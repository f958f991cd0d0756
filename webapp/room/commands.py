"""The commands on a room as a whole: its clock, a reset, a fork. All other commands are the engine's.

``parse`` turns the fields of any command, a room's or the engine's, into its frozen value.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from engine import commands as engine_commands
from engine.commands.fields import Fields, shown
from engine.errors import InvalidCommand
from webapp.room.pace import SPEED_AT_LEAST, SPEED_AT_MOST


@dataclass(frozen=True, slots=True)
class Pause:
    """``clock`` ``pause``: virtual time stops."""


@dataclass(frozen=True, slots=True)
class Resume:
    """``clock`` ``resume``: virtual time runs."""


@dataclass(frozen=True, slots=True)
class Toggle:
    """``clock`` ``toggle``: pause a running room, resume a paused one."""


@dataclass(frozen=True, slots=True)
class Step:
    """``clock`` ``step``: advance to the next instant at which something happens, and stop there."""


@dataclass(frozen=True, slots=True)
class ChangeSpeed:
    """``clock`` ``speed``: so many virtual seconds a second."""

    speed: float


@dataclass(frozen=True, slots=True)
class Reset:
    """``reset``: back to the scenario's first state, standing until the first act, in the same journal."""


@dataclass(frozen=True, slots=True)
class ForkAtOffset:
    """``fork`` with ``journal_offset``: a new room with the journal up to there.

    ``ticket`` is a name, chosen by the client, by which the fork's progress is found while it is made; "" for none.
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
    """Return the command in ``values``; raises :class:`InvalidCommand` or what the engine's parser raises."""
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
        raise fields.fault("ticket", "may only have letters, digits, - and _", "leave it out, or choose another")
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
