"""The commands on groups and their consumers."""

from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Self

from engine.cluster.cluster import Cluster
from engine.commands.fields import Fields
from engine.commands.producing import ONLY_TOPIC, topic_named
from engine.consumer.consumer import ENDED_STATES, Consumer
from engine.errors import InvalidCommand, NameTaken, WrongState
from engine.ids import ConsumerId, GroupId, checked_label

ANY_GROUP = ""
NEXT_FREE = ""
MOST_GROUPS = 16
MOST_CONSUMERS = 64
MOST_STREAMS = 16
AS_BEFORE = 0


CONSUMER_NUMBERS = {
    "poll_interval_ms": (0, 600_000),
    "fetch_bytes": (1, 10_000_000),
    "queued_chunks": (1, 100),
    "commit_interval_ms": (0, 600_000),
}
CONSUMER_CHOICES = {"position_moves": ("after", "before"), "offset_reset": ("smallest", "largest", "fail")}


@dataclass(frozen=True, slots=True)
class AddGroup:
    """Add a consumer group that reads a topic; it has no members yet."""

    group: str
    topic: str

    @staticmethod
    def parse(fields: Fields) -> "AddGroup":
        """``group`` and, if not the first, ``topic``."""
        return AddGroup(checked_label(fields.text("group"), "group"), fields.text("topic", ONLY_TOPIC))

    def apply(self, cluster: Cluster) -> None:
        """Add the group; its name must be free."""
        groups = cluster.state.groups
        if self.group in groups:
            raise NameTaken(f"group {self.group!r} exists", "choose another name", group=self.group)
        if len(groups) >= MOST_GROUPS:
            raise WrongState(f"there are {MOST_GROUPS} groups already", "use those", groups=len(groups))
        cluster.add_group(GroupId(self.group), (topic_named(cluster, self.topic),))


@dataclass(frozen=True, slots=True)
class AddConsumer:
    """Start a consumer in a group; one that has ended starts again under its name.

    With ``streams`` 0 it has as many streams as before, or one.
    """

    group: str
    consumer: str
    streams: int

    @staticmethod
    def parse(fields: Fields) -> "AddConsumer":
        """``group``; a name as ``consumer``, if not the next free one; ``streams``, if not one."""
        name = fields.text("consumer", NEXT_FREE)
        streams = fields.integer("streams", 1, MOST_STREAMS, AS_BEFORE)
        return AddConsumer(fields.text("group"), checked_label(name, "consumer") if name else name, streams)

    def apply(self, cluster: Cluster) -> None:
        """Start it with its former settings, or those of the group's first consumer; it must not be alive."""
        group = cluster.state.group(self.group)
        name = self.consumer or next_name(GroupId(self.group), list(group.consumers))
        known = group.consumers.get(name)
        if known is not None and known.state.name not in ENDED_STATES:
            raise NameTaken(f"{name!r} is alive", "choose another name", group=self.group, consumer=name)
        if len(group.consumers) >= MOST_CONSUMERS:
            raise WrongState(f"the group has {MOST_CONSUMERS} consumers", "remove ended ones first", group=self.group)
        model = known or next(iter(group.consumers.values()), None)
        settings = model.settings if model is not None else cluster.state.config.consumer
        streams = self.streams or (len(known.streams) if known is not None else 1)
        cluster.add_consumer(ConsumerId(GroupId(self.group), name), settings, streams)


def next_name(group: GroupId, names: list[str]) -> str:
    """Return the name after those of a group: Metrics A, B, C -> Metrics D; after Z come numbers."""
    prefix = names[0].rpartition(" ")[0] if names and " " in names[0] else str(group)
    letters = (f"{prefix} {letter}" for letter in ascii_uppercase)
    numbered = (f"{prefix} {number}" for number in range(27, 27 + MOST_CONSUMERS + 1))
    return next(name for name in (*letters, *numbered) if name not in names)


@dataclass(frozen=True, slots=True)
class ConsumerCommand:
    """A command about one consumer; its group may be left out where the name is unambiguous."""

    group: str
    consumer: str

    @classmethod
    def parse(cls, fields: Fields) -> Self:
        """``consumer``, and ``group`` where two groups have one of that name."""
        return cls(fields.text("group", ANY_GROUP), fields.text("consumer"))

    def find(self, cluster: Cluster) -> Consumer:
        """Find the consumer; raise :class:`UnknownGroup`, :class:`UnknownConsumer`, or if two have that name."""
        return find_consumer(cluster, self.group, self.consumer)

    def find_alive(self, cluster: Cluster) -> Consumer:
        """Find the consumer; raise :class:`WrongState` if it has ended or is closing."""
        consumer = self.find(cluster)
        if consumer.state.name in ENDED_STATES | {"closing"}:
            state = consumer.state.name
            raise WrongState(f"{self.consumer} is {state}", "start it again first", consumer=self.consumer, state=state)
        return consumer

    def find_not_frozen(self, cluster: Cluster) -> Consumer:
        """Find the consumer; raise :class:`WrongState` if it is not alive or frozen, so that it receives nothing."""
        return require_not_frozen(cluster, self.find_alive(cluster))


