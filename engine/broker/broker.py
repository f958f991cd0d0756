"""A broker: partition logs behind two requests. It keeps nothing about any consumer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.broker.disk_queue import DiskQueue
from engine.broker.log_manager import LogManager, Moved
from engine.config import Config
from engine.errors import MachineFault, OffsetOutOfRange, OffsetscopeError, StorageFailed, UnknownPartition
from engine.events.base import Emit, Event
from engine.events.consuming import FetchAnswered, FetchFailed
from engine.events.network import MessageDropped
from engine.events.producing import BatchAcknowledged, BatchAppended, BatchLost, DiskChanged, LogFlushed, SegmentRolled
from engine.events.simple_consuming import PullAnswered, PullFailed
from engine.ids import BrokerId, TopicPartition
from engine.message.format import iterate_shallow
from engine.message.message_set import preview
from engine.protocol.messages import (
    NOBODY,
    FetchRequest,
    FetchResponse,
    MultiFetchRequest,
    MultiFetchResponse,
    OffsetsRequest,
    OffsetsResponse,
    ProduceRequest,
    ProduceResponse,
)
from engine.registry import paths
from engine.registry.client import RegistryClient
from engine.registry.server import ADDRESS as REGISTRY
from engine.registry.session import NO_SESSION, SessionListener
from engine.runtime.calendar import wall_milliseconds
from engine.runtime.network import Latency, Network
from engine.runtime.scheduler import Scheduler
from engine.storage.faulty_disk import DiskFault, FaultyDisk
from engine.storage.log import Appended, Log
from engine.storage.offsets import offsets_of_missing_log

Appending = Callable[[TopicPartition, Appended, tuple[str, ...]], None]


def address_of(broker: BrokerId) -> str:
    """A broker's address on the network and its name in the registry."""
    return f"broker:{broker}"


