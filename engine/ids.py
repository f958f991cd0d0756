"""The names of things: brokers, partitions, groups, consumers.

All are values: frozen, ordered, hashable. Names that users choose are checked once on entry, by
:func:`checked_topic` or :func:`checked_label`, and are trusted everywhere below.
"""

import re
from dataclasses import dataclass
from typing import NamedTuple, NewType

from engine.errors import InvalidName

BrokerId = NewType("BrokerId", int)
GroupId = NewType("GroupId", str)

TOPIC_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
TOPIC_MAX_CHARACTERS = 80
LABEL_MAX_CHARACTERS = 60


class TopicPartition(NamedTuple):
    """One partition of a topic. Numbers are topic-wide: p0 may be on broker 1 and p1 on broker 2.

    It is a named tuple because it is the key of most tables and is hashed several times for each message.
    """

    topic: str
    partition: int

    def __str__(self) -> str:
        """The directory name, ``<topic>-<partition>`` (0.7: Log directories)."""
        return f"{self.topic}-{self.partition}"

    @staticmethod
    def parse(text: str) -> "TopicPartition":
        """Split at the *last* dash, as 0.7 does: a topic may contain dashes itself."""
        topic, _, partition = text.rpartition("-")
        if not topic or not partition.isdecimal():
            raise InvalidName(
                f"'{text}' names no partition", "write it as <topic>-<number>, as in pageviews-0", name=text
            )
        return TopicPartition(topic, int(partition))


@dataclass(frozen=True, order=True, slots=True)
class ConsumerId:
    """One member of a consumer group; the name is unique inside its group."""

    group: GroupId
    name: str

    def __str__(self) -> str:
        return f"{self.group}/{self.name}"


def checked_topic(name: str) -> str:
    """Return ``name`` if it can be a directory and a registry node; raise :class:`InvalidName` if not."""
    if len(name) > TOPIC_MAX_CHARACTERS or not TOPIC_PATTERN.fullmatch(name):
        raise InvalidName(
            f"'{name[:TOPIC_MAX_CHARACTERS]}' cannot be a topic",
            f"use 1 to {TOPIC_MAX_CHARACTERS} letters, digits, dots, dashes or underscores, "
            "starting with a letter or digit",
            name=name[:TOPIC_MAX_CHARACTERS],
        )
    return name


def checked_label(name: str, what: str) -> str:
    """Return ``name`` if it can be a registry node; ``what`` (group, consumer) is used in the error."""
    if not 1 <= len(name) <= LABEL_MAX_CHARACTERS or "/" in name or not name.isprintable() or name != name.strip():
        raise InvalidName(
            f"'{name[:LABEL_MAX_CHARACTERS]}' cannot be a {what}",
            f"use 1 to {LABEL_MAX_CHARACTERS} printable characters without '/', no blanks at the ends",
            name=name[:LABEL_MAX_CHARACTERS],
        )
    return name
