"""A broker: partition logs behind a request handler. It keeps no state about consumers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.broker.disk_queue import DiskQueue
from engine.broker.log_manager import LogListener, LogManager
from engine.broker.request_handler import RequestHandler
from engine.errors import MachineFault, OffsetscopeError, StorageFailed
from engine.events.base import Event
from engine.events.consuming import FetchAnswered, FetchFailed
from engine.events.network import MessageDropped
from engine.events.producing import BatchAcknowledged, BatchAppended, BatchLost, DiskChanged, LogFlushed, SegmentRolled
from engine.events.simple_consuming import MultiFetchAnswered, MultiFetchFailed
from engine.ids import BrokerId, TopicPartition
from engine.message.format import iterate_shallow
from engine.message.message_set import preview
from engine.protocol.envelope import (
    NO_ADDRESS,
    BatchLabel,
    FetchLabel,
    MultiFetchLabel,
    OffsetsLabel,
    RequestEnvelope,
    ResponseEnvelope,
)
from engine.protocol.faults import code_of, error_name
from engine.protocol.requests import AnsweredRequest, FetchRequest, MultiFetchRequest, ProduceRequest
from engine.protocol.responses import HEADER_BYTES, encode_acknowledgement, response_header
from engine.registry import paths
from engine.registry.client import RegistryClient
from engine.registry.server import ADDRESS as REGISTRY
from engine.registry.session import NO_SESSION, SessionListener
from engine.runtime.calendar import wall_milliseconds
from engine.runtime.process import Departure, Machine, Process, ProcessTime, never_resumes
from engine.storage.faulty_disk import DiskFault, FaultyDisk
from engine.storage.log import Appended, Log


def address_of(broker: BrokerId) -> str:
    """A broker's address on the network and its name in the registry."""
    return f"broker:{broker}"


def _nothing_to_close() -> None:
    """Do nothing: a broker that stops does not wait for the registry's response."""


def _chooses_no_partition() -> int:
    """The clients of a simulated broker always name the partition."""
    raise AssertionError("a simulated client left the partition to the broker")