class Broker:
    """One broker process over a directory of logs; created stopped, and able to start more than once."""

    def __init__(
        self,
        broker: BrokerId,
        directory: Path,
        config: Config,
        scheduler: Scheduler,
        network: Network,
        emit: Emit,
        disk: FaultyDisk,
        on_append: Appending,
        on_cut: Moved,
        on_delete: Moved,
        on_disk_failure: Callable[[], None],
        registry: str = REGISTRY,
    ) -> None:
        self.broker = broker
        self.registry = registry
        self.alive = False
        self._config = config
        self._scheduler = scheduler
        self._network = network
        self._emit = emit
        self._disk = disk
        self._queue = DiskQueue(broker, scheduler, emit, self.handle_produce)
        self._on_disk_failure = on_disk_failure
        self._on_append = on_append
        self._log_manager = LogManager(
            broker, directory, config, scheduler, emit, disk, on_cut, on_delete, on_disk_failure
        )
        self.logs = self._log_manager.logs
        self._latency = Latency(config.network_latency_us, config.latency_jitter_permille)
        self._announced: set[str] = set()
        self._registry = self._new_registry_client()

    @property
    def address(self) -> str:
        """The broker's address on the network."""
        return address_of(self.broker)

    # --- life ---

    def start(self) -> None:
        """Open the logs of every partition held so far, recovering them, and register."""
        assert not self.alive
        self._log_manager.open()
        self.alive = True
        self._network.attach(self.address, self)
        self._registry = self._new_registry_client()
        self._registry.open()

    def stop(self) -> None:
        """Flush, close the logs and leave in good order."""
        self._log_manager.close()
        self._registry.close()
        self._go()

    def crash(self) -> int:
        """Lose what was not flushed and fall silent; returns when the last word reaches the registry, in virtual us."""
        self._log_manager.crash()
        self._registry.abandon()
        self._go()
        return self._registry.last_heard_us

    def close_files(self) -> None:
        """Close the logs without any word to anybody: the whole cluster is being put away."""
        if self.alive:
            self._log_manager.close_files()

    def create_log(self, partition: TopicPartition) -> None:
        """Take charge of a partition, with an empty log."""
        self._log_manager.create_log(partition)

    # --- disk ---

    @property
    def disk_delay_us(self) -> int:
        """How long the disk takes for a message set."""
        return self._queue.delay_us

    @property
    def disk_full(self) -> bool:
        """Whether the disk takes no more."""
        return self._disk.full

    @property
    def disk_fails(self) -> DiskFault:
        """Which operation of the disk fails, "" if all of them work."""
        return self._disk.fails

    @property
    def waiting(self) -> dict[str, Event]:
        """The message sets that wait for the disk, by the name of their flight."""
        return self._queue.waiting

    def set_disk_fault(self, delay_us: int, *, full: bool, fails: DiskFault) -> None:
        """Make the disk slow, full or failing, or none of it any more."""
        self._queue.delay_us = delay_us
        self._disk.full = full
        self._disk.fails = fails
        self._emit(DiskChanged(self._scheduler.now_us, self.broker, delay_us, full, fails))

    def _go(self) -> None:
        for request in self._queue.drop():
            self._tell_dropped(request)
        self._announced.clear()
        self._network.detach(self.address)
        self.alive = False

    # --- requests ---

    def receive(self, source: str, message: Any) -> None:
        """Serve one message from the network."""
        match message:
            case ProduceRequest():
                self._queue.put(message)
            case FetchRequest():
                self._answer(source, message)
            case MultiFetchRequest():
                self._answer_all(source, message)
            case OffsetsRequest():
                self._answer_offsets(source, message)
            case _:
                self._registry.heard(message)

    def bounced(self, destination: str, message: Any) -> None:
        """Whoever asked was gone when our answer arrived."""
        if isinstance(message, FetchResponse):
            request = message.request
            partition = request.partition
            self._emit(
                FetchFailed(
                    self._scheduler.now_us,
                    request.fetch,
                    request.group,
                    request.consumer,
                    partition.topic,
                    partition.partition,
                    "consumer_gone",
                )
            )
        elif isinstance(message, MultiFetchResponse):
            pull = message.request
            self._emit(PullFailed(self._scheduler.now_us, pull.pull, pull.client, "consumer_gone"))
        elif isinstance(message, ProduceResponse):
            now_us, client = self._scheduler.now_us, message.request.acknowledge_to
            self._emit(MessageDropped(now_us, self.address, client, f"ack:{message.request.batch}", "gone"))

    def handle_produce(self, request: ProduceRequest) -> None:
        """Append a message set; a bad one is dropped without a word to the producer (no acknowledgement).

        A disk that refuses halts the broker, as it did in 0.7 (Log.append).
        """
        partition = request.partition
        base_offset = self.logs[partition].active_base_offset if partition in self.logs else 0
        try:
            log = self._log(partition)
            appended = log.append(request.message_set)
        except MachineFault:
            raise
        except OffsetscopeError as error:
            self._refuse(request, error.code)
            if isinstance(error, StorageFailed):
                if self.logs[partition].active_base_offset != base_offset:
                    self._tell_roll(partition, self.logs[partition].active_base_offset)
                self._on_disk_failure()
            return
        self._tell_append(request, appended)
        self._announce(partition.topic)
        if request.acknowledge_to != NOBODY:
            self._acknowledge(ProduceResponse(request, appended.offset, ""))

    def _refuse(self, request: ProduceRequest, reason: str) -> None:
        """Nobody hears of it, unless somebody wants to know, who says then what to make of it."""
        if request.acknowledge_to != NOBODY:
            self._acknowledge(ProduceResponse(request, 0, reason))
        else:
            self._tell_lost(request, reason)

    def _tell_dropped(self, request: ProduceRequest) -> None:
        """A set waited for the disk. A client that wants to know tells of its loss itself, when no answer comes."""
        if request.acknowledge_to != NOBODY:
            now_us, client = self._scheduler.now_us, request.acknowledge_to
            self._emit(MessageDropped(now_us, client, self.address, f"disk:{request.batch}", "broker_down"))
        else:
            self._tell_lost(request, "broker_down")

    def _acknowledge(self, response: ProduceResponse) -> None:
        """Tell whoever asked."""
        request = response.request
        partition, client = request.partition, request.acknowledge_to
        where = partition.topic, partition.partition, self.broker
        due_us = self._network.due_us(self.address, client, self._latency)
        told = BatchAcknowledged(
            self._scheduler.now_us, due_us, request.batch, *where, response.offset, response.error, client
        )
        self._emit(told)
        self._network.send_drawn(self.address, client, response, f"ack:{request.batch}", told, due_us)

    def _tell_lost(self, request: ProduceRequest, reason: str) -> None:
        partition = request.partition
        where = partition.topic, partition.partition, self.broker
        self._emit(BatchLost(self._scheduler.now_us, request.batch, *where, request.messages, reason))

    def handle_fetch(self, request: FetchRequest) -> FetchResponse:
        """Read the bytes asked for, no further than the flushed end of the segment that holds the offset.

        A topic that nobody has made here is empty, and stays unmade (0.7.1); a number that a topic does not have here
        is an error. So are bytes that the disk cannot read: the broker lives, and the answer says so (0.7: error code
        -1, Unknown).
        """
        if self._is_missing(request.partition):
            return FetchResponse(request, b"", "")
        try:
            return FetchResponse(request, self._log(request.partition).read(request.offset, request.max_bytes), "")
        except (OffsetOutOfRange, UnknownPartition, StorageFailed) as error:
            return FetchResponse(request, b"", error.code)

    def handle_offsets(self, partition: TopicPartition, time_us: int, max_offsets: int) -> tuple[int, ...]:
        """Offsets before a virtual time, newest first (0.7: Log.getOffsetsBefore).

        ``OFFSETS_LATEST`` begins at the end, ``OFFSETS_EARLIEST`` gives the first offset alone. A topic that nobody has
        made here begins and ends at 0. Raises :class:`~engine.errors.UnknownPartition`, and
        :class:`~engine.errors.StorageFailed` if the disk does not say how old a segment is.
        """
        if self._is_missing(partition):
            return offsets_of_missing_log(time_us)
        return self._log(partition).offsets_before(time_us, max_offsets)

    def _answer(self, source: str, request: FetchRequest) -> None:
        response = self.handle_fetch(request)
        partition = request.partition
        due_us = self._network.due_us(self.address, source, self._latency)
        answered = FetchAnswered(
            self._scheduler.now_us,
            due_us,
            request.fetch,
            request.group,
            request.consumer,
            partition.topic,
            partition.partition,
            self.broker,
            request.offset,
            len(response.data),
            response.error,
        )
        self._emit(answered)
        self._network.send_drawn(self.address, source, response, f"answer:{request.fetch}", answered, due_us)

    def _answer_all(self, source: str, request: MultiFetchRequest) -> None:
        """One answer with the answers to all fetches, each with its own error (0.7: MULTIFETCH)."""
        response = MultiFetchResponse(request, tuple(self.handle_fetch(fetch) for fetch in request.fetches))
        due_us = self._network.due_us(self.address, source, self._latency)
        size = sum(len(answer.data) for answer in response.answers)
        answered = PullAnswered(self._scheduler.now_us, due_us, request.pull, request.client, self.broker, size)
        self._emit(answered)
        self._network.send_drawn(self.address, source, response, f"pulled:{request.pull}", answered, due_us)

    def _answer_offsets(self, source: str, request: OffsetsRequest) -> None:
        try:
            offsets = self.handle_offsets(request.partition, request.time_us, request.max_offsets)
            answer = OffsetsResponse(request, offsets, "")
        except (UnknownPartition, StorageFailed) as error:
            answer = OffsetsResponse(request, (), error.code)
        self._network.send(self.address, source, answer, self._network.due_us(self.address, source, self._latency))

    def _is_missing(self, partition: TopicPartition) -> bool:
        """Whether nothing of the topic is here, as far as a number can say."""
        if partition in self.logs or partition.partition < 0:
            return False
        return all(held.topic != partition.topic for held in self.logs)

    def _log(self, partition: TopicPartition) -> Log:
        log = self.logs.get(partition)
        if log is None:
            raise UnknownPartition(
                f"broker {self.broker} does not hold {partition}",
                "ask for one of: " + ", ".join(str(held) for held in sorted(self.logs)),
                partition=str(partition),
            )
        return log

    # --- appending and flushing ---

    def _tell_append(self, request: ProduceRequest, appended: Appended) -> None:
        partition = request.partition
        now_us = self._scheduler.now_us
        previews = previews_of(request.message_set)
        if appended.rolled_base_offset >= 0:
            self._tell_roll(partition, appended.rolled_base_offset)
        self._emit(
            BatchAppended(
                now_us,
                request.batch,
                partition.topic,
                partition.partition,
                self.broker,
                appended.offset,
                appended.next_offset,
                appended.messages,
                appended.sizes,
                previews,
            )
        )
        self._on_append(partition, appended, previews)
        if appended.flushed:
            self._log_manager.flush(partition)
        else:
            self._log_manager.flush_in_time(partition)

    def _tell_roll(self, partition: TopicPartition, base_offset: int) -> None:
        now_us = self._scheduler.now_us
        self._emit(LogFlushed(now_us, partition.topic, partition.partition, base_offset))
        self._emit(SegmentRolled(now_us, partition.topic, partition.partition, base_offset))

    # --- registry ---

    def _new_registry_client(self) -> RegistryClient:
        listener = SessionListener(self._register, self._register_anew, lambda: None)
        return RegistryClient(self.address, self._scheduler, self._network, self._config, listener, self.registry)

    def _register_anew(self) -> None:
        self._registry.open()

    def _register(self) -> None:
        """Say that the broker is there, and which topics it has messages of (0.7: KafkaZooKeeper)."""
        creator = f"broker{self.broker}-{wall_milliseconds(self._scheduler.now_us)}"
        own = paths.broker(self.broker)
        self._registry.claim(own, f"{creator}:broker{self.broker}:9092", self._config.rebalance_backoff_us)
        self._announced.clear()
        for topic in sorted({partition.topic for partition, log in self.logs.items() if log.next_offset > 0}):
            self._announce(topic)

    def _announce(self, topic: str) -> None:
        """Register a topic when its first message reaches this broker: until then consumers do not know of it here."""
        if topic in self._announced or self._registry.session == NO_SESSION:
            return
        self._announced.add(topic)
        numbers = sorted(partition.partition for partition in self.logs if partition.topic == topic)
        node = paths.topic_broker(topic, self.broker)
        self._registry.claim(node, paths.encode_partitions(numbers), self._config.rebalance_backoff_us)


def previews_of(message_set: bytes) -> tuple[str, ...]:
    """The beginning of each entry's text."""
    return tuple([preview(payload, codec) for _, _, payload, codec in iterate_shallow(message_set, 0)])
