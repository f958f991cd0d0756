"""The message index: how many messages each batch holds and when it came, for a lag in messages and in time.

This is an observer, not a part of the system: a broker keeps no index and no count. It is the only thing in the engine
whose size grows with the number of batches (24 bytes each; the newest entries are kept whole).
"""

from array import array
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable, Sequence

from engine.message.format import MAX_OVERHEAD_BYTES, NO_CODEC, codec_of, iterate_lengths, read_header
from engine.message.message_set import check_set
from engine.storage.log import Appended

Read = Callable[[int, int], bytes]
RECENT_ENTRIES = 64
RecentEntry = tuple[int, int, int, str]
"""Offset, size, messages and preview of an entry."""


class MessageIndex:
    """The batches of one partition: the offset of each, how many messages came before it, when it was appended."""

    def __init__(self) -> None:
        self._offsets = array("q")
        self._before = array("q")
        self._appended_us = array("q")
        self._end_offset = 0
        self.messages = 0
        self.recent: deque[RecentEntry] = deque(maxlen=RECENT_ENTRIES)

    def note(self, appended: Appended, previews: Sequence[str], at_us: int) -> None:
        """Count a batch that was appended; one entry of several messages is a compressed set."""
        offset, self._end_offset, messages, sizes, _, _ = appended
        self._offsets.append(offset)
        self._before.append(self.messages)
        self._appended_us.append(at_us)
        self.messages += messages
        each = 1 if len(sizes) == messages else messages
        for size, preview in zip(sizes, previews, strict=True):
            self.recent.append((offset, size, each, preview))
            offset += size

    def cut(self, next_offset: int, read: Read) -> int:
        """Remove the messages at or beyond ``next_offset``, the new end of the log; return how many there were.

        The end may lie inside a batch: recovery keeps the whole messages before the first damaged one. Only that part
        is read. The count of a batch that stays whole is known, even if its bytes were damaged since.
        """
        was = self.messages
        while self._offsets and self._offsets[-1] >= next_offset:
            self._end_offset = self._offsets.pop()
            self._appended_us.pop()
            self.messages = self._before.pop()
        if self._offsets and next_offset < self._end_offset:
            start = self._offsets[-1]
            self.messages = self._before[-1] + messages_in(read(start, next_offset - start))
        self._end_offset = next_offset
        while self.recent and self.recent[-1][0] >= next_offset:
            self.recent.pop()
        return was - self.messages

    def forget(self, first_offset: int) -> int:
        """Remove the batches before ``first_offset``, which retention deleted; return how many messages they held.

        They were appended, so ``messages`` still counts them.
        """
        index = bisect_left(self._offsets, first_offset)
        was = self._before_first
        del self._offsets[:index]
        del self._before[:index]
        del self._appended_us[:index]
        while self.recent and self.recent[0][0] < first_offset:
            self.recent.popleft()
        return self._before_first - was

    @property
    def _before_first(self) -> int:
        """How many messages retention has deleted."""
        return self._before[0] if self._before else self.messages

    def before(self, offset: int, read: Read) -> int:
        """Return how many messages were ever appended below ``offset``, a message's start or the log's end.

        They are counted from the newest entries, or by reading one batch. Before the log's first offset, it is how many
        were deleted.
        """
        if self.recent and offset >= self.recent[0][0]:
            return self.messages - sum(entry[2] for entry in self.recent if entry[0] >= offset)
        index = bisect_right(self._offsets, offset) - 1
        if index < 0:
            return self._before_first
        start = self._offsets[index]
        return self._before[index] + messages_in(read(start, offset - start))

    @property
    def held(self) -> int:
        """How many messages the log holds: those that were appended, and neither truncated nor deleted."""
        return self.messages - self._before_first

    def appended_at_us(self, offset: int) -> int:
        """When the batch that holds ``offset`` was appended; for an offset before all batches, when the first was."""
        return self._appended_us[max(0, bisect_right(self._offsets, offset) - 1)]


def messages_in(data: bytes) -> int:
    """Return how many messages the entries of ``data`` hold, by their lengths; those in compressed sets count singly.

    A damaged plain message counts: it was appended, and its length is known. Raises
    :class:`~engine.errors.InvalidMessage` for a compressed set that cannot be opened.
    """
    return sum(_messages_of(data[start:end]) for start, end in iterate_lengths(data))


def _messages_of(entry: bytes) -> int:
    is_set = len(entry) >= MAX_OVERHEAD_BYTES and codec_of(read_header(entry)) != NO_CODEC
    return check_set(entry, len(entry)).messages if is_set else 1
