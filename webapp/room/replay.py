"""Replay of a room from its seed and its commands, in small slices that leave the processor to other threads.

A running engine cannot be copied (its conversations are generators), so a fork or a restore takes about as long as the
engine first needed: some seconds for an hour of virtual time.
"""

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, pairwise

from engine.commands.fields import NAME_CHARACTERS, shown
from engine.config import NEVER_US, SECOND_US
from engine.errors import OffsetscopeError
from webapp.errors import RoomDamaged
from webapp.room.command_log import DAMAGE_REMEDY, LoggedCommand
from webapp.room.commands import Command, parse
from webapp.room.past_points import PastPoint
from webapp.room.timeline import Timeline

BITE_S = 0.001
"""About how long the replay keeps the interpreter from other threads at a time."""
REST_S = 0.000_2
FIRST_BITE_US = SECOND_US // 10
LEAST_BITE_US = SECOND_US // 1_000
LARGEST_BITE_US = 10 * SECOND_US

LONG_TEXTS = ("key", "value")
END_OF_TIME = LoggedCommand(NEVER_US, {})

logger = logging.getLogger(__name__)


def _nothing() -> None:
    pass


class Repetition:
    """A replay in small bites of virtual time, with rests in between for other threads.

    The bites' sizes do not change the result. ``after_bite`` is called after each bite; if it raises, the replay ends.
    ``now_s`` is a monotonic clock.
    """

    def __init__(
        self,
        timeline: Timeline,
        *,
        after_bite: Callable[[], None] = _nothing,
        now_s: Callable[[], float] = time.monotonic,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        self._timeline = timeline
        self._after_bite = after_bite
        self._now_s = now_s
        self._rest = rest
        self._bite_us = FIRST_BITE_US
        self._rested_at_s = now_s()

    def run_until(self, at_us: int) -> None:
        """Advance virtual time to ``at_us``; events are published on the way, not held in memory."""
        timeline = self._timeline
        while timeline.cluster.now_us < at_us:
            begin_s = self._now_s()
            timeline.run_until(min(timeline.cluster.now_us + self._bite_us, at_us))
            timeline.cluster.publish()
            self._fit(self._now_s() - begin_s)
            self._after_bite()
            self._let_others_go_first()
        timeline.run_until(at_us)

    def repeat(self, logged: LoggedCommand) -> None:
        """Apply a command at its logged virtual time; a command that was refused is refused again.

        Raises ``RoomDamaged`` for a command that this version cannot parse, or that fails in another way: without it
        the replay would differ. A command that former versions logged but could not apply either is refused again, and
        the server's log names it. Raises :class:`~engine.errors.MachineFault`.
        """
        self.run_until(logged.at_us)
        room = self._timeline.record.room
        try:
            command = parse(logged.fields)
        except OffsetscopeError as error:
            if not _was_never_applied(logged):
                raise _not_repeatable(logged, f"this version cannot read it ({error.message})") from error
            logger.warning("room %s: the command %s is refused again: %s", room, _place_of(logged), error)
        else:
            self._apply(logged, command)
        self._let_others_go_first()

    def repeat_until(self, commands: Iterable[LoggedCommand], point: PastPoint) -> Iterator[LoggedCommand]:
        """Replay the commands that had been applied at ``point`` and yield each; in the end it is ``point.at_us``.

        An instant is not divided, except between commands: all other events of ``at_us`` are included.
        """
        for logged, following in pairwise(chain(commands, [END_OF_TIME])):
            if logged.at_us > point.at_us:
                break
            if _is_step(logged) and following.at_us > point.at_us:
                break  # a step may lead past the point, and only lets time pass
            self.run_until(logged.at_us)
            if logged.at_us == point.at_us and self._timeline.journal.next_offset >= point.journal_offset:
                break
            self.repeat(logged)
            yield logged
        self.run_until(point.at_us)

    def _apply(self, logged: LoggedCommand, command: Command) -> None:
        """Apply as the room did: a refusal changes nothing, and a fault of the machine is raised."""
        room = self._timeline.record.room
        try:
            self._timeline.apply(command)
        except OffsetscopeError as error:
            if not error.definite:
                raise
            logger.debug("room %s refuses the command %s again: %s", room, _place_of(logged), error)
        except (OSError, MemoryError):
            raise
        except Exception as error:
            logger.exception("room %s: the command %s cannot be applied", room, _place_of(logged))
            raise _not_repeatable(logged, f"applying it fails ({type(error).__name__})") from error

    def _fit(self, took_s: float) -> None:
        """Halve or double the next bite if this one took much longer or shorter than it should."""
        if took_s > 2 * BITE_S:
            self._bite_us = max(self._bite_us // 2, LEAST_BITE_US)
        elif took_s < BITE_S / 2:
            self._bite_us = min(self._bite_us * 2, LARGEST_BITE_US)

    def _let_others_go_first(self) -> None:
        if self._now_s() - self._rested_at_s >= BITE_S:
            self._rest(REST_S)
            self._rested_at_s = self._now_s()


def _place_of(logged: LoggedCommand) -> str:
    """Describe a command for people: its name, its offset in the command log, and its virtual time."""
    return f"{shown(logged.fields.get('command'))} at offset {logged.offset} ({logged.at_us / SECOND_US:.3f} s)"


def _not_repeatable(logged: LoggedCommand, reason: str) -> RoomDamaged:
    """Return the error for a logged command that cannot be replayed."""
    return RoomDamaged(
        f"the room's command {_place_of(logged)} cannot be replayed: {reason}",
        DAMAGE_REMEDY,
        offset=logged.offset,
        at_us=logged.at_us,
        command=shown(logged.fields.get("command")).strip("'"),
    )


def _was_never_applied(logged: LoggedCommand) -> bool:
    """Return whether the command has a text no version can use: longer than any name, or not encodable in UTF-8."""
    for name, value in logged.fields.items():
        if name not in LONG_TEXTS and isinstance(value, str) and len(value) > NAME_CHARACTERS:
            return True
    try:
        json.dumps(dict(logged.fields), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _is_step(logged: LoggedCommand) -> bool:
    return (logged.fields.get("command"), logged.fields.get("action")) == ("clock", "step")
