"""The rebalance: the paper's Algorithm 1, which every consumer runs independently.

One attempt, each line one round trip to the registry:

1. stop all fetching; commit consumed positions; *release*: remove its entries from the ownership registry
2. *read* the group's members and the topic's brokers (and set a watch on both)
3. *read* the node of each: subscriptions, partition numbers; then *compute* its share
4. *claim* every partition of the share: an ephemeral node whose value is the stream that owns it
5. read the committed offsets and *fetch* from there

Claims come before the committed offsets are read (paper, and the code of August 2011; 0.7.1 reversed the order and
could start from a stale offset). A claim on a partition that another still owns is refused: this attempt's other claims
are undone, the consumer backs off and tries again. After the last try it owns nothing until the registry changes again.

Transitions: started -> released -> read -> computed -> claimed -> finished
                                                     -> refused -> backed off -> started (next attempt) | failed
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from engine.consumer.assignment import Placed, assign_range
from engine.errors import NodeExists
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
from engine.runtime.process import Process


@dataclass(slots=True)
class ConsumerState:
    """A consumer's state as it is shown: its name, and the steps of the rebalance under way (else empty)."""

    name: str = "joining"
    attempt: int = 0
    cause: str = ""
    step: str = ""
    members: tuple[str, ...] = ()
    partitions: tuple[str, ...] = ()
    share: tuple[str, ...] = ()
    until_us: int = 0

    def end(self, name: str) -> None:
        """End the rebalance under way, if any, and set the state's name."""
        self.name, self.attempt, self.cause, self.step, self.until_us = name, 0, "", "", 0
        self.members = self.partitions = self.share = ()

    def begin(self, cause: str, attempt: int) -> None:
        """Begin an attempt to rebalance."""
        self.end("rebalancing")
        self.cause, self.attempt, self.step = cause, attempt, "release"


NO_COMMITTED_OFFSET = -1


@dataclass(frozen=True, slots=True)
class Start:
    """A claimed partition: its stream, and the offset to start from (``NO_COMMITTED_OFFSET`` if none is committed)."""

    stream: str
    broker: BrokerId
    partition: TopicPartition
    offset: int


@dataclass(frozen=True, slots=True)
class RebalanceListener:
    """The callbacks from a rebalance to its consumer."""

    release_all: Callable[[], tuple[ops.Operation, ...]]
    """Stop fetching; return the commits and the deletions to send to the registry."""
    start_fetching: Callable[[Sequence[Start]], None]
    """Start fetching these partitions."""


Round = Generator[Wanted, Outcomes, bool]
Claim = tuple[str, Placed]
"""A stream and a partition assigned to it."""


class Rebalance:
    """One rebalance of one consumer, from its cause to its last attempt."""

    def __init__(
        self,
        process: Process,
        consumer: ConsumerId,
        streams: Sequence[str],
        topics: Sequence[str],
        listener: RebalanceListener,
        consumer_state: ConsumerState,
    ) -> None:
        self._config = process.machine.config
        self._process = process
        self._consumer = consumer
        self._topics = topics
        self._listener = listener
        self._state = consumer_state
        self._streams = streams

    def run(self, cause: str) -> Conversation:
        """Run the whole rebalance as a conversation with the registry."""
        group, name = self._consumer.group, self._consumer.name
        tries = self._config.rebalance_tries
        for attempt in range(1, tries + 1):
            self._state.begin(cause, attempt)
            self._process.emit(RebalanceStarted(self._process.now_us, group, name, cause, attempt))
            if (yield from self._attempt(attempt)):
                return
            if attempt < tries:
                backoff_us = self._config.rebalance_backoff_us
                until_us = self._process.now_us + backoff_us
                self._state.name, self._state.until_us = "backing_off", until_us
                self._process.emit(RebalanceBackedOff(self._process.now_us, group, name, attempt, until_us))
                yield Wait(backoff_us)
        self._state.end("failed")
        self._process.emit(RebalanceFailed(self._process.now_us, group, name, tries))

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
        now_us = self._process.now_us
        self._state.step = "read"
        self._process.emit(OwnershipReleased(now_us, group, name, tuple(str(partition) for partition in released)))
        share = yield from self._compute_share()
        claimed = yield from self._claim(share)
        if not claimed:
            return False
        offsets: Outcomes = ()
        if share:
            offsets = yield tuple(ops.Get(paths.offset(group, partition, broker)) for _, (broker, partition) in share)
        self._listener.start_fetching(
            [
                Start(stream, broker, partition, int(value) if isinstance(value, str) else NO_COMMITTED_OFFSET)
                for (stream, (broker, partition)), value in zip(share, offsets, strict=True)
            ]
        )
        self._state.end("running" if share else "idle")
        partitions = tuple(str(partition) for _, (_, partition) in share)
        self._process.emit(RebalanceFinished(self._process.now_us, group, name, partitions, attempt))
        return True

    def _compute_share(self) -> Generator[Wanted, Outcomes, tuple[Claim, ...]]:
        """Run steps 2 and 3. A member whose node does not list a topic gets none of its partitions."""
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
        now_us = self._process.now_us
        everything = tuple(str(partition) for _, partition in sorted(placed))
        own = tuple(str(partition) for _, (_, partition) in share)
        consumer_state = self._state
        consumer_state.step, consumer_state.members, consumer_state.partitions, consumer_state.share = (
            "claim",
            members,
            everything,
            own,
        )
        self._process.emit(RegistryRead(now_us, group, name, members, everything))
        self._process.emit(AssignmentComputed(now_us, group, name, own))
        return tuple(share)

    def _claim(self, share: Sequence[Claim]) -> Round:
        """Run step 4; return ``False``, after undoing successful claims, if another owns one of the partitions.

        0.7 takes a node with its own value for its own claim. Here a node of an earlier session, which will expire
        soon, counts as another's.
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
                now_us = self._process.now_us
                self._process.emit(ClaimRefused(now_us, group, name, partition.topic, partition.partition, held_by))
            else:
                undo.append(ops.DeleteOwn(claim.path, claim.value))
        if refused and undo:
            yield tuple(undo)
        return not refused


def _as_names(outcome: ops.Outcome) -> tuple[str, ...]:
    assert isinstance(outcome, tuple), f"children expected, not {outcome!r}"
    return outcome


def _topic_and_partition(owner_path: str) -> tuple[str, int]:
    """Return the topic and partition that an ownership node's path ends with."""
    _, topic, node = owner_path.rsplit("/", 2)
    return topic, int(node.rpartition("-")[2])
