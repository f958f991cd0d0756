"""The values that a lag is computed from: committed offsets among messages, and work done."""

from engine.values import value

NOTHING_WAITS_US = 0
"""In place of a time, for a committed offset at the end of its log."""


@value
class CommittedPosition:
    """A group's committed offset in a partition, in bytes, in messages and in time.

    ``offset`` lies within the log: no less than its first offset, no more than its next one. ``messages_before`` is how
    many messages were ever appended below it, ``waiting_since_us`` when the message at it was appended (virtual time).
    """

    offset: int
    messages_before: int
    waiting_since_us: int


@value
class WorkDone:
    """What a group has fetched and consumed since the cluster began; what it did twice counts twice."""

    pulled_bytes: int = 0
    pulled_messages: int = 0
    consumed_bytes: int = 0
    consumed_messages: int = 0
