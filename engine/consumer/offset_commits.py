"""A consumer's commits: which of its positions the registry has, and which are on their way there."""

from collections.abc import Iterable

from engine.consumer.application import Application
from engine.consumer.fetcher import Fetcher
from engine.events.base import Emit, Event
from engine.events.consuming import CommitSent
from engine.ids import ConsumerId, TopicPartition
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import NO_CONVERSATION, Conversation, Drawn, RegistryClient
from engine.runtime.scheduler import Timers
from engine.runtime.sequence_numbers import SequenceNumbers


class OffsetCommits:
    """The bookmarks of one consumer in the partitions it owns; one commit at a time a partition is under way."""

    def __init__(
        self,
        consumer: ConsumerId,
        registry: RegistryClient,
        timers: Timers,
        emit: Emit,
        numbers: SequenceNumbers,
        application: Application,
    ) -> None:
        self._consumer = consumer
        self._registry = registry
        self._timers = timers
        self._emit = emit
        self._numbers = numbers
        self._application = application
        self._stored: dict[TopicPartition, int] = {}
        self._under_way: dict[TopicPartition, int] = {}

    def begin(self, partition: TopicPartition, offset: int) -> None:
        """The registry has ``offset`` of a partition: it was read there."""
        self._stored[partition] = offset

    def lacks(self, fetcher: Fetcher) -> bool:
        """Whether a fetcher has a position that the registry does not have, as far as its answers say.

        Where the group had none, that is so from the start: a close writes it although nothing moved (0.7:
        commitOffsets). 0.7 writes each time what the registry has, too.
        """
        return fetcher.has_position and self._stored.get(fetcher.partition) != self._offset_of(fetcher)

    def _offset_of(self, fetcher: Fetcher) -> int:
        return self._application.settled_offset(fetcher.partition, fetcher.consumed_offset)

    def put(self, fetcher: Fetcher, number: int) -> ops.Put:
        """What stores a position; ``number`` is that of the commit, 0 for one that is not drawn."""
        node = paths.offset(self._consumer.group, fetcher.partition, fetcher.broker)
        return ops.Put(node, str(self._offset_of(fetcher)), commit=number)

    def commit(self, fetchers: Iterable[Fetcher]) -> None:
        """Send every position that the registry does not have yet."""
        for fetcher in fetchers:
            if fetcher.partition not in self._under_way and self.lacks(fetcher):
                self._under_way[fetcher.partition] = NO_CONVERSATION
                self._under_way[fetcher.partition] = self._registry.start(self._store(fetcher))

    def _store(self, fetcher: Fetcher) -> Conversation:
        partition, offset = fetcher.partition, self._offset_of(fetcher)
        number = self._numbers.next("commit")

        def tell(due_us: int) -> Event:
            now_us, group, name = self._timers.now_us, self._consumer.group, self._consumer.name
            topic, index = partition.topic, partition.partition
            sent = CommitSent(now_us, due_us, number, group, name, topic, index, offset)
            self._emit(sent)
            return sent

        yield Drawn(self.put(fetcher, number), f"commit:{number}", tell)
        self._stored[partition] = offset
        del self._under_way[partition]

    def move(self, partition: TopicPartition) -> None:
        """The position jumps: let no commit of the old one overtake that of the new one."""
        self._registry.cancel(self._under_way.pop(partition, NO_CONVERSATION))
        self._stored.pop(partition, None)

    def forget_under_way(self) -> None:
        """Commits under way may land or not; nobody asks for their answers again."""
        for number in self._under_way.values():
            self._registry.cancel(number)
        self._under_way.clear()

    def forget_stored(self) -> None:
        """No partition is ours any more."""
        self._stored.clear()
