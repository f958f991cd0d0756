"""What the feed needs of a room: a journal to read, and the clock beside it."""

from typing import Protocol

from engine.journal.journal import JournalChunk
from webapp.answers import Moment
from webapp.digests import Digest


class Source(Protocol):
    """A journal that others write meanwhile; all methods may be called from any thread."""

    def moment(self) -> Moment:
        """The clock, the newest checkpoint and the end, as of now."""

    def read_journal(self, offset: int, max_bytes: int) -> JournalChunk:
        """Whole events from ``offset`` on, at most ``max_bytes`` of them; as ``Journal.read``."""

    def is_digested(self, offset: int) -> bool:
        """Whether a reader at ``offset`` who takes digests is told one; as ``DigestLog.covers``."""

    def digest_after(self, offset: int) -> Digest:
        """What such a reader is told; as ``DigestLog.after``."""