class Broker(Process):
    """A broker process over a directory of logs. It is created stopped, and can start more than once.

    ``on_disk_failure`` is called when a write to disk fails: the broker must then halt (0.7: Log.append halts the
    process).
    """

    def __init__(
        self,
        broker: BrokerId,
        directory: Path,
        machine: Machine,
        disk: FaultyDisk,
        listener: LogListener,
        on_disk_failure: Callable[[], None],
        registry: str = REGISTRY,
    ) -> None:
        super().__init__(address_of(broker), machine, ProcessTime(machine.scheduler, never_resumes))
        self.broker = broker
        self.registry = registry
        self.alive = False
        self._disk = disk
        self._listener = listener
        self._on_disk_failure = on_disk_failure
        self._queue = DiskQueue(broker, self, self._append)
        self._log_manager = LogManager(broker, directory, self, disk, listener, on_disk_failure)
        self._handler = RequestHandler(self._log_manager, Log.read, _chooses_no_partition)
        self._registered_topics: set[str] = set()
        self._registry = self._new_registry_client()

    @property
    def logs(self) -> dict[TopicPartition, Log]:
        """The partition logs; they can be read while the broker is stopped or crashed."""
        return self._log_manager.logs

    # --- starting and stopping ---

    def start(self) -> None:
        """Open the logs of every partition held so far, recovering them, and register."""
        assert not self.alive
        self._log_manager.open()
        self.alive = True
        self.attach()
        self._registry = self._new_registry_client()
        self._registry.open()

    def stop(self) -> None:
        """Flush and close the logs, then close the registry session."""
        self._log_manager.close()
        self._registry.close()
        self._end()

    def crash(self) -> int:
        """Lose what was not flushed and stop sending; return when the last message reaches the registry."""
        self._log_manager.crash()
        self._registry.abandon()
        self._end()
        return self._registry.last_arrival_us

    def close_files(self) -> None:
        """Close the logs and report nothing: the whole cluster is being closed."""
        if self.alive:
            self._log_manager.close_files()

    def create_log(self, partition: TopicPartition) -> None:
        """Create an empty log for a partition."""
        self._log_manager.create_log(partition)

    # --- disk ---

    @property
    def disk_delay_us(self) -> int:
        """How long the disk takes to write a message set, in microseconds."""
        return self._queue.delay_us

    @property
    def disk_full(self) -> bool:
        """Whether the disk is full."""
        return self._disk.full

    @property
    def disk_fails(self) -> DiskFault:
        """Which disk operation fails; "" if none does."""
        return self._disk.fails

    @property
    def waiting(self) -> dict[str, Event]:
        """The message sets that wait for the disk, by flight name."""
        return self._queue.waiting

    @property
    def queued_bytes(self) -> int:
        """The bytes of the requests that wait for the disk."""
        return self._queue.size_bytes

    def set_disk_fault(self, delay_us: int, *, full: bool, fails: DiskFault) -> None:
        """Make the disk slow, full or failing, or clear these faults."""
        self._queue.delay_us = delay_us
        self._disk.full = full
        self._disk.fails = fails
        self.emit(DiskChanged(self.now_us, self.broker, delay_us, full, fails))

    def _end(self) -> None:
        for envelope in self._queue.drop():
            self._report_dropped(envelope)
        self._registered_topics.clear()
        self.detach()
        self.alive = False

    # --- requests ---

    def handle(self, source: str, message: Any) -> None:
        """Serve a request, or process a message from the registry."""
        if not isinstance(message, RequestEnvelope):
            self._registry.receive(message)
            return
        request = message.request
        if isinstance(message.label, BatchLabel):
            self._queue.put(message)
        else:
            assert isinstance(request, AnsweredRequest)
            self._respond(source, message, request)

    def handle_bounce(self, destination: str, message: Any) -> None:
        """Report a response whose client was gone when it arrived."""
        if not isinstance(message, ResponseEnvelope):
            return
        now_us = self.now_us
        match message.answers.label:
            case FetchLabel(fetch, group, consumer):
                topic, number = message.answers.partition
                self.emit(FetchFailed(now_us, fetch, group, consumer, topic, number, "consumer_gone"))
            case MultiFetchLabel(multi_fetch, client):
                self.emit(MultiFetchFailed(now_us, multi_fetch, client, "consumer_gone"))
            case BatchLabel(batch=batch, acknowledge_to=client):
                self.emit(MessageDropped(now_us, self.address, client, f"ack:{batch}", "gone"))

    # --- produce ---

    def _append(self, envelope: RequestEnvelope) -> None:
        """Append the message set of a produce request; an invalid one is dropped without a response (0.7).

        A failed write halts the broker, as in 0.7 (Log.append).
        """
        request = envelope.request
        assert isinstance(request, ProduceRequest)
        partition = envelope.partition
        base_offset = self._base_offset_of(partition)
        try:
            appended = self._log_manager.get(self._handler.destination(request)).append(request.message_set)
        except MachineFault:
            raise
        except OffsetscopeError as error:
            self._refuse(envelope, error.code)
            if isinstance(error, StorageFailed):
                if self._base_offset_of(partition) != base_offset:
                    self._report_roll(partition, self._base_offset_of(partition))
                self._on_disk_failure()
            return
        self._report_append(envelope, request, appended)
        self._register_topic(partition.topic)
        self._acknowledge(envelope, appended.offset, "")

    def _base_offset_of(self, partition: TopicPartition) -> int:
        return self.logs[partition].active_base_offset if partition in self.logs else 0

    def _refuse(self, envelope: RequestEnvelope, reason: str) -> None:
        """Send the error to a client that wants an acknowledgement; it reports the loss. Otherwise report it here."""
        if envelope.batch.acknowledge_to != NO_ADDRESS:
            self._acknowledge(envelope, 0, reason)
        else:
            self._report_lost(envelope, reason)

    def _report_dropped(self, envelope: RequestEnvelope) -> None:
        """Report a set that waited for the disk. With acknowledgements, the client reports the loss on a timeout."""
        batch, client = envelope.batch.batch, envelope.batch.acknowledge_to
        if client != NO_ADDRESS:
            self.emit(MessageDropped(self.now_us, client, self.address, f"disk:{batch}", "broker_down"))
        else:
            self._report_lost(envelope, "broker_down")

    def _acknowledge(self, envelope: RequestEnvelope, offset: int, error: str) -> None:
        """Send an acknowledgement if the client asked for one."""
        batch, client = envelope.batch.batch, envelope.batch.acknowledge_to
        if client == NO_ADDRESS:
            return
        topic, number = envelope.partition

        def departure(due_us: int) -> Event:
            return BatchAcknowledged(self.now_us, due_us, batch, topic, number, self.broker, offset, error, client)

        response = ResponseEnvelope(envelope, encode_acknowledgement(offset, error))
        self.send_flight(client, response, self.machine.latency, f"ack:{batch}", departure)

    def _report_lost(self, envelope: RequestEnvelope, reason: str) -> None:
        topic, number = envelope.partition
        batch, messages = envelope.batch.batch, envelope.batch.messages
        self.emit(BatchLost(self.now_us, batch, topic, number, self.broker, messages, reason))

    # --- fetch and offsets ---

    def _respond(self, source: str, envelope: RequestEnvelope, request: AnsweredRequest) -> None:
        """Send the response. Where an offsets request fails, 0.7 closes the connection; we send the error code."""
        try:
            frame = b"".join([part for part in self._handler.answer(request) if isinstance(part, bytes)])
        except MachineFault:
            raise
        except OffsetscopeError as error:
            frame = response_header(0, code_of(error))
        response = ResponseEnvelope(envelope, frame)
        match envelope.label:
            case FetchLabel(fetch=fetch) if isinstance(request, FetchRequest):
                departure = self._fetch_departure(envelope.label, request, response)
                self.send_flight(source, response, self.machine.latency, f"answer:{fetch}", departure)
            case MultiFetchLabel(multi_fetch, client) if isinstance(request, MultiFetchRequest):
                size_bytes = len(frame) - HEADER_BYTES * (1 + len(request.fetches))

                def departure_of_all(due_us: int) -> Event:
                    return MultiFetchAnswered(self.now_us, due_us, multi_fetch, client, self.broker, size_bytes)

                self.send_flight(
                    source, response, self.machine.latency, f"multi_fetch_answer:{multi_fetch}", departure_of_all
                )
            case OffsetsLabel():
                self.send_message(source, response, self.machine.latency)

    def _fetch_departure(self, label: FetchLabel, request: FetchRequest, response: ResponseEnvelope) -> Departure:
        answer = response.response
        error = error_name(answer.error_code, request.topic, request.partition, request.offset)

        def departure(due_us: int) -> Event:
            return FetchAnswered(
                self.now_us,
                due_us,
                label.fetch,
                label.group,
                label.consumer,
                request.topic,
                request.partition,
                self.broker,
                request.offset,
                len(answer.body),
                error,
            )

        return departure

    # --- reporting appends and rolls ---

    def _report_append(self, envelope: RequestEnvelope, request: ProduceRequest, appended: Appended) -> None:
        partition = envelope.partition
        previews = previews_of(request.message_set)
        if appended.rolled_base_offset >= 0:
            self._report_roll(partition, appended.rolled_base_offset)
        self.emit(
            BatchAppended(
                self.now_us,
                envelope.batch.batch,
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
        self._listener.on_append(partition, appended, previews)
        if appended.flushed:
            self._log_manager.flush(partition)
        else:
            self._log_manager.flush_in_time(partition)

    def _report_roll(self, partition: TopicPartition, base_offset: int) -> None:
        self.emit(LogFlushed(self.now_us, partition.topic, partition.partition, base_offset))
        self.emit(SegmentRolled(self.now_us, partition.topic, partition.partition, base_offset))

    # --- registry ---

    def _new_registry_client(self) -> RegistryClient:
        listener = SessionListener(self._register, self._open_session, _nothing_to_close)
        return RegistryClient(self, listener, self.registry)

    def _open_session(self) -> None:
        self._registry.open()

    def _register(self) -> None:
        """Register the broker, and the topics that it has messages of (0.7: KafkaZooKeeper)."""
        creator = f"broker{self.broker}-{wall_milliseconds(self.now_us)}"
        own = paths.broker(self.broker)
        self._registry.claim(own, f"{creator}:broker{self.broker}:9092", self.machine.config.rebalance_backoff_us)
        self._registered_topics.clear()
        for topic in sorted({partition.topic for partition, log in self.logs.items() if log.next_offset > 0}):
            self._register_topic(topic)

    def _register_topic(self, topic: str) -> None:
        """Register a topic when its first message reaches this broker; until then consumers do not see it here."""
        if topic in self._registered_topics or self._registry.session == NO_SESSION:
            return
        self._registered_topics.add(topic)
        numbers = sorted(partition.partition for partition in self.logs if partition.topic == topic)
        node = paths.topic_broker(topic, self.broker)
        self._registry.claim(node, paths.encode_partitions(numbers), self.machine.config.rebalance_backoff_us)


def previews_of(message_set: bytes) -> tuple[str, ...]:
    """Return the beginning of each entry's text."""
    return tuple([preview(payload, codec) for _, _, payload, codec in iterate_shallow(message_set, 0)])
