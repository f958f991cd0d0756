"""How wall time becomes virtual time: speed, pause, and a room that stands still until somebody acts.

Pure: the wall clock is an argument (any monotonic clock, in microseconds).
"""

import math
from dataclasses import dataclass, replace

from engine.config import NEVER_US

SPEED_AT_LEAST = 0.1
SPEED_AT_MOST = 16.0
LONGEST_SLICE_US = 250_000


@dataclass(frozen=True, slots=True)
class ClockFacts:
    """What a reader is told about a room's time; ``paused`` is true whenever it does not run.

    ``full``: the room's files may not grow any more, and that is why it stands still.
    """

    now_us: int
    speed: float
    paused: bool
    standing: bool
    full: bool = False

    @property
    def look(self) -> tuple[float, bool, bool, bool]:
        """What does not change by itself."""
        return self.speed, self.paused, self.standing, self.full

    def as_json(self) -> dict[str, int | float | bool]:
        """The public shape, ``{"now_us", "speed", "paused", "standing"}``, and ``"full"`` where it is true."""
        facts = {"now_us": self.now_us, "speed": self.speed, "paused": self.paused, "standing": self.standing}
        return facts | {"full": True} if self.full else facts


@dataclass(frozen=True, slots=True)
class Pace:
    """Where virtual time is, when that was in wall time, and how fast it goes on from there.

    ``standing`` is a room nobody has acted in yet: its time begins with the first act. A value: each change is a
    new pace, and holds from the anchor ``(now_us, wall_us)`` on.
    """

    now_us: int
    wall_us: int
    speed: float = 1.0
    paused: bool = False
    standing: bool = False

    @property
    def is_running(self) -> bool:
        """Whether virtual time passes as wall time does."""
        return not self.paused and not self.standing

    def target_us(self, wall_us: int) -> int:
        """The virtual time that belongs to ``wall_us``.

        At most a quarter of a second of wall time counts: after a longer gap (the room slept, the machine did, the
        engine could not keep up) time goes on from where it was instead of leaping.
        """
        if not self.is_running:
            return self.now_us
        elapsed_us = min(max(wall_us - self.wall_us, 0), LONGEST_SLICE_US)
        return self.now_us + int(elapsed_us * self.speed)

    def wall_us_at(self, at_us: int) -> int:
        """The wall time at which a virtual time is reached; ``NEVER_US`` while time stands still."""
        if not self.is_running:
            return NEVER_US
        return self.wall_us + math.ceil(max(at_us - self.now_us, 0) / self.speed)

    def anchored(self, now_us: int, wall_us: int) -> "Pace":
        """The same pace once virtual time has reached ``now_us`` at ``wall_us``."""
        return replace(self, now_us=now_us, wall_us=wall_us)

    def pause(self) -> "Pace":
        """Time stops. A standing room stands already, and still begins with the first act."""
        return self if self.standing else replace(self, paused=True)

    def resume(self) -> "Pace":
        """Time runs, for the first time or again."""
        return replace(self, paused=False, standing=False)

    def toggle(self) -> "Pace":
        """Pause what runs, run what does not."""
        return self.pause() if self.is_running else self.resume()

    def step(self) -> "Pace":
        """After a single step time stops, whether it ran before or not."""
        return replace(self, paused=True, standing=False)

    def begin(self) -> "Pace":
        """Somebody acted: a standing room runs from here on, any other goes on as it was."""
        return replace(self, standing=False)

    def stand(self) -> "Pace":
        """As a new room: still until the first act, at the speed that was chosen."""
        return replace(self, paused=False, standing=True)

    def at_speed(self, speed: float) -> "Pace":
        """Run at ``speed`` virtual seconds a second, which must be one of :func:`is_speed`."""
        assert is_speed(speed), speed
        return replace(self, speed=speed)

    def facts(self) -> ClockFacts:
        """What readers are told."""
        return ClockFacts(self.now_us, self.speed, not self.is_running, self.standing)


def is_speed(speed: float) -> bool:
    """Whether a room may run at this speed."""
    return math.isfinite(speed) and SPEED_AT_LEAST <= speed <= SPEED_AT_MOST
