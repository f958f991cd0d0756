"""The producer: chooses partitions, groups messages into sets, sends them, hears nothing back (paper, section 3.1)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from engine import events
from engine.config import Config, ProducerSettings
from engine.errors import MessageTooLarge, NoBrokerAvailable
from engine.events import Emit
from engine.ids import BrokerId, TopicPartition
from engine.message import encode_compressed_set, encode_message_set
from engine.network import Latency, Network
from engine.numbers import Numbers
from engine.partitioner import keyed_index, next_by_chance, next_in_turn
from engine.protocol import ProduceRequest
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.client import Conversation, RegistryClient
from engine.registry.session import Ends
from engine.scheduler import Scheduler, Timer
from engine.traffic import Traffic

ADDRESS = "producer"
NO_KEY = ""
SLICE_US = 50_000
"""Above one message a slice, the producer's own messages are made several at a time."""


@dataclass(frozen=True, slots=True)
class Record:
    """A message with the key that chooses its partition; the format of 2011 stores the payload alone."""

    key: str
    payload: bytes


Layout = Callable[[str], Sequence[BrokerId]]


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
        numbers: Numbers,
        chance: Random,
        traffic: Traffic,
        layout: Layout,
    ) -> None:
        self.settings: ProducerSettings = config.producer
        self.next_append: dict[str, int] = {}
        self._config = config
        self._scheduler = scheduler
        self._network = network
        self._emit = emit
        self._numbers = numbers
        self._chance = chance
        self._traffic = traffic
        self._layout = layout
        self._latency = Latency(config.network_latency_us, config.latency_jitter_permille)
        self._live_brokers: frozenset[int] = frozenset()
        self._waiting: dict[tuple[str, str], list[Record]] = {}
        self._linger: dict[tuple[str, str], Timer] = {}
        self._own_topic = ""
        self._own_timer: Timer | None = None
        self._own_due: float = 0.0
        ends = Ends(self._watch_brokers, self.start, lambda: None)
        self._registry = RegistryClient(ADDRESS, scheduler, network, config, ends)
        network.attach(ADDRESS, self)

    def start(self) -> None:
        """Open a session and learn which brokers live."""
        self._registry.open()

    # --- sending ---

    def candidates(self, topic: str) -> list[int]:
        """The partitions of a topic whose brokers the registry lists, in order."""
        return [number for number, broker in enumerate(self._layout(topic)) if broker in self._live_brokers]

    def check(self, topic: str, records: Sequence[Record]) -> None:
        """Raise what :meth:`send` would: :class:`MessageTooLarge`, :class:`NoBrokerAvailable`."""
        limit = self._config.max_message_bytes
        for record in records:
            if len(record.payload) > limit:
                raise MessageTooLarge(
                    f"a message of {len(record.payload)} bytes is over the limit of {limit}",
                    f"send at most {limit} bytes a message",
                    bytes=len(record.payload),
                    max_message_bytes=limit,
                )
        if not self.candidates(topic):
            raise NoBrokerAvailable(
                f"no broker of topic {topic} is in the registry", "start a broker and wait for it", topic=topic
            )

    def send(self, topic: str, records: Sequence[Record]) -> None:
        """Send records at once: those without a key as one set, the others as one set a partition."""
        self.check(topic, records)
        unkeyed = [record for record in records if record.key == NO_KEY]
        if unkeyed:
            self._dispatch(topic, self._turn(topic), NO_KEY, unkeyed)
        by_partition: dict[int, list[Record]] = {}
        for record in records:
            if record.key != NO_KEY:
                by_partition.setdefault(self.keyed_partition(topic, record.key), []).append(record)
        for number, keyed in by_partition.items():
            self._dispatch(topic, number, keyed[0].key, keyed)

    def keyed_partition(self, topic: str, key: str) -> int:
        """Where a key goes. The hash counts all partitions, also those of a dead broker: a key never wanders."""
        return keyed_index(key, len(self._layout(topic)))

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

    def _dispatch(self, topic: str, number: int, key: str, records: Sequence[Record]) -> None:
        payloads = [record.payload for record in records]
        compressed = self.settings.compression == "gzip"
        message_set = encode_compressed_set(payloads) if compressed else encode_message_set(payloads)
        partition = TopicPartition(topic, number)
        broker = self._layout(topic)[number]
        batch = self._numbers.next("batch")
        destination = f"broker:{broker}"
        due_us = self._network.due_us(ADDRESS, destination, self._latency)
        sent = events.BatchSent(
            self._scheduler.now_us,
            due_us,
            batch,
            topic,
            number,
            broker,
            key,
            len(records),
            len(message_set),
            self.settings.compression,
            self.next_append.setdefault(topic, 0),
        )
        self._emit(sent)
        request = ProduceRequest(batch, partition, len(records), message_set)
        self._network.send_drawn(ADDRESS, destination, request, f"batch:{batch}", sent, due_us)

    # --- making messages of its own ---

    def change(self, settings: ProducerSettings, topic: str) -> None:
        """Take new settings; at a rate above zero it makes page views for ``topic`` by itself."""
        self.settings = settings
        self._own_topic = topic
        self._emit(events.ProducerChanged(self._scheduler.now_us, asdict(settings)))
        if self._own_timer is not None:
            self._own_timer.cancel()
        if settings.rate_per_second > 0:
            self._own_due = 0.0
            self._make_later()
        else:
            for topic_and_key in list(self._waiting):
                self._ship(topic_and_key)

    def make(self, count: int) -> list[Record]:
        """``count`` page views, with keys if the settings say so."""
        now_us = self._scheduler.now_us
        keys = self.settings.keys
        return [
            Record(self._traffic.key(keys) if keys else NO_KEY, self._traffic.page_view(now_us)) for _ in range(count)
        ]

    def make_of_size(self, count: int, size: int) -> list[Record]:
        """``count`` page views without keys, of ``size`` bytes each."""
        now_us = self._scheduler.now_us
        return [Record(NO_KEY, self._traffic.page_view_of(now_us, size)) for _ in range(count)]

    def _make_later(self) -> None:
        period_us = max(SLICE_US, round(1_000_000 / self.settings.rate_per_second))
        self._own_timer = self._scheduler.after(period_us, lambda: self._make_own(period_us))

    def _make_own(self, period_us: int) -> None:
        self._own_due += self.settings.rate_per_second * period_us / 1_000_000
        count = int(self._own_due + 1e-6)
        self._own_due -= count
        for record in self.make(count):
            self._wait_for_company(record)
        self._make_later()

    def _wait_for_company(self, record: Record) -> None:
        """Hold a record until its set is full or has lingered long enough (0.7: batch.size, queue.time)."""
        partition = "" if record.key == NO_KEY else str(self.keyed_partition(self._own_topic, record.key))
        waiting_for = (self._own_topic, partition)
        waiting = self._waiting.setdefault(waiting_for, [])
        waiting.append(record)
        if len(waiting) >= self.settings.batch_messages:
            self._ship(waiting_for)
        elif len(waiting) == 1:
            linger_us = self.settings.linger_ms * 1000
            self._linger[waiting_for] = self._scheduler.after(linger_us, lambda: self._ship(waiting_for))

    def _ship(self, waiting_for: tuple[str, str]) -> None:
        records = self._waiting.pop(waiting_for, [])
        timer = self._linger.pop(waiting_for, None)
        if timer is not None:
            timer.cancel()
        try:
            if records:
                self.send(waiting_for[0], records)
        except NoBrokerAvailable as error:
            batch = self._numbers.next("batch")
            lost = events.BatchLost(self._scheduler.now_us, batch, waiting_for[0], 0, 0, len(records), error.code)
            self._emit(lost)

    # --- process ---

    def receive(self, source: str, message: Any) -> None:
        """Hear the registry; brokers never answer."""
        if not self._registry.heard(message):
            self._emit(events.WatchDelivered(self._scheduler.now_us, message.watch))
            self._watch_brokers()

    def bounced(self, destination: str, message: Any) -> None:
        """A message set found no broker: it is lost, and nobody sends it again (paper, section 3.1)."""
        if isinstance(message, ProduceRequest):
            self._emit(
                events.BatchLost(
                    self._scheduler.now_us,
                    message.batch,
                    message.partition.topic,
                    message.partition.partition,
                    self._layout(message.partition.topic)[message.partition.partition],
                    message.messages,
                    "broker_down",
                )
            )

    def _watch_brokers(self) -> None:
        self._registry.start(self._read_brokers())

    def _read_brokers(self) -> Conversation:
        (listed,) = yield (ops.WatchChildren(paths.BROKERS),)
        assert isinstance(listed, tuple)
        self._live_brokers = frozenset(int(name) for name in listed)