def require_not_frozen(cluster: Cluster, consumer: Consumer) -> Consumer:
    """Return the consumer; raise :class:`WrongState` if its process is frozen."""
    if cluster.now_us < consumer.frozen_until_us:
        name = consumer.consumer.name
        raise WrongState(
            f"{name} is frozen and receives nothing",
            "wait until it continues, or crash it",
            consumer=name,
            frozen_until_us=consumer.frozen_until_us,
        )
    return consumer


def find_consumer(cluster: Cluster, group: str, name: str) -> Consumer:
    """Find a consumer by name in ``group`` or, if that is empty, in the group that has one of that name."""
    groups = cluster.state.groups
    holding = [one for one in groups if name in groups[one].consumers]
    if group == ANY_GROUP and len(holding) > 1:
        raise InvalidCommand(
            f"{len(holding)} groups have a consumer {name!r}", "say which group", field="group", consumer=name
        )
    chosen = group or (holding[0] if holding else next(iter(groups), GroupId("")))
    return cluster.state.consumer(ConsumerId(GroupId(chosen), name))


class StopConsumer(ConsumerCommand):
    """Shut a consumer down cleanly: it commits and leaves its group."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must be alive and not frozen."""
        self.find_not_frozen(cluster).close()


class CrashConsumer(ConsumerCommand):
    """Crash a consumer: it ends without warning."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must be alive."""
        cluster.crash_consumer(self.find_alive(cluster))


class RemoveConsumer(ConsumerCommand):
    """Remove a consumer that has ended from the list."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must have ended, and its session too."""
        consumer = self.find(cluster)
        if consumer.state.name not in ("closed", "gone"):
            raise WrongState(
                f"{self.consumer} has not ended",
                "stop it and wait",
                consumer=self.consumer,
                state=consumer.state.name,
            )
        cluster.remove_consumer(consumer)


class PauseConsumer(ConsumerCommand):
    """Pause a consumer: it keeps its partitions but stops fetching and processing."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must be alive, not frozen and not paused."""
        consumer = self.find_not_frozen(cluster)
        if consumer.paused:
            raise WrongState(f"{self.consumer} is paused", "resume it", consumer=self.consumer)
        consumer.pause()


class ResumeConsumer(ConsumerCommand):
    """Resume a paused consumer."""

    __slots__ = ()

    def apply(self, cluster: Cluster) -> None:
        """It must be alive, not frozen, and paused."""
        consumer = self.find_not_frozen(cluster)
        if not consumer.paused:
            raise WrongState(f"{self.consumer} is not paused", "pause it first", consumer=self.consumer)
        consumer.resume()


@dataclass(frozen=True, slots=True)
class SetConsumer:
    """Change how a consumer fetches, processes and commits (see ``config.ConsumerSettings``)."""

    target: ConsumerCommand
    changes: tuple[tuple[str, float | int | str], ...]

    @staticmethod
    def parse(fields: Fields) -> "SetConsumer":
        """``consumer`` and any of the settings by name."""
        target = ConsumerCommand.parse(fields)
        changes: dict[str, float | int | str] = {}
        for name, (low, high) in CONSUMER_NUMBERS.items():
            if fields.has(name):
                changes[name] = fields.integer(name, low, high)
        for name, choices in CONSUMER_CHOICES.items():
            if fields.has(name):
                changes[name] = fields.choice(name, choices)
        if fields.has("messages_per_second"):
            changes["messages_per_second"] = fields.number("messages_per_second", 0.05, 100_000)
        if not changes:
            names = ", ".join([*CONSUMER_NUMBERS, "messages_per_second", *CONSUMER_CHOICES])
            raise fields.fault("a setting", "is missing", f"give one of: {names}")
        return SetConsumer(target, tuple(changes.items()))

    def apply(self, cluster: Cluster) -> None:
        """Take effect from the next fetch and the next message on."""
        consumer = self.target.find_not_frozen(cluster)
        consumer.change(replace(consumer.settings, **dict(self.changes)))  # type: ignore[arg-type]  # checked by name in parse
