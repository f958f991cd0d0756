"""A whole cluster in one process: the composition root that builds and wires the parts and advances virtual time."""

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

from engine.broker.broker import Broker
from engine.broker.log_manager import LogListener
from engine.cluster.deployer import Deployer
from engine.cluster.deployment import LIVE
from engine.cluster.facts import facts
from engine.cluster.invariants import broken_invariants
from engine.cluster.lag_observer import LagObserver
from engine.cluster.message_index import MessageIndex
from engine.cluster.pending import pending_bytes
from engine.cluster.registry_tree import registry_tree
from engine.cluster.snapshot import snapshot, summary, without_flights
from engine.cluster.state import ClusterState, Group
from engine.config import NEVER_US, SECOND_US, Config, ConsumerSettings
from engine.consumer.consumer import Consumer, address_of
from engine.errors import MachineFault, StorageFailed, UnknownPartition, WrongState
from engine.events.base import Event
from engine.events.cluster import BrokerAdded, BrokerCrashed, BrokerStarted, BrokerStopped, Checkpoint, TopicAdded
from engine.events.consuming import (
    ConsumerAdded,
    ConsumerClosed,
    ConsumerCrashed,
    ConsumerRemoved,
    FetchFailed,
    FetchingStarted,
    GroupAdded,
    OffsetSought,
)
from engine.events.network import MessageDropped
from engine.events.pipeline import BrokerPlaced
from engine.events.producing import BatchLost, ByteFlipped
from engine.events.registry import SessionExpired, WatchDelivered
from engine.events.simple_consuming import MultiFetchFailed
from engine.ids import BrokerId, ConsumerId, GroupId, TopicPartition
from engine.journal.journal import NO_SYNC, Journal
from engine.producer.page_views import PageViews
from engine.producer.partitioner import KeyPartitioner, keyed_index
from engine.producer.producer import Producer
from engine.protocol.envelope import (
    NO_ADDRESS,
    BatchLabel,
    FetchLabel,
    MultiFetchLabel,
    RequestEnvelope,
    ResponseEnvelope,
)
from engine.registry import operations as ops
from engine.registry import paths
from engine.registry.server import RegistryServer
from engine.runtime.network import Network
from engine.runtime.process import Machine
from engine.runtime.scheduler import Scheduler
from engine.runtime.sequence_numbers import SequenceNumbers
from engine.storage.disk import MACHINE, Disk, machine_fault
from engine.storage.faulty_disk import FaultyDisk
from engine.storage.log import Appended
from engine.storage.segment import SegmentSlice

CHECKPOINT_PRIORITY = 9
"""A checkpoint is written after everything else due at its instant, so that it never shows a partial step."""
EVENTS_PER_CHECKPOINT = 4
"""The events between two checkpoints take at least this many times the bytes of the first one."""
NO_CHECKPOINT_DUE = NEVER_US
STEP_LIMIT_US = 60 * SECOND_US
"""A step ends after this time, even if nothing was journaled."""


