"""The mapping of wall time to virtual time: speed, pause, and rooms that are paused until the first act.

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
    """A room's time as readers see it; ``paused`` is true whenever time does not run.

    ``full``: time is paused because the room's files may not grow any more. ``damage``: the room is read-only, and this
    says which part of it cannot be read.
    """

    now_us: int
    speed: float
    paused: bool
    standing: bool
    full: bool = False
    damage: str = ""

    @property
    def look(self) -> tuple[float, bool, bool, bool]:
        """Return the facts that do not change as time passes."""
        return self.speed, self.paused, self.standing, self.full

    def as_json(self) -> dict[str, int | float | bool | str]:
        """The public shape, ``{"now_us", "speed", "paused", "standing"}``, and ``"full"`` and ``"damage"`` if true."""
        facts: dict[str, int | float | bool | str] = {
            "now_us": self.now_us,
            "speed": self.speed,
            "paused": self.paused,
            "standing": self.standing,
        }
        if self.full:
            facts["full"] = True
        if self.damage:
            facts["damage"] = self.damage
        return facts


@dataclass(frozen=True, slots=True)
class Pace:
    """A virtual time, the wall time at which it was reached, and the speed from there on.

    ``standing`` is a room in which nobody has acted yet: its time begins with the first act. A value: each change
    returns a new pace, valid from the anchor ``(now_us, wall_us)`` on.
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
        """Return the virtual time at ``wall_us``.

        At most a quarter of a second of wall time counts: after a longer gap (the room was idle, the machine slept, the
        engine could not keep up) virtual time continues from where it was instead of jumping.
        """
        if not self.is_running:
            return self.now_us
        elapsed_us = min(max(wall_us - self.wall_us, 0), LONGEST_SLICE_US)
        return self.now_us + int(elapsed_us * self.speed)

    def wall_us_at(self, at_us: int) -> int:
        """Return the wall time at which a virtual time is reached; ``NEVER_US`` while time is paused."""
        if not self.is_running:
            return NEVER_US
        return self.wall_us + math.ceil(max(at_us - self.now_us, 0) / self.speed)

    def anchored(self, now_us: int, wall_us: int) -> "Pace":
        """Return the same pace, anchored at virtual time ``now_us`` and ``wall_us``."""
        return replace(self, now_us=now_us, wall_us=wall_us)

    def pause(self) -> "Pace":
        """Stop time. A standing room is stopped already, and still begins with the first act."""
        return self if self.standing else replace(self, paused=True)

    def resume(self) -> "Pace":
        """Let time run, for the first time or again."""
        return replace(self, paused=False, standing=False)

    def toggle(self) -> "Pace":
        """Pause a running room, resume a paused one."""
        return self.pause() if self.is_running else self.resume()

    def step(self) -> "Pace":
        """Stop time after a single step, whether it ran before or not."""
        return replace(self, paused=True, standing=False)

    def begin(self) -> "Pace":
        """Record an act: a standing room begins to run, any other stays as it was."""
        return replace(self, standing=False)

    def stand(self) -> "Pace":
        """Stop until the first act, as in a new room, at the chosen speed."""
        return replace(self, paused=False, standing=True)

    def at_speed(self, speed: float) -> "Pace":
        """Run at ``speed`` virtual seconds a second, which must be one of :func:`is_speed`."""
        assert is_speed(speed), speed
        return replace(self, speed=speed)

    def facts(self) -> ClockFacts:
        """Return the facts for readers."""
        return ClockFacts(self.now_us, self.speed, not self.is_running, self.standing)


def is_speed(speed: float) -> bool:
    """Return whether a room may run at this speed."""
    return math.isfinite(speed) and SPEED_AT_LEAST <= speed <= SPEED_AT_MOST
