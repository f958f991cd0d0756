"""Suspension of a room after a fault of the machine, and when its restore is tried again."""

from dataclasses import dataclass

from engine.config import SECOND_US
from engine.errors import MachineFault, OffsetscopeError, StorageFailed
from webapp.errors import CommandUnsettled, RoomSuspended

MACHINE_FAULTS = (MachineFault, StorageFailed)
"""Faults of the real machine, which pass: the journal and the command log use no simulated disk."""
FIRST_PAUSE_S = 1
LONGEST_PAUSE_S = 60
REMEDY = "wait: the room continues by itself once the machine has recovered; nothing of it is lost"


@dataclass(frozen=True, slots=True)
class Suspension:
    """The reason for a suspension, and the earliest time of the next restore, by the rooms' wall clock."""

    reason: str
    pause_s: int
    retry_at_us: int

    @classmethod
    def first(cls, fault: OffsetscopeError, now_us: int) -> "Suspension":
        """Return the suspension of a room that was working."""
        return cls(fault.message, FIRST_PAUSE_S, now_us + FIRST_PAUSE_S * SECOND_US)

    def next(self, fault: OffsetscopeError, now_us: int) -> "Suspension":
        """Return the suspension after another failed restore; each pause is twice as long as the one before."""
        pause_s = min(2 * self.pause_s, LONGEST_PAUSE_S)
        return Suspension(fault.message, pause_s, now_us + pause_s * SECOND_US)

    def error(self, room: str, now_us: int) -> RoomSuspended:
        """Return the error for every request to the room."""
        retry_after_s = max(1, -(-(self.retry_at_us - now_us) // SECOND_US))
        return RoomSuspended(f"the room is suspended: {self.reason}", REMEDY, room=room, retry_after_s=retry_after_s)

    def unsettled(self, room: str) -> CommandUnsettled:
        """Return the error for a command that was being logged or applied."""
        return CommandUnsettled(
            f"the command may have been logged, and will then be applied: {self.reason}",
            "look at the room once it continues, before you send the command again",
            room=room,
            retry_after_s=self.pause_s,
        )
