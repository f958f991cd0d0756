"""The producer: chooses partitions, groups messages into sets, sends them.

In the paper it hears nothing back (section 3.1), and so it does here unless acknowledgements are switched on.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from random import Random
from typing import Any

from engine.config import Config, ProducerSettings
from engine.errors import MessageTooLarge, NoBrokerAvailable, QueueFull
from engine.events.base import Emit
from engine.events.producing import AcknowledgementReceived, BatchLost, BatchSent, ProducerChanged, ProducerQueueChanged
from engine.events.registry import WatchDelivered
from engine.ids import BrokerId, TopicPartition
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.producer.async_queue import AsyncQueue, Counts, Record, Waiting
from engine.producer.load_generator import LoadGenerator
from engine.producer.page_views import PageViews
from engine.producer.partitioner import KeyPartitioner, checked_choice, keyed_index, next_by_chance, next_in_turn
from engine.producer.unacknowledged import Unacknowledged, Unsure
from engine.protocol.messages import NOBODY, ProduceRequest, ProduceResponse
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import Conversation, RegistryClient
from engine.registry.session import SessionListener
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import Scheduler
from engine.runtime.sequence_numbers import SequenceNumbers

ADDRESS = "producer"
NO_KEY = ""

Layout = Callable[[str], Sequence[BrokerId]]
Published = Callable[[str, Sequence[Record]], None]


def _tell_nobody(topic: str, records: Sequence[Record]) -> None:
    """What a producer without an audit does with what it was given."""


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
        self._latency = Latency(config.network_latency_us, config.latency_jitter_permille)
        self._live_brokers: frozenset[int] = frozenset()
        self._candidates: dict[str, list[int]] = {}
        self._own_topic = ""
        self._own = LoadGenerator(scheduler, self._make_own)
        self._unacknowledged = Unacknowledged(scheduler, config.fetch_timeout_us, self._send_again, self._sender_free)
        self._told = Counts(0, 0, 0)
        self._is_making = False
        self._queue = self._new_queue()
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

        Raises what :meth:`check` does, and :class:`QueueFull`; then nothing is sent.
        """
        self.check(topic, records)
        if self.settings.sending == "async":
            self._queue.put(topic, records)
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
        """Where a key goes. The hash counts all partitions, also those of a dead broker: a key never wanders."""
        return checked_choice(self._key_partitioner, key, len(self._layout(topic)))

    def _turn(self, topic: str) -> int:
        """The partition shown as "next append"; draws the one after it."""
        candidates = self.candidates(topic)
        shown = self.next_append.get(topic, 0)
        chosen = shown if shown in candidates else next_in_turn(shown, candidates)
        if self.settings.partitioner == "random":
            self.next_append[topic] = next_by_chance(self._chance, candidates)
        else:
            self.next_append[topic] = next_in_turn(chosen, candidates)
        return chosen

    def _dispatch(self, topic: str, number: int, key: str, payloads: Sequence[bytes]) -> None:
        compressed = self.settings.compression == "gzip"
        message_set = encode_compressed_set(payloads) if compressed else encode_message_set(payloads)
        partition = TopicPartition(topic, number)
        self._transmit(partition, key, len(payloads), message_set, self.settings.retries)

    def _transmit(
        self, partition: TopicPartition, key: str, messages: int, message_set: bytes, tries_left: int
    ) -> None:
        """Put a message set on the wire under a new number."""
        topic, number = partition
        broker = self._layout(topic)[number]
        batch = self._numbers.next("batch")
        destination = f"broker:{broker}"
        due_us = self._network.due_us(ADDRESS, destination, self._latency)
        sent = BatchSent(
            self._scheduler.now_us,
            due_us,
            batch,
            topic,
            number,
            broker,
            key,
            messages,
            len(message_set),
            self.settings.compression,
            self.next_append.setdefault(topic, 0),
        )
        self._emit(sent)
        acknowledge = self.settings.acknowledgement == "broker"
        if acknowledge:
            self._unacknowledged.add(Unsure(batch, partition, key, messages, message_set, tries_left))
        acknowledge_to = ADDRESS if acknowledge else NOBODY
        request = ProduceRequest(batch, partition, messages, message_set, acknowledge_to)
        self._network.send_drawn(ADDRESS, destination, request, f"batch:{batch}", sent, due_us)

    # --- acknowledgements ---

    def _send_again(self, unsure: Unsure, reason: str) -> None:
        """A set failed or nothing was heard of it: send it again after a while, as often as ``retries`` says."""
        self._tell_lost(unsure.batch, unsure.partition, unsure.messages, reason)
        if unsure.tries_left > 0:
            again = unsure.partition, unsure.key, unsure.messages, unsure.message_set, unsure.tries_left - 1
            self._scheduler.after(self._config.fetch_backoff_us, lambda: self._transmit(*again))

    def _sender_free(self) -> None:
        self._queue.go_on()

    def _tell_lost(self, batch: int, partition: TopicPartition, messages: int, reason: str) -> None:
        broker = self._layout(partition.topic)[partition.partition]
        where = partition.topic, partition.partition, broker
        self._emit(BatchLost(self._scheduler.now_us, batch, *where, messages, reason))

    # --- queue ---

    def change(self, settings: ProducerSettings, topic: str) -> None:
        """Take new settings; at a rate above zero it makes page views for ``topic`` by itself."""
        old_queue = self._queue
        self.settings = settings
        self._own_topic = topic
        self._emit(ProducerChanged(self._scheduler.now_us, asdict(settings)))
        self._queue = self._new_queue()
        old_queue.close()
        self._own.run(settings.rate_per_second)

    def _new_queue(self) -> AsyncQueue:
        return AsyncQueue(self._scheduler, self.settings, self._ship, self._tell_queue)

    def _ship(self, batch: Sequence[Waiting]) -> bool:
        """Send a batch from the queue, topic by topic (0.7: one multi-produce); a batch that nobody takes is lost."""
        by_topic: dict[str, list[Record]] = {}
        for topic, record, _ in batch:
            by_topic.setdefault(topic, []).append(record)
        for topic, records in by_topic.items():
            if self.candidates(topic):
                self._send_now(topic, records)
            else:
                number = self._numbers.next("batch")
                nobody = TopicPartition(topic, 0)
                self._tell_lost(number, nobody, len(records), NoBrokerAvailable.code)
        return len(self._unacknowledged) == 0

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
            batch = message.request.batch
            self._emit(AcknowledgementReceived(self._scheduler.now_us, batch, message.error, ADDRESS))
            if message.error:
                self._unacknowledged.fail(batch, message.error)
            else:
                self._unacknowledged.settle(batch)
        elif not self._registry.heard(message):
            self._emit(WatchDelivered(self._scheduler.now_us, message.watch))
            self._watch_brokers()

    def bounced(self, destination: str, message: Any) -> None:
        """A message set found no broker: lost, unless it may be sent again. It may have been given up before."""
        if isinstance(message, ProduceRequest):
            if message.batch in self._unacknowledged:
                self._unacknowledged.fail(message.batch, "broker_down")
            else:
                self._tell_lost(message.batch, message.partition, message.messages, "broker_down")

    def _watch_brokers(self) -> None:
        self._registry.start(self._read_brokers())

    def _read_brokers(self) -> Conversation:
        (listed,) = yield (ops.WatchChildren(paths.BROKERS),)
        assert isinstance(listed, tuple)
        self._live_brokers = frozenset(int(name) for name in listed)
        self._candidates.clear()
