"""The producer: chooses partitions, groups messages into sets, sends them.

In the paper it hears nothing back (section 3.1), and so it does here unless acknowledgements are switched on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from engine.config import Config, ProducerSettings
from engine.errors import MessageTooLarge, NoBrokerAvailable, QueueFull
from engine.events.base import Emit
from engine.events.producing import BatchSent, ProducerChanged, ProducerQueueChanged
from engine.events.registry import WatchDelivered
from engine.ids import TopicPartition
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.producer.async_queue import AsyncQueue, Counts, Record, Waiting
from engine.producer.in_flight import Delivery, Departure, InFlightBatches, Layout, Surroundings
from engine.producer.load_generator import LoadGenerator
from engine.producer.page_views import PageViews
from engine.producer.partitioner import KeyPartitioner, checked_choice, keyed_index, next_by_chance, next_in_turn
from engine.protocol.messages import ProduceRequest, ProduceResponse
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import Conversation, RegistryClient
from engine.registry.session import SessionListener
from engine.runtime.network import Network
from engine.runtime.scheduler import Scheduler
from engine.runtime.sequence_numbers import SequenceNumbers

ADDRESS = "producer"
NO_KEY = ""

Published = Callable[[str, Sequence[Record]], None]


def _tell_nobody(topic: str, records: Sequence[Record]) -> None:
    """What a producer without an audit does with what it was given."""


@dataclass(frozen=True, slots=True)
class ProducedBatch:
    """A message set of the producer, as it was grouped and compressed; ``next_append`` is the producer's, by topic."""

    partition: TopicPartition
    key: str
    messages: int
    message_set: bytes
    compression: str
    next_append: Mapping[str, int]

    def sent(self, departure: Departure) -> BatchSent:
        """An attempt at sending it."""
        topic, number = self.partition
        return BatchSent(
            departure.at_us,
            departure.due_us,
            departure.number,
            topic,
            number,
            departure.broker,
            self.key,
            self.messages,
            len(self.message_set),
            self.compression,
            self.next_append.get(topic, 0),
        )


