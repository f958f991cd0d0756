"""The invariants of a cluster: what must hold after any command and any fault."""

from collections.abc import Iterator

from engine.cluster.message_index import MessageIndex, messages_in
from engine.cluster.snapshot import events_appended
from engine.cluster.state import ClusterState
from engine.consumer.consumer import ENDED_STATES, Consumer
from engine.errors import InvalidMessage
from engine.ids import GroupId, TopicPartition
from engine.registry import paths
from engine.registry.tree import PERSISTENT
from engine.storage.boundaries import starts_a_message
from engine.storage.log import Log


def broken_invariants(state: ClusterState) -> list[str]:
    """Return one sentence per broken invariant; an empty list means that all hold."""
    broken: list[str] = []
    for partition in state.all_partitions():
        log = state.broker_of(partition).logs[partition]
        broken += _log_rules(partition, log)
        broken += _count_rules(partition, log, state.message_indexes[partition])
        for group in state.groups:
            if partition.topic in state.groups[group].topics:
                broken += _group_rules(state, group, partition)
    for registry in state.registries:
        for path, node in registry.tree:
            if node.session != PERSISTENT and not registry.session_alive(node.session):
                broken.append(f"registry node {registry.chroot}{path} outlived session {node.session}")
    for topic in state.topics:
        if events_appended(state, topic) < 0:
            broken.append(f"topic {topic} has appended fewer than no messages")
    return broken


def _log_rules(partition: TopicPartition, log: Log) -> Iterator[str]:
    if not log.first_offset <= log.flushed_offset <= log.next_offset:
        yield f"{partition}: offsets out of order: {log.first_offset}, {log.flushed_offset}, {log.next_offset}"
    next_base = log.first_offset
    for segment in log.segments:
        if segment.base_offset != next_base:
            yield f"{partition}: segment {segment.file} does not begin where the one before it ends ({next_base})"
        next_base = segment.base_offset + segment.bytes
    if next_base != log.next_offset:
        yield f"{partition}: the segments end at {next_base}, the log at {log.next_offset}"


def _count_rules(partition: TopicPartition, log: Log, message_index: MessageIndex) -> Iterator[str]:
    """The message index counts what is in the files. A damaged compressed set cannot be counted."""
    try:
        held = sum(messages_in(log.read_unflushed(segment.base_offset, segment.bytes)) for segment in log.segments)
    except InvalidMessage:
        return
    if held != message_index.held:
        yield f"{partition}: the message index counts {message_index.held} messages, the files hold {held}"


def _group_rules(state: ClusterState, group: GroupId, partition: TopicPartition) -> Iterator[str]:
    """At most one owner; positions in order and inside the log; the committed offset at the start of a message.

    A committed offset may lie before the log, since retention does not wait for consumers. The owner's next fetch is
    then out of range, and it resets its position.
    """
    broker = state.broker_of(partition)
    log = broker.logs[partition]
    committed = state.committed_offset(group, partition)
    if not 0 <= committed <= log.next_offset:
        yield f"{group}: the committed offset {committed} lies outside {partition}"
    elif broker.alive and committed >= log.first_offset and not starts_a_message(log, committed):
        yield f"{group}: the committed offset {committed} lies inside a message of {partition}"
    path = paths.owner(group, partition, broker.broker)
    owner = state.registry_of_group(group).value(path, "")
    fetching = []
    for name, consumer in state.groups[group].consumers.items():
        if partition not in consumer.fetchers or not _knows_its_share(state, consumer):
            continue
        fetching.append(name)
        fetcher = consumer.fetchers[partition]
        if fetcher.consumed_offset > fetcher.fetch_offset:
            consumed, fetched = fetcher.consumed_offset, fetcher.fetch_offset
            yield f"{group}/{name}: consumed {partition} up to {consumed}, fetched to {fetched}"
        if paths.stream_consumer(owner) != name:
            yield f"{group}/{name} fetches {partition}, which the registry assigns to {owner or 'no consumer'}"
    if len(fetching) > 1:
        yield f"{partition} has two owners in {group}: {', '.join(fetching)}"


def _knows_its_share(state: ClusterState, consumer: Consumer) -> bool:
    """Whether a consumer has not ended, is not suspended, and has not lost its session without knowing it yet."""
    running = consumer.frozen_until_us <= state.scheduler.now_us
    registry = state.registry_of_group(consumer.consumer.group)
    return consumer.state.name not in ENDED_STATES and running and registry.has_session(consumer.address)
