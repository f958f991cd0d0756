"""When a room that the machine failed is tried again."""

from dataclasses import dataclass

from engine.config import SECOND_US
from engine.errors import MachineFault, OffsetscopeError, StorageFailed
from webapp.errors import CommandUnsettled, RoomSuspended

MACHINE_FAULTS = (MachineFault, StorageFailed)
"""What is nobody's fault but the machine's, and passes: the journal and the command log know no simulated disk."""
FIRST_PAUSE_S = 1
LONGEST_PAUSE_S = 60
REMEDY = "wait: the room goes on by itself once the machine has what it lacks; nothing of it is lost"


@dataclass(frozen=True, slots=True)
class Suspension:
    """Why a room is suspended, and from when on (by the rooms' wall clock) it may be restored."""

    reason: str
    pause_s: int
    retry_at_us: int

    @classmethod
    def first(cls, fault: OffsetscopeError, now_us: int) -> "Suspension":
        """After a room has worked."""
        return cls(fault.message, FIRST_PAUSE_S, now_us + FIRST_PAUSE_S * SECOND_US)

    def next(self, fault: OffsetscopeError, now_us: int) -> "Suspension":
        """After another try to restore it; each pause is twice as long as the one before."""
        pause_s = min(2 * self.pause_s, LONGEST_PAUSE_S)
        return Suspension(fault.message, pause_s, now_us + pause_s * SECOND_US)

    def error(self, room: str, now_us: int) -> RoomSuspended:
        """What everybody is told who asks for the room."""
        retry_after_s = max(1, -(-(self.retry_at_us - now_us) // SECOND_US))
        return RoomSuspended(f"the room stands still: {self.reason}", REMEDY, room=room, retry_after_s=retry_after_s)

    def unsettled(self, room: str) -> CommandUnsettled:
        """What those are told whose command was being logged or applied."""
        return CommandUnsettled(
            f"the command was logged, or may have been, and will be applied then: {self.reason}",
            "look at the room once it goes on, before you send the command again",
            room=room,
            retry_after_s=self.pause_s,
        )
