"""The feed's interface to a room: a journal to read, and the clock beside it."""

from typing import Protocol

from engine.journal.journal import JournalChunk
from webapp.room.answers import Moment
from webapp.room.digests import Digest


class Source(Protocol):
    """A journal with concurrent writers; all methods may be called from any thread."""

    def moment(self) -> Moment:
        """Return the present clock, newest checkpoint and end."""

    def read_journal(self, offset: int, max_bytes: int) -> JournalChunk:
        """Return whole events from ``offset`` on, at most ``max_bytes`` of them; as ``Journal.read``."""

    def is_digested(self, offset: int) -> bool:
        """Return whether a reader at ``offset`` that takes digests gets one; as ``DigestLog.covers``."""

    def digest_after(self, offset: int) -> Digest:
        """Return the next digest for such a reader; as ``DigestLog.after``."""
