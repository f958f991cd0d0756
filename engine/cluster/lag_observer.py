"""The progress of each group, from which its lag is computed: in bytes, messages and seconds.

This is an observer, not a part of the system: 0.7 keeps nothing like it. There, a group's lag in bytes can be queried
(tools/ConsumerOffsetChecker), since both ends of it are byte offsets. How many messages that is, and how long the
oldest of them has waited, is known only to an observer of the appends.
"""

from collections.abc import Callable, Mapping

from engine.cluster.lag import NOTHING_WAITS_US, CommittedPosition, WorkDone
from engine.cluster.state import ClusterState
from engine.events.base import Emit, Event
from engine.events.cluster import LogCut
from engine.events.consuming import (
    CommittedOffsetPlaced,
    ConsumerCrashed,
    FetchingStarted,
    FetchingStopped,
    FetchReceived,
    MessagesConsumed,
)
from engine.events.producing import BatchAppended, SegmentDeleted
from engine.events.registry import NodeChanged, NodeCreated
from engine.ids import GroupId, TopicPartition
from engine.registry import paths

Place = tuple[GroupId, TopicPartition]


class LagObserver:
    """The observer of the committed offsets and the work of a cluster's groups.

    It receives every event, updates ``state``, and reports each new position of a committed offset through ``emit``.
    What every reader of the journal can count (appends, fetches, work) is not reported again.
    """

    def __init__(self, state: ClusterState, emit: Emit) -> None:
        self._state = state
        self._emit = emit
        self._by_path: dict[str, Place] = {}
        self._by_partition: dict[TopicPartition, list[GroupId]] = {}
        self._handlers: Mapping[type[Event], Callable[..., None]] = {
            NodeCreated: self._commit,
            NodeChanged: self._commit,
            BatchAppended: self._append,
            SegmentDeleted: self._delete,
            LogCut: self._cut,
            FetchReceived: self._fetch,
            MessagesConsumed: self._consume,
            FetchingStarted: self._start,
            FetchingStopped: self._stop,
            ConsumerCrashed: self._crash,
        }

    def observe(self, event: Event) -> None:
        """Update the state from an event that was just emitted."""
        handler = self._handlers.get(type(event))
        if handler is not None:
            handler(event)

    def follow(self, group: GroupId) -> None:
        """Start to observe a group that was just added: it has no committed offset yet, so it is at the start."""
        state = self._state
        chroot = state.registry_of_group(group).chroot
        state.done[group] = WorkDone()
        for partition in state.all_partitions():
            if partition.topic in state.groups[group].topics:
                broker = state.broker_of(partition).broker
                self._by_path[chroot + paths.offset(group, partition, broker)] = group, partition
                self._by_partition.setdefault(partition, []).append(group)
                self._place((group, partition), 0)

    # --- committed offsets ---

    def _place(self, place: Place, committed_offset: int) -> None:
        group, partition = place
        log = self._state.broker_of(partition).logs[partition]
        offset = min(max(committed_offset, log.first_offset), log.next_offset)
        message_index = self._state.message_indexes[partition]
        waits = offset < log.next_offset
        position = CommittedPosition(
            offset,
            message_index.before(offset, log.read_unflushed),
            message_index.appended_at_us(offset) if waits else NOTHING_WAITS_US,
        )
        self._state.committed[place] = position
        self._emit(
            CommittedOffsetPlaced(
                self._state.scheduler.now_us,
                group,
                partition.topic,
                partition.partition,
                position.offset,
                position.messages_before,
                position.waiting_since_us,
            )
        )

    def _commit(self, event: NodeCreated | NodeChanged) -> None:
        place = self._by_path.get(event.path)
        if place is not None:
            self._place(place, int(event.value))

    def _append(self, event: BatchAppended) -> None:
        """For a group that had committed everything, the first of these messages is now the oldest that waits."""
        partition = TopicPartition(event.topic, event.partition)
        positions = self._state.committed
        for group in self._by_partition.get(partition, ()):
            position = positions[group, partition]
            if position.offset == event.offset:
                positions[group, partition] = CommittedPosition(position.offset, position.messages_before, event.at_us)

    def _delete(self, event: SegmentDeleted) -> None:
        partition = TopicPartition(event.topic, event.partition)
        for group in self._by_partition.get(partition, ()):
            if self._state.committed[group, partition].offset < event.first_offset:
                self._place((group, partition), event.first_offset)

    def _cut(self, event: LogCut) -> None:
        partition = TopicPartition(event.topic, event.partition)
        for group in self._by_partition.get(partition, ()):
            if self._state.committed[group, partition].offset >= event.next_offset:
                self._place((group, partition), event.next_offset)

    # --- work ---

    def _fetch(self, event: FetchReceived) -> None:
        done = self._state.done[GroupId(event.group)]
        self._state.done[GroupId(event.group)] = WorkDone(
            done.pulled_bytes + event.next_offset - event.offset,
            done.pulled_messages + event.messages,
            done.consumed_bytes,
            done.consumed_messages,
        )

    def _consume(self, event: MessagesConsumed) -> None:
        done = self._state.done[GroupId(event.group)]
        self._state.done[GroupId(event.group)] = WorkDone(
            done.pulled_bytes,
            done.pulled_messages,
            done.consumed_bytes + event.next_offset - event.offset,
            done.consumed_messages + event.messages,
        )

    # --- which consumer fetches ---

    def _start(self, event: FetchingStarted) -> None:
        self._state.fetching[_place_of(event)] = event.consumer

    def _stop(self, event: FetchingStopped) -> None:
        """A consumer that was suspended may stop fetching what another one fetches by now."""
        if self._state.fetching.get(_place_of(event)) == event.consumer:
            del self._state.fetching[_place_of(event)]

    def _crash(self, event: ConsumerCrashed) -> None:
        self._state.fetching = {
            place: consumer
            for place, consumer in self._state.fetching.items()
            if (place[0], consumer) != (event.group, event.consumer)
        }


def _place_of(event: FetchingStarted | FetchingStopped) -> Place:
    return GroupId(event.group), TopicPartition(event.topic, event.partition)
