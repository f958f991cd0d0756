"""The notable events of a journal, indexed for the marks on a time bar."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

MERGED_WITHIN_US: Final = 5_000_000
LONGEST_MERGE_US: Final = 3_600_000_000
MOMENTS_AT_MOST: Final = 2_000

# Name of the event -> its subject: a prefix, and the fields that form the name after it.
_SUBJECTS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "checkpoint": ("", ()),
    "topic_added": ("topic", ("topic",)),
    "broker_added": ("broker", ("broker",)),
    "broker_stopped": ("broker", ("broker",)),
    "broker_crashed": ("broker", ("broker",)),
    "broker_started": ("broker", ("broker",)),
    "disk_changed": ("broker", ("broker",)),
    "link_changed": ("link", ("one", "other")),
    "log_cut": ("partition", ("topic", "partition")),
    "byte_flipped": ("partition", ("topic", "partition")),
    "segment_deleted": ("partition", ("topic", "partition")),
    "batch_lost": ("partition", ("topic", "partition")),
    "group_added": ("group", ("group",)),
    "rebalance_started": ("group", ("group",)),
    "consumer_added": ("consumer", ("group", "consumer")),
    "consumer_closed": ("consumer", ("group", "consumer")),
    "consumer_crashed": ("consumer", ("group", "consumer")),
    "consumer_frozen": ("consumer", ("group", "consumer")),
    "rebalance_failed": ("consumer", ("group", "consumer")),
    "message_rejected": ("consumer", ("group", "consumer")),
    "offset_reset": ("consumer", ("group", "consumer")),
    "offset_sought": ("group", ("group",)),
    "session_expired": ("client", ("client",)),
    "loader_crashed": ("loader", ("loader",)),
    "load_stuck": ("loader", ("loader",)),
}
_NAMES: Final = frozenset(name.encode() for name in _SUBJECTS)
_NAME_BEGINS: Final = len(b'{"event":"')
_BEGINNINGS: Final = ("start", "reset", "fork")

KINDS: Final = tuple(name for name in _SUBJECTS if name != "checkpoint") + _BEGINNINGS
"""The kinds of moments: names of events, and the causes of the checkpoints that begin a history."""


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """One mark: the event ``kind`` about ``subject``, or several of them close together.

    ``offset`` and ``at_us`` are the first event's, ``last_offset`` and ``last_at_us`` the last one's.
    """

    kind: str
    subject: str
    offset: int
    at_us: int
    last_offset: int
    last_at_us: int
    count: int = 1

    def merged(self, later: "TimelineMark") -> "TimelineMark":
        """Both as one mark."""
        return replace(self, last_offset=later.last_offset, last_at_us=later.last_at_us, count=self.count + later.count)

    def as_json(self) -> dict[str, Any]:
        """The public shape (docs/api.md)."""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "offset": self.offset,
            "at_us": self.at_us,
            "last_offset": self.last_offset,
            "last_at_us": self.last_at_us,
            "count": self.count,
        }


class TimelineMarks:
    """The marks of one journal, oldest first, never more than a fixed number of them.

    A mark within a few seconds of one of the same kind and subject is merged into it. When there are still too many
    marks, that interval is doubled, up to an hour; after that the oldest marks are dropped.
    """

    def __init__(self, *, at_most: int = MOMENTS_AT_MOST) -> None:
        self._at_most = at_most
        self._merged_within_us = MERGED_WITHIN_US
        self._moments: list[TimelineMark] = []
        self._newest: dict[tuple[str, str], int] = {}

    def note(self, offset: int, payload: bytes) -> None:
        """Mark the event at ``offset`` if it is notable."""
        name = payload[_NAME_BEGINS : payload.find(b'"', _NAME_BEGINS)]
        if name not in _NAMES:
            return
        if name == b"checkpoint" and b'"cause":"periodic"' in payload[:80]:
            return
        event = json.loads(payload)
        kind = event["cause"] if name == b"checkpoint" else event["event"]
        moment = TimelineMark(kind, _subject(event), offset, event["at_us"], offset, event["at_us"])
        self._add(moment)
        if len(self._moments) > self._at_most:
            self._thin_out()

    def since(self, offset: int, end_offset: int) -> list[TimelineMark]:
        """Return the marks with an event in ``offset..end_offset``."""
        return [one for one in self._moments if one.last_offset >= offset and one.offset < end_offset]

    def _add(self, moment: TimelineMark) -> None:
        key = moment.kind, moment.subject
        index = self._newest.get(key, -1)
        is_beginning = moment.kind in _BEGINNINGS
        if index >= 0 and not is_beginning and moment.at_us - self._moments[index].last_at_us <= self._merged_within_us:
            self._moments[index] = self._moments[index].merged(moment)
            return
        self._newest[key] = len(self._moments)
        self._moments.append(moment)

    def _thin_out(self) -> None:
        while len(self._moments) > self._at_most // 2 and self._merged_within_us < LONGEST_MERGE_US:
            self._merged_within_us *= 2
            self._list_again(self._moments)
        self._list_again(self._moments[-self._at_most :])

    def _list_again(self, moments: Sequence[TimelineMark]) -> None:
        self._moments, self._newest = [], {}
        for moment in moments:
            self._add(moment)


def _subject(event: Mapping[str, Any]) -> str:
    prefix, names = _SUBJECTS[event["event"]]
    if prefix == "client":
        return str(event["client"])
    if prefix == "link":
        return " | ".join(str(event[name]) for name in names)
    separator = "-" if prefix == "partition" else "/"
    return f"{prefix}:{separator.join(str(event[name]) for name in names)}" if prefix else ""
