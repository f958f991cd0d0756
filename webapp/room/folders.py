"""The layout of a room's folder on disk."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RoomFolders:
    """The paths inside one room's folder."""

    room: Path

    @property
    def commands(self) -> Path:
        """The command log."""
        return self.room / "commands"

    @property
    def journal(self) -> Path:
        """The journal."""
        return self.room / "journal"

    @property
    def former_journal(self) -> Path:
        """The journal of the last run, while a restore compares the new one with it."""
        return self.room / "journal.former"

    @property
    def obsolete_journal(self) -> Path:
        """A former journal that has been compared and is being deleted."""
        return self.room / "journal.obsolete"

    @property
    def cluster(self) -> Path:
        """The brokers' logs."""
        return self.room / "cluster"
