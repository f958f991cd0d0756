"""Living a room's life again, from its seed and its commands, beside everybody else who wants the processor.

The engine cannot be copied in the middle of its life (its conversations are generators), so a fork and a restored room
take about as long as the engine once did: some seconds for an hour.
"""

import logging
import time
from collections.abc import Callable, Sequence

from engine.config import NEVER_US, SECOND_US
from engine.errors import OffsetscopeError
from webapp.command_log import LoggedCommand
from webapp.past_points import PastPoint
from webapp.room_commands import Step, parse
from webapp.timeline import Timeline

BITE_S = 0.001
"""So long the interpreter is kept from others at a stretch, about."""
REST_S = 0.000_2
FIRST_BITE_US = SECOND_US // 10
LEAST_BITE_US = SECOND_US // 1_000
LARGEST_BITE_US = 10 * SECOND_US

END_OF_TIME = LoggedCommand(NEVER_US, {})

logger = logging.getLogger(__name__)


def _nothing() -> None:
    pass


class Repetition:
    """A life that is lived again in small bites of virtual time, with rests in which others have their turn.

    How the life is cut changes nothing of it. ``after_bite`` is called after each; if it raises, that is the end of
    it. ``now_s`` is a monotonic clock.
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
        """Let virtual time reach ``at_us``; what was journaled is published on the way, not held in memory."""
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
        """Apply a command at the virtual time at which it was applied before; what was refused is refused again."""
        self.run_until(logged.at_us)
        try:
            self._timeline.apply(parse(logged.fields))
        except OffsetscopeError as error:
            logger.debug("room %s refuses %s again: %s", self._timeline.record.room, logged.fields, error)
        self._let_others_go_first()

    def repeat_until(self, commands: Sequence[LoggedCommand], point: PastPoint) -> list[LoggedCommand]:
        """Repeat the commands that had been applied at ``point`` and return them; time is then ``point.at_us``.

        An instant is not divided, except between commands: what happened at ``at_us`` by itself has all happened.
        """
        repeated: list[LoggedCommand] = []
        for logged, following in zip(commands, [*commands[1:], END_OF_TIME], strict=False):
            if logged.at_us > point.at_us:
                break
            if isinstance(parse(logged.fields), Step) and following.at_us > point.at_us:
                break  # it may lead beyond the point, and does nothing but let time pass
            self.run_until(logged.at_us)
            if logged.at_us == point.at_us and self._timeline.journal.next_offset >= point.journal_offset:
                break
            self.repeat(logged)
            repeated.append(logged)
        self.run_until(point.at_us)
        return repeated

    def _fit(self, took_s: float) -> None:
        """The next bite is smaller or larger, if this one took much more or less than it should."""
        if took_s > 2 * BITE_S:
            self._bite_us = max(self._bite_us // 2, LEAST_BITE_US)
        elif took_s < BITE_S / 2:
            self._bite_us = min(self._bite_us * 2, LARGEST_BITE_US)

    def _let_others_go_first(self) -> None:
        if self._now_s() - self._rested_at_s >= BITE_S:
            self._rest(REST_S)
            self._rested_at_s = self._now_s()
