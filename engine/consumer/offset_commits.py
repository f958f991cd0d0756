"""A consumer's offset commits: which positions the registry has, and which are in flight."""

from collections.abc import Iterable

from engine.consumer.application import Application
from engine.consumer.fetcher import Fetcher
from engine.events.base import Event
from engine.events.consuming import CommitSent
from engine.ids import ConsumerId, TopicPartition
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import NO_CONVERSATION, Conversation, RegistryClient, Tracked
from engine.runtime.process import Process


class OffsetCommits:
    """The committed offsets of one consumer's partitions; each partition has at most one commit in flight."""

    def __init__(
        self, consumer: ConsumerId, process: Process, registry: RegistryClient, application: Application
    ) -> None:
        self._consumer = consumer
        self._process = process
        self._registry = registry
        self._application = application
        self._stored: dict[TopicPartition, int] = {}
        self._under_way: dict[TopicPartition, int] = {}

    def begin(self, partition: TopicPartition, offset: int) -> None:
        """Note the committed offset of a partition, as it was read from the registry."""
        self._stored[partition] = offset

    def is_uncommitted(self, fetcher: Fetcher) -> bool:
        """Whether a fetcher has a position that the registry does not have, as far as its responses say.

        This is true from the start if the group had no committed offset: a close writes one although nothing moved
        (0.7: commitOffsets). 0.7 also writes positions that the registry already has, every time.
        """
        return fetcher.has_position and self._stored.get(fetcher.partition) != self._offset_of(fetcher)

    def _offset_of(self, fetcher: Fetcher) -> int:
        return self._application.offset_to_commit(fetcher.partition, fetcher.consumed_offset)

    def put(self, fetcher: Fetcher, number: int) -> ops.Put:
        """Make the operation that commits a position; ``number`` is the commit's, or 0 for one that is not drawn."""
        node = paths.offset(self._consumer.group, fetcher.partition, fetcher.broker)
        return ops.Put(node, str(self._offset_of(fetcher)), commit=number)

    def commit(self, fetchers: Iterable[Fetcher]) -> None:
        """Commit every position that the registry does not have yet."""
        for fetcher in fetchers:
            if fetcher.partition not in self._under_way and self.is_uncommitted(fetcher):
                self._under_way[fetcher.partition] = NO_CONVERSATION
                self._under_way[fetcher.partition] = self._registry.start(self._store(fetcher))

    def _store(self, fetcher: Fetcher) -> Conversation:
        partition, offset = fetcher.partition, self._offset_of(fetcher)
        number = self._process.machine.numbers.next("commit")
        group, name, (topic, index) = self._consumer.group, self._consumer.name, partition

        def departure(due_us: int) -> Event:
            return CommitSent(self._process.now_us, due_us, number, group, name, topic, index, offset)

        yield Tracked(self.put(fetcher, number), f"commit:{number}", departure)
        self._stored[partition] = offset
        del self._under_way[partition]

    def move(self, partition: TopicPartition) -> None:
        """Handle a jump of the position: a commit of the old one must not overtake that of the new one."""
        self._registry.cancel(self._under_way.pop(partition, NO_CONVERSATION))
        self._stored.pop(partition, None)

    def forget_under_way(self) -> None:
        """Forget commits in flight: they may or may not arrive, and are not sent again."""
        for number in self._under_way.values():
            self._registry.cancel(number)
        self._under_way.clear()

    def forget_stored(self) -> None:
        """Forget committed offsets: the consumer owns no partition any more."""
        self._stored.clear()
