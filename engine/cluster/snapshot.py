"""The full state of a cluster, in the shape that a reader folds from the journal (docs/journal.md, "The state")."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from engine.cluster.deployment import Deployment
from engine.cluster.state import ClusterState
from engine.consumer.consumer import Consumer, address_of
from engine.consumer.fetcher import Fetcher
from engine.events.base import Event
from engine.ids import GroupId, TopicPartition

SUMMARY_ENTRIES = 4
"""How many of the newest entries and segments of a partition a summary holds."""


def snapshot(state: ClusterState) -> dict[str, Any]:
    """Return all that a late reader must know, as JSON values that share nothing with the running cluster."""
    partitions = {str(partition): _partition(state, partition) for partition in state.all_partitions()}
    flights = {name: event.as_json() for name, event in _flights(state)}
    return _state(state, partitions, flights)


def without_flights(state: ClusterState) -> dict[str, Any]:
    """Return the snapshot without what is in flight."""
    return _state(state, {str(partition): _partition(state, partition) for partition in state.all_partitions()}, {})


def summary(state: ClusterState) -> dict[str, Any]:
    """Return the snapshot for a reader that cannot follow every event: no flights, the newest entries only."""
    partitions = {str(partition): _newest(_partition(state, partition)) for partition in state.all_partitions()}
    return _state(state, partitions, {})


def _newest(partition: dict[str, Any]) -> dict[str, Any]:
    lists = ("segments", "entries")
    return {**partition, **{name: partition[name][-SUMMARY_ENTRIES:] for name in lists}}


def _state(state: ClusterState, partitions: dict[str, Any], flights: dict[str, Any]) -> dict[str, Any]:
    consumers = state.all_consumers()
    return {
        "at_us": state.scheduler.now_us,
        "scenario": state.scenario,
        "seed": state.seed,
        "topics": {topic: _topic(state, topic) for topic in state.topics},
        "partitions": partitions,
        "brokers": {
            str(number): {
                "alive": broker.alive,
                "session_expires_at_us": state.session_ends_us.get(broker.address, 0),
                "disk": {"delay_us": broker.disk_delay_us, "full": broker.disk_full, "fails": broker.disk_fails},
            }
            for number, broker in state.brokers.items()
        },
        "producer": asdict(state.producer.settings),
        "producer_queue": state.producer.queue_counts._asdict(),
        "groups": {
            name: {"topics": list(group.topics), "consumers": list(group.consumers), **asdict(state.done[name])}
            for name, group in state.groups.items()
        },
        "consumers": {str(consumer.consumer): _consumer(state, consumer) for consumer in consumers},
        "positions": {
            f"{group}/{partition}": {
                "consumer": state.fetching[group, partition],
                "fetch_offset": fetcher.fetch_offset,
                "consumed_offset": fetcher.consumed_offset,
                "error": fetcher.error,
            }
            for group, partition, fetcher in _fetchers(state)
        },
        "bookmarks": {
            f"{group}/{partition}": asdict(position) for (group, partition), position in state.committed.items()
        },
        "registry": {
            registry.chroot + path: [node.value, registry.client_of(node.session)]
            for registry in state.registries
            for path, node in registry.tree
        },
        "watches": {
            registry.chroot + path: {str(session): registry.client_of(session) for session in sessions}
            for registry in state.registries
            for path, sessions in registry.tree.watches()
        },
        "links": {
            f"{one} | {other}": {
                "cut": fault.cut,
                "loss_permille": fault.loss_permille,
                "delay_us": fault.delay_us,
            }
            for (one, other), fault in state.network.link_faults
        },
        "flights": flights,
        **_deployment(state.deployment),
    }


def _fetchers(state: ClusterState) -> Iterator[tuple[GroupId, TopicPartition, Fetcher]]:
    """Which consumer fetches what, as the journal says."""
    for (group, partition), name in state.fetching.items():
        yield group, partition, state.groups[group].consumers[name].fetchers[partition]


def _deployment(deployment: Deployment) -> dict[str, Any]:
    """The state of everything outside the live datacenter; no key if there is no other."""
    if not deployment.exists:
        return {}
    placed = deployment.placements.items()
    return {
        "deployment": {
            "datacenters": {
                name: {
                    "registry": registry.address,
                    "chroot": registry.chroot,
                    "brokers": [broker for broker, where in placed if where == name],
                }
                for name, registry in deployment.registries.items()
            },
            "mirrors": {
                group: {
                    "routes": [list(pair) for pair in route.copies.items()],
                    "acknowledgement": deployment.acknowledgements[group],
                    "messages": deployment.mirrored[group],
                }
                for group, route in deployment.routes.items()
            },
            "loaders": {
                name: {
                    "state": loader.state,
                    "topics": list(loader.sources.topics),
                    "rows": loader.rows,
                    "next_offsets": {str(partition): offset for partition, offset in loader.next_offsets.items()},
                }
                for name, loader in deployment.loaders.items()
            },
            "auditors": {
                tier: {"topics": list(auditor.sources.topics)} for tier, auditor in deployment.auditors.items()
            },
            "audit": [
                [one.tier, one.topic, one.window_start_us, one.window_end_us, one.produced, one.received]
                for one in deployment.counts
            ],
            "latency": [
                [one.topic, one.window_start_us, one.window_end_us, one.messages, one.average_us, one.percentile_95_us]
                for one in deployment.latencies
            ],
        }
    }


def _flights(state: ClusterState) -> Iterator[tuple[str, Event]]:
    """What is on the wire, what has landed but waits for a disk, and what waits for the commit of its transaction."""
    yield from state.network.flights
    for broker in state.brokers.values():
        yield from broker.waiting.items()
    for loader in state.deployment.loaders.values():
        yield from loader.writing.items()


def _topic(state: ClusterState, topic: str) -> dict[str, Any]:
    return {
        "events_appended": events_appended(state, topic),
        "next_append_partition": state.producer.next_append.get(topic, 0),
        "brokers": list(state.topics[topic]),
    }


def events_appended(state: ClusterState, topic: str) -> int:
    """Return how many messages a topic has appended in all."""
    count = len(state.topics[topic])
    return sum(state.message_indexes[TopicPartition(topic, number)].messages for number in range(count))


def _partition(state: ClusterState, partition: TopicPartition) -> dict[str, Any]:
    broker = state.broker_of(partition)
    log = broker.logs[partition]
    return {
        "topic": partition.topic,
        "partition": partition.partition,
        "broker": broker.broker,
        "first_offset": log.first_offset,
        "flushed_offset": log.flushed_offset,
        "next_offset": log.next_offset,
        "messages": state.message_indexes[partition].messages,
        "segments": [[segment.base_offset, segment.bytes] for segment in log.segments],
        "entries": [list(entry) for entry in state.message_indexes[partition].recent],
    }


def _consumer(state: ClusterState, consumer: Consumer) -> dict[str, Any]:
    consumer_state = consumer.state
    return {
        "group": consumer.consumer.group,
        "consumer": consumer.consumer.name,
        "state": consumer_state.name,
        "paused": consumer.paused,
        "session_expires_at_us": state.session_ends_us.get(address_of(consumer.consumer), 0),
        "frozen_until_us": consumer.frozen_until_us,
        "streams": len(consumer.streams),
        "settings": asdict(consumer.settings),
        "rebalance": {
            "attempt": consumer_state.attempt,
            "cause": consumer_state.cause,
            "step": consumer_state.step,
            "members": list(consumer_state.members),
            "partitions": list(consumer_state.partitions),
            "share": list(consumer_state.share),
            "until_us": consumer_state.until_us,
        },
    }
