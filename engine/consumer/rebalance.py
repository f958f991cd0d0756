"""The paper's Algorithm 1, as every consumer runs it for itself.

One attempt, each line one round trip to the registry:

1. stop pulling everything; commit what was consumed; *release*: remove the own entries from the ownership registry
2. *read* who is there: the group's members, the topic's brokers (and ask to be told when either changes)
3. *read* what each of them says: subscriptions, partition numbers; then *compute* the own share
4. *claim* every partition of the share: an ephemeral node whose value is the own stream
5. read the stored offsets and *pull* from there

Claims come before the stored offsets are read (paper, and the code of August 2011; 0.7.1 turned it round and could
start from a stale offset). A claim that another still holds is refused: this attempt's other claims are undone,
the consumer backs off and tries again, and after the last try it owns nothing until the registry changes again.

Transitions: started -> released -> read -> computed -> claimed -> finished
                                                     -> refused -> backed off -> started (next attempt) | failed
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from engine.config import Config
from engine.consumer.assignment import Placed, assign_range
from engine.errors import NodeExists
from engine.events.base import Emit
from engine.events.rebalancing import (
    AssignmentComputed,
    ClaimRefused,
    OwnershipReleased,
    RebalanceBackedOff,
    RebalanceFailed,
    RebalanceFinished,
    RebalanceStarted,
    RegistryRead,
)
from engine.ids import BrokerId, ConsumerId, TopicPartition
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import Conversation, Outcomes, Wait, Wanted
from engine.runtime.scheduler import Timers


@dataclass(slots=True)
class ConsumerState:
    """Where a consumer stands, for whoever looks: its state, and the steps of the rebalance under way (else empty)."""

    state: str = "joining"
    attempt: int = 0
    cause: str = ""
    step: str = ""
    members: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    share: tuple[str, ...] = ()
    until_us: int = 0

    def end(self, state: str) -> None:
        """No rebalance is under way; the state is now ``state``."""
        self.state, self.attempt, self.cause, self.step, self.until_us = state, 0, "", "", 0
        self.members = self.partitions = self.share = ()

    def begin(self, cause: str, attempt: int) -> None:
        """An attempt begins."""
        self.end("rebalancing")
        self.cause, self.attempt, self.step = cause, attempt, "release"


NO_BOOKMARK = -1


@dataclass(frozen=True, slots=True)
class Start:
    """A claimed partition: the stream that owns it and where to read on (``NO_BOOKMARK`` if nothing is stored)."""

    stream: str
    broker: BrokerId
    partition: TopicPartition
    offset: int


@dataclass(frozen=True, slots=True)
class RebalanceListener:
    """What a rebalance does to its consumer."""

    release_all: Callable[[], tuple[ops.Operation, ...]]
    """Stop pulling; returns the commits and the deletions that the registry must see."""
    start_pulling: Callable[[Sequence[Start]], None]
    """Pull these partitions."""


Round = Generator[Wanted, Outcomes, bool]
Claim = tuple[str, Placed]
"""A stream and a partition that falls to it."""


class Rebalance:
    """One consumer's way to its share, from a cause to an end."""

    def __init__(
        self,
        config: Config,
        timers: Timers,
        emit: Emit,
        consumer: ConsumerId,
        streams: Sequence[str],
        topics: Sequence[str],
        listener: RebalanceListener,
        consumer_state: ConsumerState,
    ) -> None:
        self._config = config
        self._timers = timers
        self._emit = emit
        self._consumer = consumer
        self._topics = topics
        self._listener = listener
        self._state = consumer_state
        self._streams = streams

    def run(self, cause: str) -> Conversation:
        """The whole rebalance as a conversation with the registry."""
        group, name = self._consumer.group, self._consumer.name
        tries = self._config.rebalance_tries
        for attempt in range(1, tries + 1):
            self._state.begin(cause, attempt)
            self._emit(RebalanceStarted(self._timers.now_us, group, name, cause, attempt))
            if (yield from self._attempt(attempt)):
                return
            if attempt < tries:
                backoff_us = self._config.rebalance_backoff_us
                until_us = self._timers.now_us + backoff_us
                self._state.state, self._state.until_us = "backing_off", until_us
                self._emit(RebalanceBackedOff(self._timers.now_us, group, name, attempt, until_us))
                yield Wait(backoff_us)
        self._state.end("failed")
        self._emit(RebalanceFailed(self._timers.now_us, group, name, tries))

    def _attempt(self, attempt: int) -> Round:
        group, name = self._consumer.group, self._consumer.name
        release = self._listener.release_all()
        if release:
            yield release
        released = tuple(
            TopicPartition(*_topic_and_partition(operation.path))
            for operation in release
            if isinstance(operation, ops.DeleteOwn)
        )
        now_us = self._timers.now_us
        self._state.step = "read"
        self._emit(OwnershipReleased(now_us, group, name, tuple(str(partition) for partition in released)))
        share = yield from self._compute_share()
        claimed = yield from self._claim(share)
        if not claimed:
            return False
        offsets: Outcomes = ()
        if share:
            offsets = yield tuple(ops.Get(paths.offset(group, partition, broker)) for _, (broker, partition) in share)
        self._listener.start_pulling(
            [
                Start(stream, broker, partition, int(value) if isinstance(value, str) else NO_BOOKMARK)
                for (stream, (broker, partition)), value in zip(share, offsets, strict=True)
            ]
        )
        self._state.end("running" if share else "idle")
        partitions = tuple(str(partition) for _, (_, partition) in share)
        self._emit(RebalanceFinished(self._timers.now_us, group, name, partitions, attempt))
        return True

    def _compute_share(self) -> Generator[Wanted, Outcomes, tuple[Claim, ...]]:
        """Steps 2 and 3. A member whose node says nothing of a topic takes no part in it."""
        group, name = self._consumer.group, self._consumer.name
        lists = yield (
            ops.WatchChildren(paths.members(group)),
            *(ops.WatchChildren(paths.topic(topic)) for topic in self._topics),
        )
        members = _as_names(lists[0])
        brokers = [
            (topic, BrokerId(int(b)))
            for topic, ids in zip(self._topics, lists[1:], strict=True)
            for b in _as_names(ids)
        ]
        values = yield (
            *(ops.Get(paths.member(ConsumerId(group, member))) for member in members),
            *(ops.Get(paths.topic_broker(topic, broker)) for topic, broker in brokers),
        )
        subscriptions = dict(zip(members, values[: len(members)], strict=True))
        placed = [
            (broker, TopicPartition(topic, number))
            for (topic, broker), value in zip(brokers, values[len(members) :], strict=True)
            if isinstance(value, str)
            for number in paths.decode_partitions(value)
        ]
        share: list[Claim] = []
        for topic in self._topics:
            streams = [
                paths.stream(member, number)
                for member, value in subscriptions.items()
                if isinstance(value, str)
                for number in range(paths.decode_subscription(value).get(topic, 0))
            ]
            shares = assign_range([one for one in placed if one[1].topic == topic], streams)
            share += [(stream, one) for stream in self._streams for one in shares.get(stream, ())]
        now_us = self._timers.now_us
        everything = tuple(str(partition) for _, partition in sorted(placed))
        own = tuple(str(partition) for _, (_, partition) in share)
        consumer_state = self._state
        consumer_state.step, consumer_state.members, consumer_state.partitions, consumer_state.share = (
            "claim",
            members,
            everything,
            own,
        )
        self._emit(RegistryRead(now_us, group, name, members, everything))
        self._emit(AssignmentComputed(now_us, group, name, own))
        return tuple(share)

    def _claim(self, share: Sequence[Claim]) -> Round:
        """Step 4; ``False`` if another holds one of the partitions, after undoing the claims that went through.

        0.7 takes a node with its own value for its own; here an earlier session of ours, soon to expire, is another.
        """
        if not share:
            return True
        group, name = self._consumer.group, self._consumer.name
        claims = [
            ops.Create(paths.owner(group, partition, broker), stream, ephemeral=True)
            for stream, (broker, partition) in share
        ]
        outcomes = yield tuple(claims)
        refused = False
        undo = []
        for (_, (_, partition)), claim, outcome in zip(share, claims, outcomes, strict=True):
            if isinstance(outcome, NodeExists):
                refused = True
                held_by = paths.stream_consumer(str(outcome.fields["value"]))
                self._state.step = "refused"
                now_us = self._timers.now_us
                self._emit(ClaimRefused(now_us, group, name, partition.topic, partition.partition, held_by))
            else:
                undo.append(ops.DeleteOwn(claim.path, claim.value))
        if refused and undo:
            yield tuple(undo)
        return not refused


def _as_names(outcome: ops.Outcome) -> tuple[str, ...]:
    assert isinstance(outcome, tuple), f"children expected, not {outcome!r}"
    return outcome


def _topic_and_partition(owner_path: str) -> tuple[str, int]:
    """The partition that an ownership node is about: the last two parts of its path."""
    _, topic, node = owner_path.rsplit("/", 2)
    return topic, int(node.rpartition("-")[2])
