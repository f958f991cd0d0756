"""The producer: chooses partitions, groups messages into sets, sends them.

In the paper it gets no acknowledgements (section 3.1). Here it gets them only if they are switched on.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from random import Random

from engine.config import ProducerSettings
from engine.errors import MessageTooLarge, NoBrokerAvailable, QueueFull
from engine.events.producing import BatchSent, ProducerChanged, ProducerQueueChanged
from engine.ids import TopicPartition
from engine.message.message_set import encode_compressed_set, encode_message_set
from engine.producer.async_queue import AsyncQueue, Counts, Record, Waiting
from engine.producer.in_flight import Attempt, Delivery, InFlightBatches, Layout, SendingProcess
from engine.producer.load_generator import LoadGenerator
from engine.producer.page_views import PageViews
from engine.producer.partitioner import KeyPartitioner, checked_choice, keyed_index, next_by_chance, next_in_turn
from engine.registry.live_brokers import LiveBrokers
from engine.runtime.process import Machine, ProcessTime, never_resumes

ADDRESS = "producer"
NO_KEY = ""

Published = Callable[[str, Sequence[Record]], None]


def _without_audit(topic: str, records: Sequence[Record]) -> None:
    """Do nothing with published records: the default of a producer without an audit."""


@dataclass(frozen=True, slots=True)
class ProducedBatch:
    """A message set of the producer, as it was grouped and compressed; ``next_append`` is the producer's, by topic."""

    partition: TopicPartition
    key: str
    messages: int
    message_set: bytes
    compression: str
    next_append: Mapping[str, int]

    def sent(self, attempt: Attempt) -> BatchSent:
        """Make the event of an attempt to send it."""
        topic, number = self.partition
        return BatchSent(
            attempt.at_us,
            attempt.due_us,
            attempt.number,
            topic,
            number,
            attempt.broker,
            self.key,
            self.messages,
            len(self.message_set),
            self.compression,
            self.next_append.get(topic, 0),
        )


class Producer(SendingProcess[ProducedBatch]):
    """One producer process. ``layout(topic)[p]`` is the broker of partition p, which it takes from its configuration.

    It learns only from the registry which brokers are running: until a crashed broker's session expires,
    message sets are still sent to it and lost.
    """

    def __init__(
        self,
        machine: Machine,
        chance: Random,
        page_views: PageViews,
        layout: Layout,
        key_partitioner: KeyPartitioner = keyed_index,
    ) -> None:
        super().__init__(ADDRESS, machine, ProcessTime(machine.scheduler, never_resumes))
        self.settings: ProducerSettings = machine.config.producer
        self.next_append: dict[str, int] = {}
        self.on_published: Published = _without_audit
        self._chance = chance
        self._page_views = page_views
        self._layout = layout
        self._key_partitioner = key_partitioner
        self._candidates: dict[str, list[int]] = {}
        self._own_topic = ""
        self._own = LoadGenerator(self.time, self._make_own)
        self._in_flight = InFlightBatches[ProducedBatch](self, layout, self._delivery, self._partition_free)
        self._reported = Counts(0, 0, 0)
        self._is_making = False
        self._queue = AsyncQueue(
            self.time, self.settings, self._send_batch, lambda: self._in_flight.idle, self._report_queue
        )
        self._live_brokers = LiveBrokers(self, self._candidates.clear)
        self.attach()

    def start(self) -> None:
        """Open a session in the registry and read which brokers are running."""
        self._live_brokers.open()

    @property
    def queue_counts(self) -> Counts:
        """The counts of the queue as last journaled."""
        return self._reported

    @property
    def waiting_batches(self) -> int:
        """How many batches wait to be sent, behind one that is not acknowledged or before a retry."""
        return self._in_flight.waiting

    @property
    def waiting_bytes(self) -> int:
        """The bytes that wait in the queue, to be sent, or for an acknowledgement."""
        return self._queue.size_bytes + self._in_flight.unfinished_bytes

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
        limit = self.machine.config.max_message_bytes
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

        Records that asynchronous sending has left in the queue are sent first; until then, new ones wait behind them.
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
        """Send records without a key as one set, the others as one set for each partition."""
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
        """Return the partition of a key: its hash is taken over all partitions, also those of stopped brokers.

        This is ours. 0.7 hashed over the partitions of registered brokers only (Producer.zkSend), so there a key moved
        to another partition, and lost its order, when a broker came or went.
        """
        return checked_choice(self._key_partitioner, key, len(self._layout(topic)))

    def _turn(self, topic: str) -> int:
        """Return the partition shown as "next append" and choose the next, among all if no broker is listed."""
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

    def _partition_free(self, partition: TopicPartition) -> None:
        if self._in_flight.idle:
            self._queue.resume()

    # --- queue ---

    def change(self, settings: ProducerSettings, topic: str) -> None:
        """Apply new settings; at a rate above zero, generate page views for ``topic``.

        They apply to records that are grouped into batches from now on, also those in the queue, and to every attempt
        to send a batch. Waiting records keep their places, and dropped ones stay counted.
        """
        self.settings = settings
        self._own_topic = topic
        self.emit(ProducerChanged(self.now_us, asdict(settings)))
        self._queue.change(settings)
        self._own.run(settings.rate_per_second)

    def _send_batch(self, batch: Sequence[Waiting]) -> None:
        """Send a batch from the queue, topic by topic (0.7: one multi-produce).

        Without acknowledgements a batch is lost where the registry lists no broker; with them it is sent anyway,
        and retried like any other that finds no broker.
        """
        by_topic: dict[str, list[Record]] = {}
        for topic, record, _ in batch:
            by_topic.setdefault(topic, []).append(record)
        for topic, records in by_topic.items():
            if self.candidates(topic) or self.settings.acknowledgement == "broker":
                self._send_now(topic, records)
            else:
                number = self.machine.numbers.next("batch")
                partition = TopicPartition(topic, 0)
                self._in_flight.report_lost(number, partition, len(records), NoBrokerAvailable.code)

    def _report_queue(self) -> None:
        """Journal the counts of the queue if they changed, once for all records made at one instant."""
        if self._is_making:
            return
        counts = self._queue.counts
        if counts != self._reported:
            self._reported = counts
            now_us = self.now_us
            self.emit(ProducerQueueChanged(now_us, counts.queued, counts.blocked, counts.dropped))

    # --- generated messages ---

    def make(self, count: int) -> list[Record]:
        """Make ``count`` page views, with keys if the settings say so."""
        now_us = self.now_us
        keys = self.settings.keys
        return [
            Record(self._page_views.key(keys) if keys else NO_KEY, self._page_views.page_view(now_us))
            for _ in range(count)
        ]

    def make_of_size(self, count: int, size: int) -> list[Record]:
        """Make ``count`` page views without keys, of ``size`` bytes each."""
        now_us = self.now_us
        return [Record(NO_KEY, self._page_views.page_view_of(now_us, size)) for _ in range(count)]

    def _make_own(self, count: int) -> None:
        """Make messages for the queue, unless earlier ones still wait for a place in it.

        Every message counts as published, also one that finds no place: the audit should show that loss.
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
        self._report_queue()