class Cluster:
    """Brokers, a registry, a producer and consumer groups over one virtual time and one journal.

    The same seed and the same commands at the same virtual times give the same journal, byte for byte. A cluster is not
    thread-safe. What is in ``directory`` is deleted: a cluster is rebuilt from its commands, not reopened.

    A :class:`~engine.errors.MachineFault` ends it: no event of the instant in which it occurred is published, and every
    later attempt to change the cluster raises it again. The same commands bring a new cluster to that point.
    """

    def __init__(
        self,
        *,
        scenario: str,
        directory: Path,
        config: Config,
        seed: int,
        journal: Journal,
        start_us: int,
        key_partitioner: KeyPartitioner = keyed_index,
        disk: Disk = NO_SYNC,
    ) -> None:
        with MACHINE, suppress(FileNotFoundError):
            shutil.rmtree(directory)
        self.muted = True
        self._machine_faults: list[MachineFault] = []
        self._disk = disk
        self._directory = directory
        self._journal = journal
        self._checkpoint_due_offset = NO_CHECKPOINT_DUE
        self._reactions: Mapping[type[Event], Callable[[Any], None]] = {
            SessionExpired: self._note_expiry,
            FetchingStarted: self._repeat_seek,
        }
        self._sought: dict[tuple[GroupId, TopicPartition], int] = {}
        scheduler = Scheduler(start_us)
        network = Network(scheduler, Random(f"network {seed}"), self._emit, self._end_flight)
        machine = Machine(config, scheduler, network, self._emit, SequenceNumbers())
        registry = RegistryServer(machine)
        topics: dict[str, tuple[BrokerId, ...]] = {}
        page_views = PageViews(Random(f"traffic {seed}"))
        producer = Producer(machine, Random(f"partitioner {seed}"), page_views, topics.__getitem__, key_partitioner)
        self.state = ClusterState(scenario, seed, machine, registry, producer, topics)
        self._lag_observer = LagObserver(self.state, self._emit)
        self.deployer = Deployer(self.state, page_views, directory)
        producer.start()

    # --- time ---

    @property
    def now_us(self) -> int:
        """The virtual time in microseconds."""
        return self.state.scheduler.now_us

    @property
    def next_due_us(self) -> int:
        """When the next action is due; ``NEVER_US`` if there is none."""
        return self.state.scheduler.next_due_us

    def run_until(self, at_us: int) -> None:
        """Run everything that is due at or before ``at_us``; the virtual time is then ``at_us``."""
        with self.changing():
            self.state.scheduler.run_until(at_us)

    def step(self) -> int:
        """Advance to the next instant at which something is journaled, and finish it; return the virtual time."""
        begin = self._journal.next_offset
        limit_us = self.now_us + STEP_LIMIT_US
        while self._journal.next_offset == begin and self.next_due_us <= limit_us:
            self.run_until(self.next_due_us)
        return self.now_us

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Guard a change of the cluster: raise a machine fault that occurs in it, or occurred earlier."""
        if self._machine_faults:
            raise self._machine_faults[0]
        try:
            yield
        except MachineFault as fault:
            self._machine_faults.append(fault)
            self._journal.abandon()
            raise

    # --- journal ---

    def _emit(self, event: Event) -> None:
        """Append an event to the journal; while a scenario warms up, nothing is journaled."""
        react = self._reactions.get(type(event))
        if react is not None:
            react(event)
        self.state.deployment.observe(event)
        if self.muted:
            self._lag_observer.observe(event)
            return
        journal = self._journal
        journal.append(event)
        self._lag_observer.observe(event)
        if journal.next_offset >= self._checkpoint_due_offset:
            self._checkpoint_due_offset = NO_CHECKPOINT_DUE
            self.state.scheduler.after(0, self._write_periodic_checkpoint, priority=CHECKPOINT_PRIORITY)

    def _write_periodic_checkpoint(self) -> None:
        self.write_checkpoint("periodic")

    def write_checkpoint(self, cause: str) -> None:
        """Append the full state to the journal; the first checkpoint ends the warm-up, and events are journaled."""
        self.muted = False
        offset = self._journal.append(Checkpoint(self.now_us, cause, self.snapshot()))
        next_offset = self._journal.next_offset
        # At least what the settings say; with much in flight a checkpoint is large, and must not fill the journal.
        every_bytes = max(self.state.config.checkpoint_every_bytes, EVENTS_PER_CHECKPOINT * (next_offset - offset))
        self._checkpoint_due_offset = next_offset + every_bytes

    def publish(self) -> int:
        """Make what was journaled readable; return the journal's end."""
        with self.changing():
            try:
                return self._journal.publish()
            except StorageFailed as error:
                raise machine_fault(error.message) from error

    def _note_expiry(self, expired: SessionExpired) -> None:
        client = expired.client
        self.state.session_ends_us.pop(client, None)
        for consumer in self.state.all_consumers():
            if address_of(consumer.consumer) == client and consumer.state.name == "crashed":
                consumer.state.end("gone")

    def _end_flight(self, message: Any, cause: str) -> None:
        """End the flight of a message that no process will ever handle.

        The flight of what the network lost (``cut``, ``lost``) has ended already, and a client that waits for a
        response times out. Only a set without acknowledgement has no client that reports the loss.
        """
        now_us = self.now_us
        match message:
            case RequestEnvelope(label=BatchLabel(batch, messages, acknowledge_to)):
                if acknowledge_to == NO_ADDRESS or cause == "gone":
                    topic, number = message.partition
                    broker = self.state.topics[topic][number]
                    self._emit(BatchLost(now_us, batch, topic, number, broker, messages, "not_delivered"))
            case ResponseEnvelope(
                answers=RequestEnvelope(label=BatchLabel(batch=batch, acknowledge_to=client)) as request
            ):
                if cause == "gone":
                    source = self.state.broker_of(request.partition).address
                    self._emit(MessageDropped(now_us, source, client, f"ack:{batch}", cause))
            case RequestEnvelope() if cause == "gone":
                self._end_request(message)
            case ResponseEnvelope(answers=request) if cause == "gone":
                self._end_request(request)
            case ops.WatchNotice(watch=watch, repeated=False) if cause == "gone":
                self._emit(WatchDelivered(now_us, watch))

    def _end_request(self, request: RequestEnvelope) -> None:
        """End a request whose client and broker are both gone."""
        now_us = self.now_us
        match request.label:
            case FetchLabel(fetch, group, consumer):
                topic, number = request.partition
                self._emit(FetchFailed(now_us, fetch, group, consumer, topic, number, "consumer_gone"))
            case MultiFetchLabel(multi_fetch, client):
                self._emit(MultiFetchFailed(now_us, multi_fetch, client, "not_delivered"))

    # --- reading ---

    def snapshot(self) -> dict[str, Any]:
        """The full state (docs/journal.md)."""
        return snapshot(self.state)

    def summary(self) -> dict[str, Any]:
        """The state without what a reader cannot follow at a high rate (docs/journal.md, "A summary")."""
        return summary(self.state)

    @property
    def pending_bytes(self) -> int:
        """The bytes of messages that are in memory only."""
        return pending_bytes(self.state)

    def facts(self) -> dict[str, Any]:
        """Topics, brokers and groups for programs (docs/api.md)."""
        return facts(without_flights(self.state))

    def registry_tree(self) -> dict[str, Any]:
        """The registry's nodes, nested."""
        return registry_tree(self.state.registries)

    def check(self) -> list[str]:
        """The broken invariants, one sentence each; none when all hold."""
        return broken_invariants(self.state)

    def read_log(self, topic: str, partition: int, offset: int, max_bytes: int) -> bytes:
        """Return or raise what a fetch would; :class:`~engine.errors.WrongState` if the broker is not running."""
        name = self.state.partition(topic, partition)
        broker = self.state.broker_of(name)
        if not broker.alive:
            raise WrongState(f"broker {broker.broker} is not running", "start it first", broker=broker.broker)
        return broker.logs[name].read(offset, max_bytes)

    def log_files(self, topic: str, partition: int) -> tuple[SegmentSlice, ...]:
        """The flushed part of a partition's segment files, also of a broker that is stopped or crashed."""
        name = self.state.partition(topic, partition)
        return self.state.broker_of(name).logs[name].files()

    def close(self) -> None:
        """Close every file; the cluster must not be used afterwards."""
        with ExitStack() as closing:  # all of them, even if one raises
            for loader in self.state.deployment.loaders.values():
                closing.callback(loader.close)
            for broker in self.state.brokers.values():
                closing.callback(broker.close_files)

    # --- building and growing ---

    def add_broker(self, broker: BrokerId, datacenter: str = LIVE) -> None:
        """Start a new broker in a datacenter; the id must be free."""
        registry = self.state.registry
        if datacenter != LIVE:
            registry = self.state.deployment.registries[datacenter]
            self.state.deployment.placements[broker] = datacenter
        self.state.brokers[broker] = Broker(
            broker,
            self._directory / f"broker-{broker}",
            self.state.machine,
            FaultyDisk(self._disk),
            LogListener(self._note_append, self._note_cut, self._note_delete),
            lambda: self.crash_broker(self.state.brokers[broker]),
            registry.address,
        )
        self.state.brokers[broker].start()
        self._emit(BrokerAdded(self.now_us, broker))
        if datacenter != LIVE:
            self._emit(BrokerPlaced(self.now_us, broker, datacenter))

    def add_topic(self, topic: str, brokers: Sequence[BrokerId]) -> None:
        """Create a topic with partition p on ``brokers[p]``; the name must be free."""
        self.state.topics[topic] = tuple(brokers)
        for partition in self.state.all_partitions():
            if partition.topic == topic:
                self.state.message_indexes[partition] = MessageIndex()
                self.state.broker_of(partition).create_log(partition)
        self._emit(TopicAdded(self.now_us, topic, tuple(brokers)))

    def add_group(self, group: GroupId, topics: Sequence[str]) -> None:
        """Add a consumer group, without members yet."""
        self.state.groups[group] = Group(tuple(topics))
        self._emit(GroupAdded(self.now_us, group, tuple(topics)))
        self._lag_observer.follow(group)

    def add_consumer(self, consumer: ConsumerId, settings: ConsumerSettings, streams: int = 1) -> Consumer:
        """Start a consumer with some streams; one of the same name must have ended before."""
        group = self.state.group(consumer.group)
        state = self.state
        added = Consumer(
            consumer,
            group.topics,
            streams,
            settings,
            state.machine,
            lambda: self._finish_close(added),
            state.registry_of_group(consumer.group).address,
            group.application,
        )
        group.consumers[consumer.name] = added
        state.session_ends_us.pop(added.address, None)
        self._emit(ConsumerAdded(self.now_us, consumer.group, consumer.name, streams, asdict(settings)))
        added.start()
        return added

    def _finish_close(self, consumer: Consumer) -> None:
        consumer.leave_network()
        consumer.state.end("closed")
        self._emit(ConsumerClosed(self.now_us, consumer.consumer.group, consumer.consumer.name))

    def _note_append(self, partition: TopicPartition, appended: Appended, previews: Sequence[str]) -> None:
        self.state.message_indexes[partition].note(appended, previews, self.now_us)

    def _note_cut(self, partition: TopicPartition, next_offset: int) -> int:
        return self.state.message_indexes[partition].cut(
            next_offset, self.state.broker_of(partition).logs[partition].read_unflushed
        )

    def _note_delete(self, partition: TopicPartition, first_offset: int) -> int:
        return self.state.message_indexes[partition].forget(first_offset)

    # --- stopping, crashing and starting ---

    def stop_broker(self, broker: Broker) -> None:
        """Stop a broker cleanly; if its disk cannot flush, it crashes."""
        try:
            broker.stop()
        except StorageFailed:
            self.crash_broker(broker)
        else:
            self._emit(BrokerStopped(self.now_us, broker.broker))

    def crash_broker(self, broker: Broker) -> None:
        """Crash a broker; what it had not flushed is lost."""
        expires_at_us = self._expiry(broker.address, broker.crash())
        self.state.session_ends_us[broker.address] = expires_at_us
        self._emit(BrokerCrashed(self.now_us, broker.broker, expires_at_us))

    def start_broker(self, broker: Broker) -> None:
        """Start a broker again; it recovers its logs."""
        self.state.session_ends_us.pop(broker.address, None)
        broker.start()
        self._emit(BrokerStarted(self.now_us, broker.broker))

    def crash_consumer(self, consumer: Consumer) -> None:
        """Crash a consumer; the registry notices when its session expires."""
        expires_at_us = self._expiry(consumer.address, consumer.crash())
        consumer.state.end("crashed")
        self.state.session_ends_us[consumer.address] = expires_at_us
        name = consumer.consumer
        self._emit(ConsumerCrashed(self.now_us, name.group, name.name, expires_at_us))

    def _expiry(self, client: str, last_message_lands_us: int) -> int:
        """When a crashed client's sessions will all have expired, unless the network loses its last message."""
        timeout_us = self.state.config.session_timeout_us
        expires_at_us = max(registry.expires_at_us(client) for registry in self.state.registries)
        return max(expires_at_us, last_message_lands_us + timeout_us if last_message_lands_us > self.now_us else 0)

    def remove_consumer(self, consumer: Consumer) -> None:
        """Remove an ended consumer from its group."""
        name = consumer.consumer
        del self.state.groups[name.group].consumers[name.name]
        self._emit(ConsumerRemoved(self.now_us, name.group, name.name))

    # --- committed offsets ---

    def seek(self, group: GroupId, partition: TopicPartition, offset: int) -> None:
        """Move a group's committed offset: through the owner if it fetches the partition, else in the registry.

        In the registry a late commit of the last owner may replace it, or the next owner may have read it before. So
        it is moved again if the next consumer starts to fetch from elsewhere.
        """
        self._sought.pop((group, partition), 0)
        owner = self.state.groups[group].consumers.get(self.state.owner_of(group, partition))
        if owner is not None and partition in owner.fetchers:
            owner.seek(partition, offset)
            return
        self._sought[(group, partition)] = offset
        now_us = self.now_us
        self._emit(OffsetSought(now_us, group, "", partition.topic, partition.partition, offset))
        node = paths.offset(group, partition, self.state.broker_of(partition).broker)
        self.state.registry_of_group(group).put_by_operator(node, str(offset))

    def _repeat_seek(self, start: FetchingStarted) -> None:
        """Seek again if a consumer starts to fetch from another offset than the one sought before."""
        group, partition = GroupId(start.group), TopicPartition(start.topic, start.partition)
        offset = self._sought.pop((group, partition), start.offset)
        if offset != start.offset:
            self.state.scheduler.after(0, lambda: self.seek(group, partition, offset))

    def flip_byte(self, partition: TopicPartition, offset: int, position: int) -> None:
        """Damage one byte of the partition's file, ``position`` bytes into the entry at ``offset``."""
        log = self.state.broker_of(partition).logs[partition]
        segment = max((one for one in log.segments if one.base_offset <= offset), key=lambda one: one.base_offset)
        path = self._directory / f"broker-{self.state.broker_of(partition).broker}" / str(partition) / segment.file
        at = offset - segment.base_offset + position
        with MACHINE, path.open("r+b") as file:
            file.seek(at)
            byte = file.read(1)
            if not byte:
                raise UnknownPartition(f"{partition} has no byte there", "choose an entry that exists", offset=offset)
            file.seek(at)
            file.write(bytes([byte[0] ^ 0xFF]))
        self._emit(ByteFlipped(self.now_us, partition.topic, partition.partition, offset, position))