class Producer:
    """One producer process. ``layout(topic)[p]`` is the broker of partition p, which it takes from its configuration.

    Which brokers live it learns from the registry, and only from there: until a crashed broker's session
    expires, message sets go to nobody and are lost.
    """

    def __init__(
        self,
        config: Config,
        scheduler: Scheduler,
        network: Network,
        emit: Emit,
        numbers: SequenceNumbers,
        chance: Random,
        page_views: PageViews,
        layout: Layout,
        key_partitioner: KeyPartitioner = keyed_index,
    ) -> None:
        self.settings: ProducerSettings = config.producer
        self.next_append: dict[str, int] = {}
        self.on_published: Published = _tell_nobody
        self._config = config
        self._scheduler = scheduler
        self._network = network
        self._emit = emit
        self._numbers = numbers
        self._chance = chance
        self._page_views = page_views
        self._layout = layout
        self._key_partitioner = key_partitioner
        self._live_brokers: frozenset[int] = frozenset()
        self._candidates: dict[str, list[int]] = {}
        self._own_topic = ""
        self._own = LoadGenerator(scheduler, self._make_own)
        around = Surroundings(config, scheduler, network, emit, numbers, layout)
        self._in_flight = InFlightBatches[ProducedBatch](ADDRESS, around, self._delivery, self._lane_free)
        self._told = Counts(0, 0, 0)
        self._is_making = False
        self._queue = AsyncQueue(scheduler, self.settings, self._ship, lambda: self._in_flight.idle, self._tell_queue)
        listener = SessionListener(self._watch_brokers, self.start, lambda: None)
        self._registry = RegistryClient(ADDRESS, scheduler, network, config, listener)
        network.attach(ADDRESS, self)

    def start(self) -> None:
        """Open a session and learn which brokers live."""
        self._registry.open()

    @property
    def queue_counts(self) -> Counts:
        """What waits to be sent, as it was last journaled."""
        return self._told

    @property
    def waiting_batches(self) -> int:
        """How many batches wait to be put on the wire, behind one that is not acknowledged or before a retry."""
        return self._in_flight.waiting

    # --- sending ---

    def candidates(self, topic: str) -> list[int]:
        """The partitions of a topic whose brokers the registry lists, in order."""
        known = self._candidates.get(topic)
        if known is None:
            layout = self._layout(topic)
            known = [number for number, broker in enumerate(layout) if broker in self._live_brokers]
            self._candidates[topic] = known
        return known

    def check(self, topic: str, records: Sequence[Record]) -> None:
        """Raise what :meth:`send` would: MessageTooLarge, InvalidPartition or NoBrokerAvailable."""
        limit = self._config.max_message_bytes
        for record in records:
            if len(record.payload) > limit:
                raise MessageTooLarge(
                    f"a message of {len(record.payload)} bytes is over the limit of {limit}",
                    f"send at most {limit} bytes a message",
                    bytes=len(record.payload),
                    max_message_bytes=limit,
                )
            if record.key != NO_KEY:
                self.keyed_partition(topic, record.key)
        if not self.candidates(topic):
            raise NoBrokerAvailable(
                f"no broker of topic {topic} is in the registry", "start a broker and wait for it", topic=topic
            )

    def send(self, topic: str, records: Sequence[Record]) -> None:
        """Send records as the settings say: at once, or through the queue.

        What asynchronous sending has left in the queue goes first: as long as that takes, records wait behind it.
        Raises what :meth:`check` does, and :class:`QueueFull`; then nothing is sent.
        """
        self.check(topic, records)
        if self.settings.sending == "async":
            self._queue.put(topic, records)
        elif self._queue.draining:
            self._queue.put(topic, records)
            self._queue.drain()
        else:
            self._send_now(topic, records)
        self.on_published(topic, records)

    def _send_now(self, topic: str, records: Sequence[Record]) -> None:
        """Records without a key leave as one set, the others as one set a partition."""
        unkeyed = [record.payload for record in records if record.key == NO_KEY]
        if unkeyed:
            self._dispatch(topic, self._turn(topic), NO_KEY, unkeyed)
        if len(unkeyed) == len(records):
            return
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            if record.key != NO_KEY:
                by_partition.setdefault(self.keyed_partition(topic, record.key), []).append(record)
        for number, keyed in by_partition.items():
            self._dispatch(topic, number, keyed[0].key, [record.payload for record in keyed])

    def keyed_partition(self, topic: str, key: str) -> int:
        """Where a key goes: its hash counts all partitions, also those of a broker that is down.

        Ours. 0.7 hashed over the partitions of the brokers that the registry listed (Producer.zkSend), so there a key
        moved to another partition, and lost its order, when a broker came or went.
        """
        return checked_choice(self._key_partitioner, key, len(self._layout(topic)))

    def _turn(self, topic: str) -> int:
        """The partition shown as "next append"; draws the one after it. Without a listed broker any will do."""
        candidates = self.candidates(topic) or range(len(self._layout(topic)))
        shown = self.next_append.get(topic, 0)
        chosen = shown if shown in candidates else next_in_turn(shown, candidates)
        if self.settings.partitioner == "random":
            self.next_append[topic] = next_by_chance(self._chance, candidates)
        else:
            self.next_append[topic] = next_in_turn(chosen, candidates)
        return chosen

    def _dispatch(self, topic: str, number: int, key: str, payloads: Sequence[bytes]) -> None:
        compression = self.settings.compression
        message_set = encode_compressed_set(payloads) if compression == "gzip" else encode_message_set(payloads)
        partition = TopicPartition(topic, number)
        batch = ProducedBatch(partition, key, len(payloads), message_set, compression, self.next_append)
        self._in_flight.send(partition, batch)

    def _delivery(self) -> Delivery:
        return Delivery(self.settings.acknowledgement, self.settings.retries)

    def _lane_free(self, partition: TopicPartition) -> None:
        if self._in_flight.idle:
            self._queue.go_on()

    # --- queue ---

    def change(self, settings: ProducerSettings, topic: str) -> None:
        """Take new settings; at a rate above zero it makes page views for ``topic`` by itself.

        They hold for what is grouped into batches from now on, also for what waits in the queue, and for every attempt
        at sending a batch. What waits keeps its place, and what was dropped stays counted.
        """
        self.settings = settings
        self._own_topic = topic
        self._emit(ProducerChanged(self._scheduler.now_us, asdict(settings)))
        self._queue.change(settings)
        self._own.run(settings.rate_per_second)

    def _ship(self, batch: Sequence[Waiting]) -> None:
        """Send a batch from the queue, topic by topic (0.7: one multi-produce).

        Without acknowledgements a batch is lost where the registry lists no broker; with them it is sent all the same,
        and retried like any other that finds none.
        """
        by_topic: dict[str, list[Record]] = {}
        for topic, record, _ in batch:
            by_topic.setdefault(topic, []).append(record)
        for topic, records in by_topic.items():
            if self.candidates(topic) or self.settings.acknowledgement == "broker":
                self._send_now(topic, records)
            else:
                number = self._numbers.next("batch")
                nobody = TopicPartition(topic, 0)
                self._in_flight.tell_lost(number, nobody, len(records), NoBrokerAvailable.code)

    def _tell_queue(self) -> None:
        """Journal how full the queue is, when that changed; once for all that is made in one instant."""
        if self._is_making:
            return
        counts = self._queue.counts
        if counts != self._told:
            self._told = counts
            now_us = self._scheduler.now_us
            self._emit(ProducerQueueChanged(now_us, counts.queued, counts.blocked, counts.dropped))

    # --- making messages of its own ---

    def make(self, count: int) -> list[Record]:
        """``count`` page views, with keys if the settings say so."""
        now_us = self._scheduler.now_us
        keys = self.settings.keys
        return [
            Record(self._page_views.key(keys) if keys else NO_KEY, self._page_views.page_view(now_us))
            for _ in range(count)
        ]

    def make_of_size(self, count: int, size: int) -> list[Record]:
        """``count`` page views without keys, of ``size`` bytes each."""
        now_us = self._scheduler.now_us
        return [Record(NO_KEY, self._page_views.page_view_of(now_us, size)) for _ in range(count)]

    def _make_own(self, count: int) -> None:
        """Its own application always goes through the queue, and stands still while it waits for a place in it.

        What it makes counts as published, also what then finds no place: whoever audits shall see that loss.
        """
        if self._queue.counts.blocked:
            return
        self._is_making = True
        for record in self.make(count):
            try:
                self._queue.put(self._own_topic, [record])
            except QueueFull:
                self._queue.drop(1)
            self.on_published(self._own_topic, [record])
        self._is_making = False
        self._tell_queue()

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Hear the registry, and brokers if acknowledgements were asked for."""
        if isinstance(message, ProduceResponse):
            self._in_flight.take_acknowledgement(message)
        elif not self._registry.heard(message):
            self._emit(WatchDelivered(self._scheduler.now_us, message.watch))
            self._watch_brokers()

    def bounced(self, destination: str, message: Any) -> None:
        """A message set found no broker."""
        if isinstance(message, ProduceRequest):
            self._in_flight.bounced(message)

    def _watch_brokers(self) -> None:
        self._registry.start(self._read_brokers())

    def _read_brokers(self) -> Conversation:
        (listed,) = yield (ops.WatchChildren(paths.BROKERS),)
        assert isinstance(listed, tuple)
        self._live_brokers = frozenset(int(name) for name in listed)
        self._candidates.clear()
