"""The commands on the producer and on the topics it writes to."""

from dataclasses import dataclass, replace

from engine.cluster.cluster import Cluster
from engine.cluster.deployment import LIVE
from engine.cluster.pending import MOST_PENDING_BYTES, pending_bytes
from engine.commands.fields import Fields
from engine.commands.offset_check import check_offset
from engine.errors import InvalidCommand, NameTaken, NoBrokerAvailable, UnknownTopic, WrongState
from engine.ids import TopicPartition, checked_topic
from engine.producer.async_queue import Record
from engine.producer.producer import NO_KEY

ONLY_TOPIC = ""
PRODUCER_DECIDES = 0
NATURAL_SIZE = 0
MOST_MESSAGES = 10_000
MOST_BYTES = 16_000_000
MOST_CHARACTERS = 1_000_000
MOST_KEY_CHARACTERS = 1_000
MOST_PARTITIONS = 64
MOST_UNDER_WAY = 1_000
"""How many messages may be in flight, or wait behind a batch in flight, before sending is refused.

Time may be paused while people send; without a limit every checkpoint would list all that is in flight.
"""
PRODUCER_NUMBERS = {
    "batch_messages": (1, 1000),
    "linger_ms": (0, 60_000),
    "queue_messages": (1, 100_000),
    "queue_wait_ms": (0, 60_000),
    "keys": (0, 1000),
    "retries": (0, 100),
}
PRODUCER_CHOICES = {
    "sending": ("sync", "async"),
    "queue_full": ("fail", "block", "wait"),
    "partitioner": ("round_robin", "random"),
    "compression": ("none", "gzip"),
    "acknowledgement": ("none", "broker"),
}


def topic_named(cluster: Cluster, name: str) -> str:
    """Return a topic that exists, by default the first; raise :class:`UnknownTopic` if there is none."""
    if name != ONLY_TOPIC:
        cluster.state.topic_brokers(name)
        return name
    if not cluster.state.topics:
        raise UnknownTopic("there is no topic yet", "add one first")
    return next(iter(cluster.state.topics))


@dataclass(frozen=True, slots=True)
class Produce:
    """Send messages: these ``records``, or ``count`` page views of ``size`` payload bytes.

    A count of 0 is the producer's own batch size, a size of 0 the natural one.
    """

    topic: str
    records: tuple[tuple[str, str], ...]
    count: int
    size: int

    @staticmethod
    def parse(fields: Fields) -> "Produce":
        """``records: [{"key", "value"}]``, or ``key`` and ``value`` of one, or ``count`` and ``size``."""
        topic = fields.text("topic", ONLY_TOPIC)
        records: tuple[tuple[str, str], ...] = ()
        given = [name for name in ("records", "value", "count") if fields.has(name)]
        if len(given) > 1:
            raise fields.fault(given[1], f"does not go with {given[0]}", "give records, or a value, or a count")
        if given == ["records"]:
            records = _records(fields)
        elif given == ["value"] or fields.has("key"):
            key = fields.text("key", NO_KEY, most=MOST_KEY_CHARACTERS)
            records = ((key, fields.text("value", "", most=MOST_CHARACTERS)),)
        count = fields.integer("count", 1, MOST_MESSAGES, PRODUCER_DECIDES)
        size = fields.integer("size", 1, 1_000_000, NATURAL_SIZE)
        if count * size > MOST_BYTES:
            raise fields.fault(
                "size", f"times count is {count * size} bytes", f"send at most {MOST_BYTES} bytes at once"
            )
        return Produce(topic, records, count, size)

    @property
    def _size_bytes(self) -> int:
        return sum(len(value.encode()) for _, value in self.records) or self.count * self.size

    def apply(self, cluster: Cluster) -> None:
        """Send at once; nothing is sent if one message is too large or no broker is registered."""
        producer = cluster.state.producer
        topic = topic_named(cluster, self.topic)
        under_way = sum(1 for _ in cluster.state.network.flights) + producer.waiting_batches
        if under_way >= MOST_UNDER_WAY:
            raise WrongState(
                f"{under_way} messages are in flight already, or wait for one that is",
                "let time run until some have landed",
                under_way=under_way,
            )
        pending = pending_bytes(cluster.state)
        if pending + self._size_bytes > MOST_PENDING_BYTES:
            raise WrongState(
                f"{pending} bytes of messages wait or are in flight already",
                "let time run until some have landed",
                pending_bytes=pending,
            )
        if self.records:
            producer.send(topic, [Record(key, value.encode()) for key, value in self.records])
            return
        if not producer.candidates(topic):
            raise NoBrokerAvailable(
                f"no broker of topic {topic} is in the registry", "start a broker and wait for it", topic=topic
            )
        count = self.count or producer.settings.batch_messages
        natural = self.size == NATURAL_SIZE
        producer.send(topic, producer.make(count) if natural else producer.make_of_size(count, self.size))


