"""The target of a room's commands, whether they come from a person or from the command log in a replay."""

from engine import commands as engine_commands
from engine.cluster.cluster import Cluster
from engine.journal.journal import Journal
from engine.scenarios import build
from webapp.room.commands import (
    ChangeSpeed,
    Command,
    ForkAtOffset,
    ForkAtTime,
    ForkNow,
    Pause,
    Reset,
    Resume,
    Step,
    Toggle,
)
from webapp.room.folders import RoomFolders
from webapp.room.pace import Pace
from webapp.room.record import RoomRecord, Start


class Timeline:
    """A cluster, the journal it writes and the pace of its time, from the scenario's first state on.

    The same record and the same commands at the same virtual times give the same journal, byte for byte. Raises
    ``UnknownScenario``.
    """

    def __init__(self, record: RoomRecord, folders: RoomFolders, *, wall_us: int) -> None:
        self.record = record
        self.journal = Journal.open(folders.journal)
        self.folders = folders
        try:
            self.cluster = self._built(start_us=0, cause="start")
        except BaseException:
            self.journal.close()
            raise
        self.pace = first_pace(record.start, self.cluster.now_us, wall_us)

    def run_until(self, at_us: int) -> None:
        """Advance virtual time to ``at_us`` and do everything that is due by then."""
        if at_us >= self.cluster.now_us:
            self.cluster.run_until(at_us)

    def apply(self, command: Command) -> None:
        """Apply a command at the present; a typed error means that nothing was changed."""
        pace = self.pace.anchored(self.cluster.now_us, self.pace.wall_us)
        match command:
            case Pause():
                self.pace = pace.pause()
            case Resume():
                self.pace = pace.resume()
            case Toggle():
                self.pace = pace.toggle()
            case ChangeSpeed(speed):
                self.pace = pace.at_speed(speed)
            case Step():
                self.pace = pace.step().anchored(self.cluster.step(), pace.wall_us)
            case Reset():
                self._reset()
                self.pace = pace.stand()
            case ForkAtOffset() | ForkAtTime() | ForkNow():
                raise AssertionError("a fork changes nothing here: it makes another room")
            case _:
                engine_commands.apply(self.cluster, command)
                self.pace = pace.begin()

    def close(self) -> None:
        """Close the files, complete."""
        try:
            self.cluster.close()
        finally:
            self.journal.close()

    def abandon(self) -> None:
        """Close the files without publishing anything more."""
        self.journal.abandon()
        self.cluster.close()

    def _reset(self) -> None:
        now_us = self.cluster.now_us
        self.cluster.close()
        self.cluster = self._built(start_us=now_us, cause="reset")

    def _built(self, *, start_us: int, cause: str) -> Cluster:
        return build(
            self.record.scenario,
            directory=self.folders.cluster,
            seed=self.record.seed,
            journal=self.journal,
            start_us=start_us,
            cause=cause,
        )


def first_pace(start: Start, now_us: int, wall_us: int) -> Pace:
    """Return the pace of a room that was just made."""
    return Pace(now_us, wall_us, paused=start == "paused", standing=start == "standing")
