"""What a lag is told from: where bookmarks stand among messages, and how much work is done."""

from engine.values import value

NOTHING_WAITS_US = 0
"""In place of a time, where a bookmark stands at the end of its log."""


@value
class Bookmark:
    """Where a group's committed offset stands in a partition, and what that means in messages and in time.

    ``offset`` lies within the log: no less than its first offset, no more than its next one. ``messages_before`` is how
    many messages were ever appended below it, ``waiting_since_us`` when the one at it was appended.
    """

    offset: int
    messages_before: int
    waiting_since_us: int


@value
class Done:
    """What a group has pulled and worked through since the cluster began; what it did twice counts twice."""

    pulled_bytes: int = 0
    pulled_messages: int = 0
    consumed_bytes: int = 0
    consumed_messages: int = 0