def _records(fields: Fields) -> tuple[tuple[str, str], ...]:
    remedy = 'give a list of {"key": text, "value": text}, the key being optional'
    records = fields.raw("records")
    if not isinstance(records, list) or not 1 <= len(records) <= MOST_MESSAGES:
        raise fields.fault("records", f"is not a list of 1 to {MOST_MESSAGES}", remedy)
    pairs = []
    for record in records:
        if not isinstance(record, dict) or not set(record) <= {"key", "value"}:
            raise fields.fault("records", "holds something other than records", remedy)
        key = fields.checked_text("records", record.get("key") or NO_KEY, most=MOST_KEY_CHARACTERS)
        value = fields.checked_text("records", record.get("value", ""), most=MOST_CHARACTERS)
        pairs.append((key, value))
    return tuple(pairs)


@dataclass(frozen=True, slots=True)
class SetProducer:
    """Change some of the producer's settings (see ``config.ProducerSettings``)."""

    changes: tuple[tuple[str, float | int | str], ...]
    topic: str

    @staticmethod
    def parse(fields: Fields) -> "SetProducer":
        """Any of the settings by name; ``topic`` is where a producer with a rate sends."""
        changes: dict[str, float | int | str] = {}
        topic = fields.text("topic", ONLY_TOPIC)
        if fields.has("rate_per_second"):
            changes["rate_per_second"] = fields.number("rate_per_second", 0, 10_000)
        for name, (low, high) in PRODUCER_NUMBERS.items():
            if fields.has(name):
                changes[name] = fields.integer(name, low, high)
        for name, choices in PRODUCER_CHOICES.items():
            if fields.has(name):
                changes[name] = fields.choice(name, choices)
        if not changes:
            raise fields.fault(
                "a setting",
                "is missing",
                "give one of: " + ", ".join(["rate_per_second", *PRODUCER_NUMBERS, *PRODUCER_CHOICES]),
            )
        return SetProducer(tuple(changes.items()), topic)

    def apply(self, cluster: Cluster) -> None:
        """Take effect at once, also for records in the queue, which keep their order (see ``Producer.change``)."""
        producer = cluster.state.producer
        producer.change(replace(producer.settings, **dict(self.changes)), topic_named(cluster, self.topic))  # type: ignore[arg-type]  # checked by name in parse


@dataclass(frozen=True, slots=True)
class AddTopic:
    """Create a topic; its partitions are spread over the brokers in turn."""

    topic: str
    partitions: int

    @staticmethod
    def parse(fields: Fields) -> "AddTopic":
        """``topic`` and, if not 3, ``partitions``."""
        return AddTopic(checked_topic(fields.text("topic")), fields.integer("partitions", 1, MOST_PARTITIONS, 3))

    def apply(self, cluster: Cluster) -> None:
        """Create its logs on the brokers that are alive now, in the live datacenter; there must be one."""
        state = cluster.state
        if self.topic in state.topics:
            raise NameTaken(f"topic {self.topic} exists", "choose another name", topic=self.topic)
        brokers = sorted(
            number for number, broker in state.brokers.items() if broker.alive and state.datacenter_of(number) == LIVE
        )
        if not brokers:
            raise WrongState("no broker is alive", "start one first")
        cluster.add_topic(self.topic, [brokers[number % len(brokers)] for number in range(self.partitions)])


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Flip the first payload byte of a message on disk, which no process notices."""

    topic: str
    partition: int
    offset: int

    @staticmethod
    def parse(fields: Fields) -> "Corrupt":
        """``partition`` and the ``offset`` at which the message begins."""
        return Corrupt(
            fields.text("topic", ONLY_TOPIC),
            fields.integer("partition", 0, MOST_PARTITIONS - 1),
            fields.integer("offset", 0, 2**62),
        )

    def apply(self, cluster: Cluster) -> None:
        """The message must be on disk, and at least one byte long."""
        partition = cluster.state.partition(topic_named(cluster, self.topic), self.partition)
        check_offset(cluster, partition, self.offset)
        log = cluster.state.broker_of(partition).logs[partition]
        header = log.read_unflushed(self.offset, 10)
        overhead = 9 if len(header) == 10 and header[4] == 0 else 10
        if len(header) < 10 or int.from_bytes(header[:4], "big") + 4 <= overhead:
            raise InvalidCommand(
                f"there is no payload at offset {self.offset} of {partition}",
                "choose the offset of a flushed message that is not empty",
                field="offset",
                offset=self.offset,
            )
        cluster.flip_byte(TopicPartition(partition.topic, partition.partition), self.offset, overhead)
