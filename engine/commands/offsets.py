"""The commands on committed offsets (bookmarks on the page): move one, or commit now."""

from dataclasses import dataclass

from engine.cluster.cluster import Cluster
from engine.commands.consumers import ANY_GROUP, find_consumer, require_not_frozen
from engine.commands.fields import Fields
from engine.commands.offset_check import check_offset
from engine.commands.producing import MOST_PARTITIONS, ONLY_TOPIC, topic_named
from engine.config import SECOND_US
from engine.errors import InvalidCommand
from engine.ids import GroupId, TopicPartition

WORDS = ("earliest", "latest")
PLACES = ("offset", "time_us", "time_s")
LATEST_S = 999_999
EVERY_CONSUMER = ""


@dataclass(frozen=True, slots=True)
class Seek:
    """Move a group's committed offset in one partition to the start of a message, from which it then continues.

    ``where`` is an offset in bytes, ``earliest``, ``latest``, or the newest offset known before a virtual time.
    """

    group: str
    topic: str
    partition: int
    where: int | str
    time_us: int

    @staticmethod
    def parse(fields: Fields) -> "Seek":
        """``group``, ``partition`` and one of ``offset`` (a number or a word), ``time_us`` and ``time_s``."""
        group = fields.text("group")
        topic = fields.text("topic", ONLY_TOPIC)
        partition = fields.integer("partition", 0, MOST_PARTITIONS - 1)
        given = [name for name in PLACES if fields.has(name)]
        if len(given) > 1:
            raise fields.fault(given[0], f"does not go with {given[1]}", "give one of the two")
        if "time_us" in given:
            return Seek(group, topic, partition, "time", fields.integer("time_us", 0, 2**62))
        if "time_s" in given:
            time_us = round(fields.number("time_s", 0, LATEST_S) * SECOND_US)
            return Seek(group, topic, partition, "time", time_us)
        if fields.has("offset") and fields.raw("offset") in WORDS:
            return Seek(group, topic, partition, str(fields.raw("offset")), 0)
        return Seek(group, topic, partition, fields.integer("offset", 0, 2**62), 0)

    def apply(self, cluster: Cluster) -> None:
        """The offset must be a flushed message's start or the flushed log's end; an owner must not be frozen."""
        state = cluster.state
        group = state.group(self.group)
        topic = self.topic if self.topic != ONLY_TOPIC else group.topics[0]
        partition = state.partition(topic_named(cluster, topic), self.partition)
        if topic not in group.topics:
            raise InvalidCommand(
                f"group {self.group!r} does not read {topic}", "it reads " + ", ".join(group.topics), field="topic"
            )
        offset = self._offset(cluster, partition)
        name = state.owner_of(GroupId(self.group), partition)
        if name in group.consumers:
            require_not_frozen(cluster, group.consumers[name])
        cluster.seek(GroupId(self.group), partition, offset)

    def _offset(self, cluster: Cluster, partition: TopicPartition) -> int:
        log = cluster.state.broker_of(partition).logs[partition]
        if isinstance(self.where, int):
            check_offset(cluster, partition, self.where)
            return self.where
        if self.where == "latest":
            return log.flushed_offset
        if self.where == "earliest":
            return log.first_offset
        before = log.offsets_before(self.time_us, 1)
        return before[0] if before else log.first_offset


@dataclass(frozen=True, slots=True)
class Commit:
    """Commit consumed positions now: of one consumer, or of every consumer of a group."""

    group: str
    consumer: str

    @staticmethod
    def parse(fields: Fields) -> "Commit":
        """``group``, ``consumer``, or both."""
        group, consumer = fields.text("group", ANY_GROUP), fields.text("consumer", EVERY_CONSUMER)
        if not group and not consumer:
            raise fields.fault("group", "is missing", "give a group, a consumer, or both")
        return Commit(group, consumer)

    def apply(self, cluster: Cluster) -> None:
        """Positions that the registry has already are not sent again; frozen consumers send none."""
        if self.consumer != EVERY_CONSUMER:
            require_not_frozen(cluster, find_consumer(cluster, self.group, self.consumer)).commit()
            return
        for consumer in cluster.state.group(self.group).consumers.values():
            if consumer.frozen_until_us <= cluster.now_us:
                consumer.commit()
